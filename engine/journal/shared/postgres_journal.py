"""The journal's connection to PostgreSQL, opened when it is needed and again after it was lost."""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any, cast

import psycopg

from sfmap.engine.journal.database import JournalFailed, JournalOutOfReach, JournalTime, Rows, Tenure, Transaction
from sfmap.engine.sources.queries.database_url import DatabaseUrl, reason

_CONNECTION = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_PASSING = ("40", "53", "55P03", "57")
"""The SQLSTATEs of what may pass: conflicts between transactions, resources, locks, shutdown."""
_NOW = "SELECT extract(epoch FROM clock_timestamp())::float8"
_ERA = "the database"
_DURABLE = """\
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"""

_ENDS_AFTER = "SET idle_in_transaction_session_timeout = '5s'"
"""The database ends the transaction of a process that hangs in it: others wait for its locks."""


class PostgresJournal:
    """Implements `Database`. Thread-safe: transactions follow one another on one connection."""

    tenure = Tenure()

    def __init__(self, url: DatabaseUrl, node: str) -> None:
        """`node` is the name of this process in the list of the database's sessions."""
        self._url = url
        self._node = node
        self._lock = threading.RLock()
        self._connection: psycopg.Connection[Any] | None = None

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock:
            was_open = self._connection is not None
            try:
                return self._rows(query, values)
            except JournalOutOfReach:
                if not was_open:
                    raise
            return self._rows(query, values)  # the connection had been lost since it was last used

    def _rows(self, query: str, values: Sequence[object]) -> list[tuple[object, ...]]:
        with self._explained():
            return self._opened().execute(translated(query), cleaned(values)).fetchall()

    @contextmanager
    def transaction(self, *, is_durable: bool = True) -> Iterator[Transaction]:
        """A durable transaction in any case: the database may stop while the process that uses it goes on."""
        with self._lock, self._explained(), self._begun() as connection:
            yield _Translating(connection)

    def moment(self) -> JournalTime:
        return JournalTime(_ERA, cast(float, self.rows(_NOW)[0][0]))

    @contextmanager
    def _begun(self) -> Iterator[psycopg.Connection[Any]]:
        """A transaction, on a new connection if the last one has been lost since it was last used."""
        was_open = self._connection is not None
        with ExitStack() as stack:
            try:
                stack.enter_context(self._opened().transaction())
            except psycopg.OperationalError:
                if not was_open:
                    raise
                self.close()
                stack.enter_context(self._opened().transaction())
            yield self._opened()

    def _opened(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = connect(self._url, f"sfmap {self._node}")
        return self._connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            is_lost = self._connection is None or self._connection.closed or self._connection.broken
            if is_lost:
                self.close()
            raise journal_failure(self._url, error, is_lost=is_lost) from None


class _Translating:
    """A transaction that takes SQL as the journal writes it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, query: str, values: Sequence[object] = (), /) -> Rows:
        return self._connection.execute(translated(query), cleaned(values))

    def executemany(self, query: str, values: Iterable[Sequence[object]], /) -> None:
        rows = [cleaned(row) for row in values]
        if rows:
            with self._connection.cursor() as cursor:
                cursor.executemany(translated(query), rows)


def connect(url: DatabaseUrl, name: str) -> psycopg.Connection[Any]:
    """A connection of which every change is durable when its transaction ends. Raises `psycopg.Error`."""
    connection = psycopg.connect(url.text, autocommit=True, application_name=name[:63], **cast(Any, _CONNECTION))
    connection.execute(_DURABLE)
    connection.execute(_ENDS_AFTER)
    return connection


@cache
def translated(query: str) -> bytes:
    """The query with its values marked as psycopg expects."""
    return query.replace("%", "%%").replace("?", "%s").encode()


def cleaned(values: Sequence[object]) -> list[object]:
    """The values as PostgreSQL can store them: its texts cannot contain the character with the code 0."""
    return [value.replace("\0", "\ufffd") if isinstance(value, str) else value for value in values]


def journal_failure(url: DatabaseUrl, error: psycopg.Error, *, is_lost: bool) -> JournalFailed:
    """Says why the journal cannot be used, without secrets of its URL."""
    said = url.without_secrets(error.diag.message_primary or reason(str(error)))
    where = f"the journal in PostgreSQL at {url.host}"
    if is_lost:
        return JournalOutOfReach(f"{where} cannot be reached: {said}")
    if (error.sqlstate or "").startswith(_PASSING):
        return JournalOutOfReach(f"{where} cannot be used now: {said}")
    return JournalFailed(f"{where} cannot be used: {said}")
