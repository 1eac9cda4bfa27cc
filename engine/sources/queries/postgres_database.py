"""Reads PostgreSQL with psycopg."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

import psycopg
from psycopg import sql

from sfmap.engine.sources.event_source import SourceFailed
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
from sfmap.engine.sources.queries.database_url import DatabaseUrl, reason
from sfmap.engine.sources.queries.keyset_sql import KeysetSql, source_sql, table_sql
from sfmap.engine.sources.queries.postgres_values import register_loaders

_WITH_INFINITY = {"timestamp with time zone", "timestamp without time zone", "date"}
_CLOCK = {
    "timestamp with time zone": "now()",
    "timestamp without time zone": "(now() AT TIME ZONE {zone})",
    "date": "(now() AT TIME ZONE {zone})::date",
}
"""By type of the cursor's first column, the database's clock."""
_NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}
_WIDER = {"smallint": "integer", "integer": "bigint"}
"""The type that also holds a value less the overlap, and uses the same indexes."""
_MANY_ROWS = 10_000
"""Sorting fewer rows for each page costs nothing worth a warning."""
_FETCHED_AT_ONCE = 50
_PASSING = ("08", "40", "53", "57P")
"""The classes of SQLSTATE that may pass: connection, conflict with replication, resources, shutdown."""
_REFUSED = ("authentication failed", "does not exist", "no pg_hba.conf entry", "not permitted to log in")
"""What the server says when another attempt would be refused, too."""
_CONNECTION = {
    "connect_timeout": 15,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "application_name": "sfmap",
}
_SETTINGS = """\
SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true),
       set_config('IntervalStyle', 'iso_8601', true), set_config('extra_float_digits', '1', true),
       set_config('statement_timeout', %s, true)"""
_COLUMNS = """\
SELECT attname, format_type(atttypid, -1), NOT attnotnull FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
_PRIMARY_KEY = """\
SELECT attname FROM pg_index, unnest(indkey) WITH ORDINALITY AS key (number, place), pg_attribute
WHERE indrelid = %s::regclass AND indisprimary AND attrelid = indrelid AND attnum = key.number ORDER BY place"""


@dataclass(frozen=True, slots=True)
class PostgresDialect:
    has_row_comparison = True

    def quoted(self, name: str) -> str:
        return self.literal('"' + name.replace('"', '""') + '"')

    def literal(self, sql: str) -> str:
        return sql.replace("%", "%%")

    def parameter(self, number: int, column: TableColumn) -> str:
        return f"%s::{self.literal(column.type)}"

    def text(self, expression: str, column: TableColumn) -> str:
        return f"({expression})::text"

    def finite(self, expression: str, column: TableColumn) -> str:
        return f"isfinite({expression})" if column.type in _WITH_INFINITY else ""


_DIALECT = PostgresDialect()


