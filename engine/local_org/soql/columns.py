"""The columns of a query, and its parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES, FieldSchema
from sfmap.engine.local_org.records.store import Stored, response_value

_EXACT_TYPES = (*NUMBER_TYPES, "boolean", "date", "datetime", "time", "id", "reference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field of the object or of a parent, or a function of one."""

    path: tuple[str, ...]
    """Its path in the response: the relationships and the field, or an alias."""
    field: FieldSchema
    """The field, or what a describe would tell of the function's result."""
    sql: str
    is_aggregate: bool = False
    written: Callable[[Stored], Stored | bool] | None = None
    """What a response contains, if that is not the value itself."""

    @property
    def name(self) -> str:
        return self.path[-1]

    @property
    def compared(self) -> str:
        """The column as the org compares it: text case-insensitively, ids and numbers exactly."""
        return self.sql if self.field.type in _EXACT_TYPES else f"fold({self.sql})"

    def response(self, value: Stored) -> Stored | bool:
        return self.written(value) if self.written else response_value(self.field, value)


class Parameters:
    """The parameters of a statement, by name."""

    def __init__(self) -> None:
        self.values: dict[str, Stored] = {}

    def add(self, value: Stored) -> str:
        """The parameter with that value, as a statement refers to it."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"


def quoted(name: str) -> str:
    """The name of a table or column, for a statement."""
    return '"' + name.replace('"', '""') + '"'
