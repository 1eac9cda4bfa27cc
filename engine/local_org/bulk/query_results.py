"""The rows of a query job as texts."""

from collections.abc import Sequence
from datetime import datetime

from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.soql.row_layout import ParentCell, RowCell, ValueCell
from sfmap.engine.local_org.soql.soql_compiler import CompiledQuery


def result_header(query: CompiledQuery) -> list[str]:
    """The names of the columns, those of parents with the path of their relationships."""
    return [".".join(column.path) for column in query.columns]


def result_row(query: CompiledQuery, row: Sequence[Stored]) -> list[str]:
    # A row ends with columns that the query did not ask for.
    return [_text(column.response(value)) for column, value in zip(query.columns, row, strict=False)]


def result_record(query: CompiledQuery, row: Sequence[Stored]) -> dict[str, object]:
    """A row as the first version of the API gives it in JSON: with moments as milliseconds."""
    return _record("AggregateResult" if query.has_groups else query.target.name, query.cells, row)


def _record(shown: str, cells: Sequence[RowCell], row: Sequence[Stored]) -> dict[str, object]:
    record: dict[str, object] = {"attributes": {"type": shown}}
    for cell in cells:
        if isinstance(cell, ValueCell):
            value, column = row[cell.position], cell.column
            is_moment = column.field.type == "datetime" and isinstance(value, str) and not column.written
            record[cell.name] = _milliseconds(str(value)) if is_moment else column.response(value)
        elif isinstance(cell, ParentCell):
            kind = next((kind for kind in cell.kinds if row[kind.id_position] is not None), None)
            record[cell.name] = _record(kind.shown, kind.cells, row) if kind else None
    return record


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _text(value: Stored | bool) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
