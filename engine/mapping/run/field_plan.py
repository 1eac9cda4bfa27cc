"""The plan of a field: what it reads, accepts and falls back to, when it is written, and its place in the YAML.

The generated code, the rule that it passes other values to, and explanations all read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sfmap.engine.language.model import (
    CONVENTIONS,
    Constant,
    Conventions,
    OnInvalid,
    OnLong,
    ReferenceTo,
    ValueType,
    Write,
)
from sfmap.engine.mapping.run.compiled_source import CompiledSource
from sfmap.engine.mapping.values.blanks import table_key
from sfmap.engine.mapping.values.record import Value
from sfmap.engine.mapping.values.values import Unfit
from sfmap.engine.yaml_files.diagnostics import Span

GivenBy = Literal["sources", "template", "constant"]


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The key `values`: what the field gets for each value of the event."""

    entries: Mapping[str, Constant]
    """By `table_key`."""
    otherwise: Constant | None = None
    keeps_others: bool = False

    def entry(self, value: Value) -> Value:
        """The entry for the value. Raises `Unfit` if there is none."""
        found = self.entries.get(table_key(value), self.otherwise)
        if found is None and not self.keeps_others:
            raise Unfit("is not an entry of values")
        return value if found is None else found

    def has(self, result: object) -> bool:
        """Whether the value stands in the table as a result."""
        return result in self.entries.values() or (self.otherwise is not None and result == self.otherwise)


@dataclass(frozen=True, slots=True)
class Fallback:
    """The key `default`: what the field gets if no source has a value."""

    value: Constant
    write: Write
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldPlan:
    """What the field reads, what it accepts, what it falls back to, and how it is written, in this order."""

    field: str
    span: Span
    """The rule in the YAML."""

    sources: tuple[CompiledSource, ...]
    """In order; a template or a constant is a single source."""
    given_by: GivenBy = "sources"
    when: CompiledSource | None = None
    """A condition without which the field gets nothing."""
    blanks: frozenset[str] = frozenset()
    """Values that count as no value in this rule only, by `table_key`."""

    type: ValueType | None = None
    conventions: Conventions = CONVENTIONS
    max: int | None = None
    on_long: OnLong = "truncate"
    on_invalid: OnInvalid = "drop"
    table: ValueTable | None = None
    strip: Callable[[str], str] | None = None
    """Removes invisible characters from texts that identify records."""

    default: Fallback | None = None
    required: bool = False
    clears_null: bool = False
    """Whether an explicit null empties the field."""
    clears_blank: bool = False
    """Whether blank text empties the field."""

    write: Write = "always"
    reference: ReferenceTo | None = None
    add: bool = False
    """Whether a multi-select picklist keeps its values in the org."""
