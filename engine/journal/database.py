"""A SQLite database of the project, the journal first of all, which survives kills and power cuts."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 2
_BUSY_SECONDS = 5

_TABLES = """\
CREATE TABLE sources (
    org TEXT, source TEXT, beginning TEXT, number INTEGER, file INTEGER, offset INTEGER, line INTEGER,
    results TEXT, results_size INTEGER, finished INTEGER, PRIMARY KEY (org, source)
) WITHOUT ROWID;
CREATE TABLE decided (
    org TEXT, source TEXT, event INTEGER, mapping TEXT, item INTEGER, outcome BLOB,
    PRIMARY KEY (org, source, event, mapping, item)
) WITHOUT ROWID;
CREATE TABLE held (
    id INTEGER PRIMARY KEY, org TEXT, source TEXT, event INTEGER, file TEXT, line INTEGER, mapping TEXT,
    item INTEGER, raw BLOB
);
CREATE TABLE in_flight (id INTEGER PRIMARY KEY, org TEXT, source TEXT, until REAL, traces BLOB, records BLOB);
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY, org TEXT, digest BLOB, event INTEGER, file TEXT, line INTEGER, mapping TEXT,
    item INTEGER, object TEXT, reason TEXT, attempts INTEGER, first TEXT, last TEXT, raw BLOB, UNIQUE (org, digest)
);
CREATE TABLE delivered (day INTEGER, message BLOB, PRIMARY KEY (day, message)) WITHOUT ROWID;
CREATE TABLE newest (org TEXT, identity BLOB, moment TEXT, PRIMARY KEY (org, identity)) WITHOUT ROWID;
CREATE TABLE calls (org TEXT, day TEXT, calls INTEGER, PRIMARY KEY (org, day)) WITHOUT ROWID;
"""


class JournalFailed(Exception):
    """A journal that cannot be used; the message says why and what to do."""


class Database:
    """One connection that threads share."""

    def __init__(self, path: Path | None, tables: str = _TABLES) -> None:
        """Opens the file, or a journal in memory for who needs none. Raises `JournalFailed`."""
        self._tables = tables
        self._name = str(path or "the journal")
        self._lock = threading.RLock()
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
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
            self._prepare()

    def close(self) -> None:
        with self._lock, self._explained():
            self._connection.close()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, on disk when it ends. Raises `JournalFailed`."""
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # SQLite itself rolls back where the disk is full
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._connection.executescript(f"BEGIN;\n{self._tables}PRAGMA user_version = {VERSION};\nCOMMIT;")
        elif version != VERSION:
            raise JournalFailed(
                f"{self._name} was written by another version of sfmap. Finish its run with that one, or move the"
                " file away to begin anew."
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: sqlite3.Error) -> JournalFailed:
        said = str(error)
        if "full" in said:
            return JournalFailed(f"the disk is full: {self._name} cannot be written. Make room and run again.")
        if "readonly" in said or "unable to open" in said:
            return JournalFailed(f"{self._name} cannot be written: its folder or file is read-only.")
        if "locked" in said:
            return JournalFailed(f"{self._name} is held by another program; end it, and run again.")
        if isinstance(error, sqlite3.DatabaseError) and ("malformed" in said or "not a database" in said):
            return JournalFailed(
                f"{self._name} is damaged ({said}). Move it away and run again from the start: what is in the org"
                " already is found and updated. Its dead letters are in it alone, and sqlite3's .recover may save"
                " them."
            )
        return JournalFailed(f"{self._name} cannot be used: {said}.")
