"""Reads SQLite, with Python's own library."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.queries.cursor_values import all_as_text, from_text, shown
from sfmap.engine.sources.queries.database_port import (
    ConnectionLost,
    CursorValues,
    DatabaseRow,
    Keyset,
    Relation,
    RowRange,
    TableColumn,
    UnreadRows,
)
from sfmap.engine.sources.queries.keyset_sql import KeysetSql, source_sql
from sfmap.engine.sources.queries.machine_clock import earlier_value, highest_row, unread_rows

_MANY_ROWS = 10_000
"""Sorting fewer rows for each page costs nothing worth a warning."""
_BUSY_SECONDS = 15


@dataclass(frozen=True, slots=True)
class SqliteDialect:
    has_row_comparison = True

    def quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""') + '"'

    def literal(self, sql: str) -> str:
        return sql

    def parameter(self, number: int, column: TableColumn) -> str:
        return "?"

    def text(self, expression: str, column: TableColumn) -> str:
        return expression

    def finite(self, expression: str, column: TableColumn) -> str:
        return ""


_DIALECT = SqliteDialect()


class SqliteDatabase:
    """A file that is opened for reading only."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def columns(self, relation: Relation) -> tuple[TableColumn, ...]:
        with self._reading() as connection:
            found = connection.execute(f"SELECT * FROM {source_sql(_DIALECT, relation)} LIMIT 0")
            names = [name for name, *_ in found.description]
        never_null = {
            name for _, name, kind, not_null, _, key in self._table(relation) if not_null or _is_row_id(kind, key)
        }
        return tuple(TableColumn(name=name, is_nullable=name not in never_null) for name in names)

    def primary_key(self, relation: Relation) -> tuple[str, ...]:
        places = {place: name for _, name, _, _, _, place in self._table(relation) if place}
        return tuple(places[place] for place in sorted(places))

    def highest(self, keyset: Keyset) -> CursorValues | None:
        row = highest_row(KeysetSql(_DIALECT, keyset), self._row)
        return all_as_text(row) if row else None

    def earlier(self, keyset: Keyset, value: str, overlap: float) -> str | None:
        return earlier_value(value, overlap)

    @contextmanager
    def page(self, keyset: Keyset, rows: RowRange, limit: int) -> Iterator[Iterator[DatabaseRow]]:
        statement = KeysetSql(_DIALECT, keyset)
        text = statement.page(rows, limit)
        width = len(keyset.cursor)
        with self._reading() as connection:
            found = connection.execute(text, _values(statement))
            try:
                yield (DatabaseRow(all_as_text(row[:width]), row[width:]) for row in found)
            finally:
                found.close()

    def unread(self, keyset: Keyset) -> UnreadRows:
        return unread_rows(KeysetSql(_DIALECT, keyset), self._row)

    def sorts(self, keyset: Keyset, rows: RowRange) -> bool:
        statement = KeysetSql(_DIALECT, keyset)
        with self._reading() as connection:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement.page(rows, 2000)}", _values(statement))
            sorts = any("ORDER BY" in str(step) for *_, step in plan.fetchall())
        return sorts and (self.estimate(keyset, rows) or 0) > _MANY_ROWS

    def estimate(self, keyset: Keyset, rows: RowRange) -> int | None:
        statement = KeysetSql(_DIALECT, keyset)
        found = self._row(statement, statement.in_range(rows, "count(*)"))
        return found[0] if found else None

    def shown(self, value: str) -> str:
        return shown(value)

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _row(self, statement: KeysetSql, text: str) -> Any:
        with self._reading() as connection:
            return connection.execute(text, _values(statement)).fetchone()

    def _table(self, relation: Relation) -> Sequence[Any]:
        """What SQLite says of each column; nothing of a query."""
        if not relation.table:
            return ()
        *schema, table = relation.table.split(".")
        of = f"{_DIALECT.quoted(schema[0])}." if schema else ""
        with self._reading() as connection:
            return connection.execute(f"PRAGMA {of}table_info({_DIALECT.quoted(table)})").fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            if self._connection is None:
                self._connection = self._opened()
            yield self._connection
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise ConnectionLost("the database is locked by a writer") from None
            raise SourceFailed(str(error)) from None

    def _opened(self) -> sqlite3.Connection:
        path = Path(self._path).absolute()
        if not path.is_file():
            raise SourceFailed(f"there is no file {self._path}")
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=ro",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        return connection


def _is_row_id(kind: str, key: int) -> bool:
    """Whether it is the number of the row itself, which is never NULL; other primary keys of SQLite may be."""
    return bool(key) and kind.upper() == "INTEGER"


def _values(statement: KeysetSql) -> list[Any]:
    return [from_text(value) for value, _ in statement.parameters]
