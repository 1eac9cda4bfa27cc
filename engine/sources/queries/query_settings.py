"""The settings of a query source, and what of them can be checked without the database."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.queries.database_port import Relation

SET_BY_SENDERS = {"timestamp", "sent_at", "original_timestamp"}
"""The columns of event tables whose time comes from the clock of the sender."""
_INSTEAD = ("received_at", "uuid_ts", "updated_at")
"""The columns whose time comes from the receiver or the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySettings:
    url: str = field(repr=False)
    """With its password."""
    table: str = ""
    query: str = ""
    """Instead of a table."""
    cursor: tuple[str, ...] = ()
    """The columns that order the rows: the first may repeat, the last makes it unique.

    Empty for a table that is read as a whole each time.
    """
    overlap: float = 900.0
    """How far before the end of the last run the next one begins: seconds of a time, or units of a number."""
    cursor_is_set_by_database: bool = False
    """Whether a column such as `timestamp` is allowed as first column of the cursor."""
    zone: tzinfo = UTC
    """The time zone of times that do not say theirs."""
    timeout: float = 300.0
    """How long one statement may take, in seconds; only for PostgreSQL."""

    @property
    def relation(self) -> Relation:
        return Relation(table=self.table, query=self.query)

    @property
    def relation_digest(self) -> str:
        """What changes with the table or query, but not with the password."""
        return hashlib.blake2b(f"{self.table}\n{self.query}".encode(), digest_size=8).hexdigest()

    def check(self) -> None:
        """Raises `SourceFailed` for settings by which rows would be lost."""
        if bool(self.table) == bool(self.query):
            raise SourceFailed("write either table or query")
        if self.query and not self.cursor:
            raise SourceFailed(
                "a query needs its cursor, such as cursor: [updated_at, id]:"
                " the columns that order its rows, of which the first may repeat and the last makes it unique"
            )
        if len(set(self.cursor)) < len(self.cursor):
            raise SourceFailed("cursor names a column twice")

    def check_clock(self, columns: tuple[str, ...]) -> None:
        """Refuses times that senders set: rows may come with one long past. Raises `SourceFailed`."""
        first = self.cursor[0].lower() if self.cursor else ""
        if first not in SET_BY_SENDERS or self.cursor_is_set_by_database:
            return
        there = [column for column in columns if column.lower() in _INSTEAD]
        instead = there[0] if there else f"one that the database sets, such as {', '.join(_INSTEAD)}"
        raise SourceFailed(
            f"cursor: {self.cursor[0]} is usually set by the clock of the sender, so rows that come late would be"
            f" missed: use {instead}; if the database sets it, write cursor_is_set_by_database: true"
        )
