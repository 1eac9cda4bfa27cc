"""The project's SQLite databases, such as the journal, which survive kills and power cuts."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.files.private_files import private_database, private_folder

_BUSY_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of a database, and the advice for a database that cannot be opened."""

    tables: str
    version: int
    if_other_version: str
    if_damaged: str


_COUNTED = """\
    INSERT INTO dead_letter_room VALUES (new.file, 1, length(new.raw) + length(CAST(new.reason AS BLOB)))
    ON CONFLICT (file) DO UPDATE SET letters = letters + 1, bytes = bytes + excluded.bytes;
"""
"""Triggers count dead letters: other programs change them too, and counting must not read each one."""
_UNCOUNTED = """\
    UPDATE dead_letter_room SET letters = letters - 1,
        bytes = bytes - length(old.raw) - length(CAST(old.reason AS BLOB))
    WHERE file = old.file;
"""
_TABLES = """\
CREATE TABLE sources (
    org TEXT, source TEXT, number INTEGER, file INTEGER, offset INTEGER, line INTEGER, digest BLOB,
    cursor TEXT, results TEXT, results_size INTEGER, tally BLOB, finished INTEGER, PRIMARY KEY (org, source)
) WITHOUT ROWID;
CREATE TABLE files (
    org TEXT, source TEXT, name TEXT, place INTEGER, version TEXT, PRIMARY KEY (org, source, name, place)
) WITHOUT ROWID;
CREATE TABLE decided (
    org TEXT, source TEXT, event INTEGER, digest TEXT, mapping TEXT, item INTEGER, day INTEGER,
    outcome BLOB, PRIMARY KEY (org, source, event, digest, mapping, item)
) WITHOUT ROWID;
CREATE TABLE held (
    id INTEGER PRIMARY KEY, org TEXT, source TEXT, event INTEGER, digest TEXT, mapping TEXT, item INTEGER,
    file TEXT, line INTEGER, raw BLOB
);
CREATE TABLE in_flight (
    id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT, day INTEGER, boot TEXT, until REAL, traces BLOB
);
CREATE TABLE sent (
    org TEXT, source TEXT, event INTEGER, digest TEXT, mapping TEXT, item INTEGER, in_flight INTEGER,
    position INTEGER, verb TEXT, record TEXT, known BLOB,
    PRIMARY KEY (org, source, event, digest, mapping, item)
) WITHOUT ROWID;
CREATE INDEX sent_in_flight ON sent (in_flight);
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, org TEXT, digest BLOB, event INTEGER, file TEXT, line INTEGER,
    mapping TEXT, item INTEGER, object TEXT, reason TEXT, attempts INTEGER, first TEXT, last TEXT, raw BLOB,
    UNIQUE (org, digest)
);
CREATE TABLE dead_letter_room (file TEXT PRIMARY KEY, letters INTEGER, bytes INTEGER) WITHOUT ROWID;
CREATE TRIGGER letter_comes AFTER INSERT ON dead_letters BEGIN {counted} END;
CREATE TRIGGER letter_goes AFTER DELETE ON dead_letters BEGIN {uncounted} END;
CREATE TRIGGER letter_changes AFTER UPDATE ON dead_letters BEGIN {uncounted} {counted} END;
CREATE TABLE organizations (entry TEXT PRIMARY KEY, organization TEXT) WITHOUT ROWID;
CREATE TABLE delivered (day INTEGER, message BLOB, PRIMARY KEY (day, message)) WITHOUT ROWID;
CREATE TABLE newest (org TEXT, identity BLOB, moment TEXT, PRIMARY KEY (org, identity)) WITHOUT ROWID;
"""

JOURNAL = Layout(
    _TABLES.format(counted=_COUNTED, uncounted=_UNCOUNTED),
    version=6,
    if_other_version="Finish its run with that version: what waits, is in doubt or is a dead letter is only here.",
    if_damaged="Move it away and run again from the start: records already in the org are found and updated."
    " Its dead letters are only in this file; sqlite3's .recover may save them.",
)


class JournalFailed(SfmapError):
    """A journal that cannot be used; the message says why and what to do."""


class Database:
    """A connection to a SQLite database. Thread-safe."""

    def __init__(self, path: Path | None, layout: Layout = JOURNAL) -> None:
        """Opens the file, or a database in memory if there is no path. Raises `JournalFailed`."""
        self._layout = layout
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
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA fullfsync = ON")  # otherwise macOS leaves writes in the disk's cache
            self._prepare()

    def close(self) -> None:
        with self._lock, self._explained():
            self._connection.close()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all or nothing, and on disk when it ends. Raises `JournalFailed`."""
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back if the disk is full
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _prepare(self) -> None:
        layout = self._layout
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            making = f"BEGIN;\n{layout.tables}PRAGMA user_version = {layout.version};\nCOMMIT;"
            self._connection.executescript(making)
        elif version != layout.version:
            raise JournalFailed(f"{self._name} was written by another version of sfmap. {layout.if_other_version}")

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
            return JournalFailed(f"{self._name} is damaged ({said}). {self._layout.if_damaged}")
        return JournalFailed(f"{self._name} cannot be used: {said}.")
