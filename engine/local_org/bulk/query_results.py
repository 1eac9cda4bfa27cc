"""The rows of a query job as texts."""

from collections.abc import Sequence
from datetime import datetime

from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery


def result_header(query: CompiledQuery) -> list[str]:
    """The names of the columns, those of parents with the path of their relationships."""
    return [".".join(column.path) for column in query.columns]


def result_row(query: CompiledQuery, row: Sequence[Stored]) -> list[str]:
    # A row ends with columns that the query did not ask for.
    return [_text(column.response(value)) for column, value in zip(query.columns, row, strict=False)]


def result_record(query: CompiledQuery, row: Sequence[Stored]) -> dict[str, object]:
    """A row as the first version of the API gives it in JSON: with moments as milliseconds."""
    record = _parent(query.target.name)
    for column, value in zip(query.columns, row, strict=True):
        holder = record
        for name, owner in zip(column.path[:-1], column.owners, strict=True):
            inner = holder.setdefault(name, _parent(owner))
            assert isinstance(inner, dict)
            holder = inner
        is_moment = column.field.type == "datetime" and isinstance(value, str)
        holder[column.name] = _milliseconds(str(value)) if is_moment else response_value(column.field, value)
    return record


def _parent(object_name: str) -> dict[str, object]:
    return {"attributes": {"type": object_name}}


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _text(value: Stored | bool) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
