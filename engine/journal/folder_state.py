"""The state of a project in its own folder: SQLite files that one process at a time delivers from."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.journal.database import Database, JournalFailed, Tenure
from sfmap.engine.journal.history_file import history_database, set_aside
from sfmap.engine.journal.journal_layout import JOURNAL
from sfmap.engine.journal.ledger import highest_number
from sfmap.engine.journal.lock import only_run
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.journal.spool_file import SpoolFile
from sfmap.engine.journal.sqlite_file import SqliteFile

_BEGUN = """\
INSERT INTO leases (org, part, epoch) VALUES (?, ?, 1)
ON CONFLICT (org, part) DO UPDATE SET epoch = epoch + 1 RETURNING epoch"""
_ENDED = "UPDATE leases SET epoch = epoch + 1 WHERE org = ? AND part = coalesce(?, part)"


@dataclass(frozen=True, slots=True)
class FolderLease:
    """Follows from the lock of the folder."""

    database: Database

    def is_wanted(self) -> bool:
        return False


class FolderState:
    """The files `journal.db` and `spool.db` of a folder."""

    def __init__(self, folder: Path) -> None:
        """The journal is opened when it is first used, which may raise `JournalFailed`."""
        self._folder = folder
        self._journal: SqliteFile | None = None
        self._parts = 0
        """How many parts of an org's events are being delivered."""

    @property
    def journal(self) -> SqliteFile:
        if self._journal is None:
            self._journal = journal_file(self._folder / "journal.db")
        return self._journal

    def close(self) -> None:
        if self._journal is not None:
            self._journal.close()

    def deliver_alone(self, command: str) -> AbstractContextManager[None]:
        return only_run(self._folder, command)

    @contextmanager
    def lease(
        self,
        org: str,
        command: str,
        *,
        part: str = "",
        gives_way: bool = False,
        wait: Callable[[], object] | None = None,
    ) -> Iterator[FolderLease]:
        if not self._parts:  # no other process can have one
            self._end_tenures(org)
        if not part:
            yield FolderLease(self.journal)
            return
        tenure = self._begin_tenure(org, part)
        self._parts += 1
        try:
            yield FolderLease(self.journal.under(tenure))
        finally:
            self._parts -= 1
            with suppress(JournalFailed):  # the next process ends it
                self._end_tenures(org, part)

    def _begin_tenure(self, org: str, part: str) -> Tenure:
        with self.journal.transaction() as connection:
            row = connection.execute(_BEGUN, (org, part)).fetchone()
            return Tenure(part, epoch=row[0])

    def _end_tenures(self, org: str, part: str | None = None) -> None:
        """Has the unanswered writes of a part, or of all, count as in doubt."""
        with self.journal.transaction() as connection:
            connection.execute(_ENDED, (org, part))

    def check_leases(self) -> None:
        """A lock of a folder lasts as long as the process."""

    def open_history(self) -> Database:
        return history_database(self._folder)

    def set_history_aside(self) -> str:
        return set_aside(self._folder).name

    def nodes(self, _org_entry: str) -> Nodes | None:
        return None

    def spool(self, _org_entry: str, bounds: Bounds) -> AbstractContextManager[Spool]:
        path = self._folder / "spool.db"
        return closing(SpoolFile(path, bounds, highest_number(self.journal, SpoolFile.name)))


def journal_file(path: Path | None) -> SqliteFile:
    """The journal in a file, or one in memory. Raises `JournalFailed`."""
    return SqliteFile(path, JOURNAL)
