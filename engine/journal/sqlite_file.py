"""SQLite databases of a project, such as the journal, which survive kills and power cuts."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from sfmap.engine.files.private_files import private_database, private_file, private_folder
from sfmap.engine.journal.database import JournalFailed, JournalTime, JournalUnreadable, Tenure
from sfmap.engine.journal.uptime import boot, uptime

_BUSY_SECONDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The tables of a database, and the advice for a database that cannot be opened."""

    tables: str
    version: int
    upgrades: Mapping[int, str] = field(default_factory=dict)
    """By version, the statements that make it the next one."""
    if_other_version: str
    if_damaged: str
    is_durable: bool = True
    """Whether a transaction that has ended survives a power cut. The file does in any case."""


class SqliteFile:
    """A connection to a SQLite database. Thread-safe."""

    tenure = Tenure()

    def __init__(self, path: Path | None, layout: Layout) -> None:
        """Opens the file, or a database in memory if there is no path. Raises `JournalFailed`.

        A database of an earlier version is copied to a file beside it, and upgraded.
        """
        self.copy: Path | None = None
        """The file with the database as it was before it was upgraded."""
        self._layout = layout
        self._path = path
        self._name = str(path or "the journal")
        self._lock = threading.RLock()
        try:
            if path:
                private_folder(path.parent)
                private_database(path)
            self._connection = sqlite3.connect(
                path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except OSError as error:
            raise JournalFailed(f"cannot write into {path}: {error.strerror}.") from None
        except sqlite3.Error as error:
            raise self._failed(error) from None
        with self._explained():
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA fullfsync = ON")  # otherwise macOS leaves writes in the disk's cache
            self._prepare()

    def under(self, tenure: Tenure) -> "SqliteFile":
        """The same connection, for deliveries under this tenure."""
        found = copy(self)
        found.tenure = tenure
        return found

    def close(self) -> None:
        with self._lock, self._explained():
            self._connection.close()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self, *, is_durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction: all or nothing. A durable one is on disk when it ends. Raises `JournalFailed`."""
        with self._lock, self._explained():
            is_full = is_durable and self._layout.is_durable
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_full else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back if the disk is full
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def moment(self) -> JournalTime:
        """The uptime of this machine."""
        return JournalTime(boot(), uptime())

    def _prepare(self) -> None:
        """Creates the tables, or upgrades those of an earlier version."""
        if self._version() == self._layout.version:
            return
        with self.transaction() as connection:  # another process may just have done the same
            version = self._version()
            if version not in (0, self._layout.version, *self._layout.upgrades):
                raise JournalUnreadable(
                    f"{self._name} was written by another version of sfmap. {self._layout.if_other_version}"
                )
            if version in self._layout.upgrades:
                self._back_up(version)
            for changes in self._changes(version):
                for statement in _statements(changes):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {self._layout.version}")

    def _version(self) -> int:
        return int(self._connection.execute("PRAGMA user_version").fetchone()[0])

    def _changes(self, version: int) -> Iterator[str]:
        if version == 0:
            yield self._layout.tables
        else:
            yield from (self._layout.upgrades[step] for step in range(version, self._layout.version))

    def _back_up(self, version: int) -> None:
        """Copies the database as it is to a file beside it."""
        if self._path is None:
            return
        copy = self._path.with_name(f"{self._path.name}.version-{version}")
        private_file(copy)
        with closing(sqlite3.connect(copy)) as target, closing(sqlite3.connect(self._path)) as source:
            source.backup(target)
        self.copy = copy

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: sqlite3.Error) -> JournalFailed:
        said = str(error)
        if "full" in said:
            return JournalFailed(f"the disk is full: {self._name} cannot be written until there is room.")
        if "readonly" in said or "unable to open" in said:
            return JournalFailed(f"{self._name} cannot be written: its folder or file is read-only.")
        if "locked" in said:
            return JournalFailed(f"{self._name} is locked by another program; end it, and run again.")
        if isinstance(error, sqlite3.DatabaseError) and ("malformed" in said or "not a database" in said):
            return JournalUnreadable(f"{self._name} is damaged ({said}). {self._layout.if_damaged}")
        return JournalFailed(f"{self._name} cannot be used: {said}.")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, of which each line ends one or goes on with it."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