class PostgresDatabase:
    """One connection, opened when it is needed and again after it was lost."""

    def __init__(self, url: DatabaseUrl, *, timeout: float) -> None:
        """`timeout` is how long one statement may take, in seconds."""
        self._url = url
        self._timeout = timeout
        self._connection: psycopg.Connection[Any] | None = None

    def columns(self, relation: Relation) -> tuple[TableColumn, ...]:
        with self._transaction() as cursor:
            if relation.table:
                found = cursor.execute(_COLUMNS, [table_sql(_DIALECT, relation).replace("%%", "%")]).fetchall()
                return tuple(_column(*column) for column in found)
            cursor.execute(_query(f"SELECT * FROM {source_sql(_DIALECT, relation)} LIMIT 0"), [])
            described = [(column.name, column.type_code) for column in cursor.description or ()]
            kinds = dict(
                cursor.execute(
                    "SELECT oid, format_type(oid, -1) FROM pg_type WHERE oid = ANY(%s)",
                    [[code for _, code in described]],
                ).fetchall()
            )
            return tuple(_column(name, kinds[code]) for name, code in described)

    def primary_key(self, relation: Relation) -> tuple[str, ...]:
        with self._transaction() as cursor:
            rows = cursor.execute(_PRIMARY_KEY, [table_sql(_DIALECT, relation).replace("%%", "%")]).fetchall()
        return tuple(name for (name,) in rows)

    def highest(self, keyset: Keyset) -> CursorValues | None:
        statement = KeysetSql(_DIALECT, keyset)
        clock = _clock(keyset)
        rows = self._rows(statement, statement.highest(f"{statement.first()} <= {clock}" if clock else ""))
        return tuple(rows[0]) if rows else None

    def earlier(self, keyset: Keyset, value: str, overlap: float) -> str | None:
        first = keyset.cursor[0]
        if first.type not in _NUMBERS and first.type not in _CLOCK:
            return None
        statement = KeysetSql(_DIALECT, keyset)
        given = statement.value(first, value)
        less = f"%s::{'numeric' if first.type in _NUMBERS else 'interval'}"
        amount = format(Decimal(repr(overlap)), "f")
        statement.parameters.append((amount if first.type in _NUMBERS else f"{amount} seconds", first))
        # A date less some minutes is a time of the day before, and that day's rows are read again.
        (found,) = self._rows(statement, f"SELECT ({given} - {less})::{first.type}::text")
        return str(found[0])

    @contextmanager
    def page(self, keyset: Keyset, rows: RowRange, limit: int) -> Iterator[Iterator[DatabaseRow]]:
        statement = KeysetSql(_DIALECT, keyset)
        text = statement.page(rows, limit)
        width = len(keyset.cursor)
        with self._transaction() as cursor:
            found = cursor.stream(_query(text), _values(statement), size=_FETCHED_AT_ONCE)
            try:
                yield (DatabaseRow(row[:width], row[width:]) for row in found)
            finally:
                cast(Any, found).close()

    def unread(self, keyset: Keyset) -> UnreadRows:
        statement = KeysetSql(_DIALECT, keyset)
        first = statement.first()
        clock = _clock(keyset)
        conditions = (
            statement.is_null(),
            f"NOT isfinite({first})" if clock else "",
            f"isfinite({first}) AND {first} > {clock}" if clock else "",
        )
        counts = [
            self._rows(statement, statement.count(condition))[0][0] if condition else 0 for condition in conditions
        ]
        return UnreadRows(null=counts[0], infinite=counts[1], future=counts[2])

    def sorts(self, keyset: Keyset, rows: RowRange) -> bool:
        statement = KeysetSql(_DIALECT, keyset)
        plan = self._plan(statement, statement.page(rows, 2000))
        return any(node["Node Type"] == "Sort" and node["Plan Rows"] > _MANY_ROWS for node in _nodes(plan))

    def estimate(self, keyset: Keyset, rows: RowRange) -> int | None:
        statement = KeysetSql(_DIALECT, keyset)
        return int(self._plan(statement, statement.about_in_range(rows))["Plan Rows"])

    def shown(self, value: str) -> str:
        return value

    def close(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _plan(self, statement: KeysetSql, text: str) -> dict[str, Any]:
        (row,) = self._rows(statement, f"EXPLAIN (FORMAT JSON) {text}")
        return cast(dict[str, Any], row[0][0]["Plan"])

    def _rows(self, statement: KeysetSql, text: str) -> Sequence[Sequence[Any]]:
        with self._transaction() as cursor:
            return cursor.execute(_query(text), _values(statement)).fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Cursor[Any]]:
        """A transaction that can only read; the settings hold for it alone, as poolers of connections need."""
        try:
            connection = self._opened()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(_SETTINGS, [str(round(self._timeout * 1000))])
                    yield cursor
            finally:
                if not connection.closed:
                    connection.rollback()
        except psycopg.Error as error:
            raise self._failure(error) from None

    def _failure(self, error: psycopg.Error) -> ConnectionLost | SourceFailed:
        said = self._url.without_secrets(error.diag.message_primary or reason(str(error)))
        if self._connection is None:
            message = f"cannot connect to {self._url.host}: {said}"
            return SourceFailed(message) if any(why in said for why in _REFUSED) else ConnectionLost(message)
        if self._connection.broken or (error.sqlstate or "").startswith(_PASSING):
            self.close()
            return ConnectionLost(f"the connection to {self._url.host} was lost: {said}")
        return SourceFailed(_said(error, said, self._url.user, self._timeout))

    def _opened(self) -> psycopg.Connection[Any]:
        if self._connection is None or self._connection.closed:
            self._connection = None
            try:
                connection = psycopg.connect(self._url.text, **cast(Any, _CONNECTION))
            except psycopg.ProgrammingError:
                raise SourceFailed("the url is not one of PostgreSQL: write postgresql://user@host/name") from None
            connection.read_only = True
            # A prepared statement would be unknown to the next server behind a pooler.
            connection.prepare_threshold = None
            register_loaders(connection)
            self._connection = connection
        return self._connection


def _column(name: str, kind: str, is_nullable: bool = True) -> TableColumn:
    return TableColumn(name=name, type=_WIDER.get(kind, kind), is_nullable=is_nullable)


def _query(text: str) -> sql.SQL:
    return sql.SQL(cast(Any, text))


def _values(statement: KeysetSql) -> list[str]:
    return [value for value, _ in statement.parameters]


def _clock(keyset: Keyset) -> str:
    zone = str(keyset.zone)
    return _CLOCK.get(keyset.cursor[0].type, "").format(zone="'" + zone.replace("'", "''") + "'")


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)


def _said(error: psycopg.Error, said: str, user: str, timeout: float) -> str:
    """Why the database refused, in one sentence."""
    state = error.sqlstate or ""
    if state == "42501":
        return f"{said}: grant {user or 'the user'} to read it (GRANT SELECT, and GRANT USAGE of its schema)"
    if state in ("42P01", "3F000"):
        return f"{said}: check the name, and write its schema, as in web.identifies"
    if state == "57014":
        return f"a statement took longer than {timeout:g} seconds: an index on the cursor's columns helps"
    if state == "25006":
        return f"{said}: sfmap only reads"
    if state == "42883":
        return f"{said}: choose columns for the cursor that can be ordered"
    if state == "42601":
        return f"the query is not valid SQL: {said}"
    return said
