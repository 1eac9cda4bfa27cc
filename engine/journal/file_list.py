"""The files of a source in the journal: those of the current run in their order, and those delivered before."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sfmap.engine.journal.database import Database, Transaction, replacing
from sfmap.engine.sources.event_source import FileVersion

_DELIVERED = -1
"""The place of a file that an earlier run has delivered."""


class FileList(NamedTuple):
    """The files of one source for one org."""

    org: str
    source: str

    def of_run(self, database: Database) -> list[FileVersion]:
        """The files of the current run, in their order. Raises `JournalFailed`."""
        return self._rows(database, "place >= 0 ORDER BY place")

    def delivered(self, database: Database) -> list[FileVersion]:
        """The files that earlier runs have delivered. Raises `JournalFailed`."""
        return self._rows(database, f"place = {_DELIVERED}")

    def begin(
        self, connection: Transaction, files: Sequence[FileVersion], delivered: Sequence[FileVersion]
    ) -> None:
        """Sets the files of a new run and those delivered before, and forgets all others."""
        connection.execute("DELETE FROM files WHERE org = ? AND source = ?", self)
        self._add(connection, ((_DELIVERED, one) for one in delivered))
        self._add(connection, enumerate(files))

    def go_on(self, connection: Transaction, files: Sequence[FileVersion]) -> None:
        """Replaces the files of the current run."""
        connection.execute("DELETE FROM files WHERE org = ? AND source = ? AND place >= 0", self)
        self._add(connection, enumerate(files))

    def finish(self, connection: Transaction, before: int | None = None) -> None:
        """Counts the files of the run as delivered: all, or those before a place."""
        done = "org = ? AND source = ? AND place >= 0 AND place < coalesce(?, place + 1)"
        query = f"SELECT name, version FROM files WHERE {done} ORDER BY place"  # noqa: S608 - our own names
        files = [FileVersion(*row) for row in connection.execute(query, (*self, before)).fetchall()]
        connection.execute(f"DELETE FROM files WHERE {done}", (*self, before))  # noqa: S608
        self._add(connection, ((_DELIVERED, one) for one in files))

    def _add(self, connection: Transaction, placed: Iterable[tuple[int, FileVersion]]) -> None:
        connection.executemany(
            replacing("files", "org, source, name, place", "version"),
            ((*self, one.name, place, one.version) for place, one in placed),
        )

    def _rows(self, database: Database, condition: str) -> list[FileVersion]:
        rows = database.rows(
            f"SELECT name, version FROM files WHERE org = ? AND source = ? AND {condition}",  # noqa: S608
            *self,
        )
        return [FileVersion(str(name), str(version)) for name, version in rows]
