"""Replaces the entries of `blank_values`, which count as no value, by blank text."""

from collections.abc import Iterable

from sfmap.engine.mapping.values.event import as_text
from sfmap.engine.mapping.values.record import Json, Value

BLANK = ""
"""The replacement for an entry."""

_DEEPEST = 20
"""The levels of an event that are searched; rules rarely read deeper ones."""


def table_key(value: Value) -> str:
    """The form in which entries of `values` and `blank_values` are compared."""
    return as_text(value).strip().casefold()


def blank_keys(values: Iterable[Value]) -> frozenset[str]:
    return frozenset(map(table_key, values))


def without_blanks(value: Json, blanks: frozenset[str], depth: int = 0) -> Json:
    """The value with each of the `blanks` in it replaced by blank text."""
    if isinstance(value, (str, int, float)):
        return BLANK if table_key(value) in blanks else value
    if depth > _DEEPEST or value is None:
        return value
    if isinstance(value, list):
        return [without_blanks(item, blanks, depth + 1) for item in value]
    return {key: without_blanks(member, blanks, depth + 1) for key, member in value.items()}
