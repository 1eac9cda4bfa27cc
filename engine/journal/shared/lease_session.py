"""The session of PostgreSQL that holds the leases of a process, kept alive by heartbeats."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from sfmap.engine.journal.project_state import LeaseLost
from sfmap.engine.journal.shared.postgres_journal import connect, journal_failure
from sfmap.engine.journal.uptime import uptime
from sfmap.engine.sources.queries.database_url import DatabaseUrl

_BEATS_IN_A_LEASE = 5
_LOCK_WAIT = "500ms"
_WAITING = """\
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objsubid = 1
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint) = %s)"""


class LeaseSession:
    """Advisory locks on a connection of its own. Thread-safe."""

    lasts = 10.0
    """Seconds after the last heartbeat in which calls may still be sent."""
    ends_after = 15.0
    """Seconds without a heartbeat after which the database ends the session, and so frees its locks."""

    def __init__(self, url: DatabaseUrl, node: str) -> None:
        """Raises `JournalFailed`."""
        self._url = url
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._is_lost = False
        began = uptime()
        try:
            self._connection = connect(url, f"sfmap {node} leases")
            self._connection.execute(f"SET idle_session_timeout = '{self.ends_after * 1000:.0f}ms'")
            self._connection.execute(f"SET lock_timeout = '{_LOCK_WAIT}'")
        except psycopg.Error as error:
            raise journal_failure(url, error, is_lost=True) from None
        self._deadline = began + self.lasts
        threading.Thread(target=self._beat, name="leases", daemon=True).start()

    @property
    def is_over(self) -> bool:
        """Whether its locks may be gone."""
        return self._is_lost or uptime() > self._deadline

    def check(self) -> None:
        """Raises `LeaseLost`."""
        if self.is_over:
            raise LeaseLost(
                "the journal could not be reached in time, so that another process may deliver to the org by now"
            )

    def close(self) -> None:
        """Frees all locks."""
        self._ended.set()
        self._is_lost = True
        with self._lock:
            self._connection.close()

    def lock(self, name: str, *, is_shared: bool = False, waits: bool = False) -> bool:
        """Takes a lock; with `waits`, stands in line for it for a moment. Returns whether it was free.

        Raises `JournalFailed`.
        """
        function = "pg_advisory_lock" if waits else "pg_try_advisory_lock"
        shared = "_shared" if is_shared else ""
        try:
            with self._explained():
                row = self._connection.execute(f"SELECT {function}{shared}(%s)", [lock_key(name)]).fetchone()
        except psycopg.errors.LockNotAvailable:
            return False
        return waits or bool(row and row[0])

    def unlock(self, name: str, *, is_shared: bool = False) -> None:
        """Frees a lock. Raises `JournalFailed`."""
        shared = "_shared" if is_shared else ""
        with self._explained():
            self._connection.execute(f"SELECT pg_advisory_unlock{shared}(%s)", [lock_key(name)])

    def is_wanted(self, name: str) -> bool:
        """Whether another session stands in line for the lock. Raises `JournalFailed`."""
        with self._explained():
            row = self._connection.execute(_WAITING, [lock_key(name)]).fetchone()
        return bool(row and row[0])

    def _beat(self) -> None:
        while not self._ended.wait(self.lasts / _BEATS_IN_A_LEASE):
            began = uptime()
            try:
                with self._lock:
                    self._connection.execute("SELECT 1")
            except psycopg.Error:
                self._is_lost = True
                return
            self._deadline = began + self.lasts

    @contextmanager
    def _explained(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            except psycopg.errors.LockNotAvailable:
                raise
            except psycopg.Error as error:
                self._is_lost = True
                raise journal_failure(self._url, error, is_lost=True) from None


def org_lock(org: str) -> str:
    """The name of the lock of an org, by its key in the journal."""
    return f"org {org}"


def lock_key(name: str) -> int:
    """The number of an advisory lock; those of other programs in the same database are unlikely to meet it."""
    return int.from_bytes(hashlib.blake2b(f"sfmap {name}".encode(), digest_size=8).digest()) >> 1
