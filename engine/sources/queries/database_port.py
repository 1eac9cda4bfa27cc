"""What a query source needs of a database: pages of rows in the order of a cursor."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple, Protocol

CursorValues = tuple[str, ...]
"""The values of the cursor's columns, each as text from which the database finds exactly that value again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or a query."""

    table: str = ""
    """The name of the table, also with its schema: `web.identifies`."""
    query: str = ""

    @property
    def shown(self) -> str:
        """How messages name it."""
        return self.table or "the query"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumn:
    name: str
    type: str = ""
    """The type as the database names it; empty if it needs none."""
    is_nullable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """The rows of a relation in the order of its cursor."""

    relation: Relation
    cursor: tuple[TableColumn, ...]
    zone: tzinfo
    """The time zone of times that do not say theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowRange:
    """The part of a keyset that is read."""

    low: str | None = None
    """The lowest value of the cursor's first column; None for all."""
    after: CursorValues | None = None
    """The last row that was read."""
    last: CursorValues
    """The last row to read."""


class DatabaseRow(NamedTuple):
    cursor: CursorValues
    values: Sequence[object]
    """In the order of the relation's columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadRows:
    """How many rows have a value in the cursor by which they are not found."""

    null: int = 0
    infinite: int = 0
    future: int = 0
    """Later than the database's clock: they are read when their time has come."""


class ConnectionLost(Exception):
    """The database may answer again after a while; the message says what happened."""


class QueryDatabase(Protocol):
    """A database. Each method is a transaction of its own that only reads.

    Every method may raise `ConnectionLost` or `SourceFailed`.
    """

    def columns(self, relation: Relation) -> tuple[TableColumn, ...]:
        """Its columns in order."""

    def primary_key(self, relation: Relation) -> tuple[str, ...]:
        """The columns of the table's primary key; empty if it has none."""

    def highest(self, keyset: Keyset) -> CursorValues | None:
        """The last row that is not later than the database's clock; None if there is none."""

    def earlier(self, keyset: Keyset, value: str, overlap: float) -> str | None:
        """The value of the first column, less the overlap: seconds of a time; None if it cannot be computed."""

    def page(self, keyset: Keyset, rows: RowRange, limit: int) -> AbstractContextManager[Iterator[DatabaseRow]]:
        """The first rows of the range; the transaction ends with the context."""

    def unread(self, keyset: Keyset) -> UnreadRows:
        """The rows that the cursor does not find."""

    def sorts(self, keyset: Keyset, rows: RowRange) -> bool:
        """Whether the database sorts many rows for each page because no index has the order."""

    def estimate(self, keyset: Keyset, rows: RowRange) -> int | None:
        """About how many rows the range has; None if that is not known cheaply."""

    def shown(self, value: str) -> str:
        """A value of a cursor as messages show it."""

    def close(self) -> None:
        """Ends the connection."""
