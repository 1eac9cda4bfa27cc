"""Leaves out rows of the future by this machine's clock, for databases whose own clock is not asked."""

from collections.abc import Callable
from typing import Any

from sfmap.engine.sources.queries.cursor_values import as_text, from_text, less, now_like
from sfmap.engine.sources.queries.database_port import UnreadRows
from sfmap.engine.sources.queries.keyset_sql import KeysetSql

First = Callable[[KeysetSql, str], Any]
"""Gives the first row of a statement; None if it has none."""


def highest_row(statement: KeysetSql, first: First) -> Any:
    """The highest cursor that is not in the future; None if there is none."""
    row = first(statement, statement.highest())
    now = _passed_by(statement, row)
    return row if now is None else first(statement, statement.highest(_not_after(statement, now)))


def unread_rows(statement: KeysetSql, first: First) -> UnreadRows:
    """The rows that are not read."""
    is_null = statement.is_null()
    null = first(statement, statement.count(is_null)) if is_null else None
    now = _passed_by(statement, first(statement, statement.highest()))
    future = None if now is None else first(statement, statement.count(f"NOT {_not_after(statement, now)}"))
    return UnreadRows(null=null[0] if null else 0, future=future[0] if future else 0)


def earlier_value(value: str, overlap: float) -> str | None:
    """The value less the overlap; None for values without a distance."""
    low = less(from_text(value), overlap)
    return None if low is None else as_text(low)


def _passed_by(statement: KeysetSql, row: Any) -> Any:
    """The time of now, if the row is after it."""
    now = now_like(row[0], statement.keyset.zone) if row else None
    return now if now is not None and row[0] > now else None


def _not_after(statement: KeysetSql, now: object) -> str:
    return f"{statement.first()} <= {statement.value(statement.keyset.cursor[0], as_text(now))}"
