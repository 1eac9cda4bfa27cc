"""The rows of a query job as texts."""

from collections.abc import Sequence

from sfmap.engine.local_org.records.store import Stored, response_value
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery


def result_header(query: CompiledQuery) -> list[str]:
    """The names of the columns, those of parents with the path of their relationships."""
    return [".".join(column.path) for column in query.columns]


def result_row(query: CompiledQuery, row: Sequence[Stored]) -> list[str]:
    pairs = zip(query.columns, row, strict=True)
    return [_text(response_value(column.field, value)) for column, value in pairs]


def _text(value: Stored | bool) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
