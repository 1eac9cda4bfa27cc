"""What the journal needs of a database. Its SQL is written once, in what SQLite and PostgreSQL have in common."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

from sfmap.engine.errors import ExitCode, SfmapError


class JournalFailed(SfmapError):
    """A journal that cannot be used; the message says why and what to do."""


class JournalOutOfReach(JournalFailed):
    """A journal on another machine that does not answer for now; a later try may succeed."""

    exit_code = ExitCode.NOT_FINISHED


class JournalUnreadable(JournalFailed):
    """A file that is damaged, or was written by another version."""


class JournalTime(NamedTuple):
    """A time by a clock that a user of this machine cannot set."""

    era: str
    """What the seconds count from. Times of two eras cannot be compared; nor can any if it is empty."""
    seconds: float


class Tenure(NamedTuple):
    """What a process delivers under, where several share a journal."""

    part: str = ""
    """The part of the org's events that it delivers; empty for all."""
    epoch: int = 0
    """How often the right to deliver that part was given."""
    slack: float = 0.0
    """Seconds that may pass between noting a write and sending it."""


class Rows(Protocol):
    """The result of a statement."""

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


class Transaction(Protocol):
    """Statements that take effect together. Values stand as `?` in the SQL."""

    def execute(self, query: str, values: Sequence[object] = (), /) -> Rows: ...

    def executemany(self, query: str, values: Iterable[Sequence[object]], /) -> object: ...


class Database(Protocol):
    """A database of the journal or the spool. Thread-safe; every method may raise `JournalFailed`."""

    @property
    def tenure(self) -> Tenure: ...

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """The rows of a query."""

    def transaction(self, *, is_durable: bool = True) -> AbstractContextManager[Transaction]:
        """A transaction: all or nothing.

        One that has ended survives a kill of this process. A durable one survives a power cut, too, and so do
        all before it.
        """

    def moment(self) -> JournalTime:
        """The time now."""

    def close(self) -> None: ...


def replacing(table: str, key: str, others: str) -> str:
    """The statement that inserts a row, or replaces the one with the same key.

    `key` and `others` are columns, separated by commas, in the order of the values.
    """
    columns = [*key.split(", "), *others.split(", ")]
    changes = ", ".join(f"{column} = excluded.{column}" for column in others.split(", "))
    values = ", ".join("?" * len(columns))
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"  # noqa: S608 - our own names
        f" ON CONFLICT ({key}) DO UPDATE SET {changes}"
    )
