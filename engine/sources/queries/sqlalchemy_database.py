"""Reads the databases for which SQLAlchemy has a dialect, such as MySQL, Snowflake, BigQuery and Redshift."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

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
from sfmap.engine.sources.queries.database_url import DatabaseUrl, reason
from sfmap.engine.sources.queries.keyset_sql import KeysetSql, source_sql
from sfmap.engine.sources.queries.machine_clock import earlier_value, highest_row, unread_rows

_WITHOUT_LIMIT = {"mssql": "SQL Server", "oracle": "Oracle"}
_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET TRANSACTION READ ONLY",
    "mariadb": "SET TRANSACTION READ ONLY",
}
"""By dialect, how a transaction is told to read only, where that can be said."""
_FETCHED_AT_ONCE = 50


class AnyDialect:
    """Writes names as the dialect of SQLAlchemy does."""

    has_row_comparison = False

    def __init__(self, dialect: Dialect) -> None:
        self._prepare = dialect.identifier_preparer

    def quoted(self, name: str) -> str:
        return self.literal(self._prepare.quote(name))

    def literal(self, sql: str) -> str:
        return sql.replace(":", "\\:")

    def parameter(self, number: int, column: TableColumn) -> str:
        return f":p{number}"

    def text(self, expression: str, column: TableColumn) -> str:
        return expression

    def finite(self, expression: str, column: TableColumn) -> str:
        return ""


class SqlalchemyDatabase:
    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        try:
            self._engine = sqlalchemy.create_engine(url.text, pool_size=1, max_overflow=0, pool_pre_ping=False)
        except NoSuchModuleError:
            raise SourceFailed(f"SQLAlchemy knows no {url.scheme}: install its dialect with pip") from None
        except ImportError as error:
            raise SourceFailed(f"{url.scheme} needs the package {error.name}: install it with pip") from None
        except (ArgumentError, ValueError):
            raise SourceFailed("the url is not one of SQLAlchemy: write dialect://user@host/name") from None
        if other := _WITHOUT_LIMIT.get(self._engine.dialect.name):
            raise SourceFailed(f"{other} cannot be read yet: export the table, and read the file")
        self._dialect = AnyDialect(self._engine.dialect)

    def columns(self, relation: Relation) -> tuple[TableColumn, ...]:
        with self._reading() as connection:
            found = connection.execute(_text(f"SELECT * FROM {source_sql(self._dialect, relation)} WHERE 1 = 0"))
            names = list(found.keys())
            never_null: set[str] = set()
            if relation.table:
                table, schema = _table(relation)
                described = sqlalchemy.inspect(connection).get_columns(table, schema)
                never_null = {column["name"] for column in described if not column["nullable"]}
        return tuple(TableColumn(name=name, is_nullable=name not in never_null) for name in names)

    def primary_key(self, relation: Relation) -> tuple[str, ...]:
        table, schema = _table(relation)
        with self._reading() as connection:
            return tuple(sqlalchemy.inspect(connection).get_pk_constraint(table, schema)["constrained_columns"])

    def highest(self, keyset: Keyset) -> CursorValues | None:
        row = highest_row(KeysetSql(self._dialect, keyset), self._row)
        if row is None:
            return None
        found = all_as_text(row)
        self._check_that_exactly(keyset, found)
        return found

    def earlier(self, keyset: Keyset, value: str, overlap: float) -> str | None:
        return earlier_value(value, overlap)

    @contextmanager
    def page(self, keyset: Keyset, rows: RowRange, limit: int) -> Iterator[Iterator[DatabaseRow]]:
        statement = KeysetSql(self._dialect, keyset)
        text = statement.page(rows, limit)
        width = len(keyset.cursor)
        with self._reading() as connection:
            reading = connection.execution_options(stream_results=True, max_row_buffer=_FETCHED_AT_ONCE)
            found = reading.execute(_text(text), _values(statement))
            try:
                yield (DatabaseRow(all_as_text(row[:width]), row[width:]) for row in found)
            finally:
                found.close()

    def unread(self, keyset: Keyset) -> UnreadRows:
        return unread_rows(KeysetSql(self._dialect, keyset), self._row)

    def sorts(self, keyset: Keyset, rows: RowRange) -> bool:
        return False

    def estimate(self, keyset: Keyset, rows: RowRange) -> int | None:
        return None

    def shown(self, value: str) -> str:
        return shown(value)

    def close(self) -> None:
        self._engine.dispose()

    def _check_that_exactly(self, keyset: Keyset, last: CursorValues) -> None:
        """Refuses values that Python cuts, such as nanoseconds: a page could not begin after them."""
        statement = KeysetSql(self._dialect, keyset)
        if self._row(statement, statement.in_range(RowRange(after=None, low=last[0], last=last), "1")) is None:
            names = ", ".join(column.name for column in keyset.cursor)
            raise SourceFailed(
                f"the values of {names} are finer than Python holds: write a query that rounds to microseconds"
            )

    def _row(self, statement: KeysetSql, text: str) -> Sequence[Any] | None:
        with self._reading() as connection:
            return connection.execute(_text(text), _values(statement)).first()

    @contextmanager
    def _reading(self) -> Iterator[sqlalchemy.Connection]:
        """A transaction that is always rolled back."""
        try:
            with self._engine.connect() as connection:
                if set_read_only := _READ_ONLY.get(self._engine.dialect.name):
                    connection.exec_driver_sql(set_read_only)
                yield connection
        except NoSuchTableError as error:
            raise SourceFailed(f"there is no table {error}") from None
        except DBAPIError as error:
            said = self._url.without_secrets(reason(str(error.orig)))
            if error.connection_invalidated:
                raise ConnectionLost(said) from None
            raise SourceFailed(said) from None
        except SQLAlchemyError as error:
            raise SourceFailed(self._url.without_secrets(str(error).splitlines()[0])) from None


def _text(sql: str) -> sqlalchemy.TextClause:
    return sqlalchemy.text(sql)


def _table(relation: Relation) -> tuple[str, str | None]:
    schema, _, table = relation.table.rpartition(".")
    return table, schema or None


def _values(statement: KeysetSql) -> dict[str, Any]:
    return {f"p{number}": from_text(value) for number, (value, _) in enumerate(statement.parameters)}
