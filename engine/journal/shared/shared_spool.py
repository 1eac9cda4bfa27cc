"""The spool of several machines: a table of PostgreSQL to which each adds, and one delivers."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import cast

from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.journal.spool import Bounds, Spooled, check_bounds, last_of_window
from sfmap.engine.sources.queries.database_url import DatabaseUrl

_LOOKS_EACH = 0.1
"""Seconds between two looks at what other machines have added."""
_NOW = "extract(epoch FROM clock_timestamp())::float8"
_LOCKED = "SELECT pg_advisory_xact_lock(hashtextextended('sfmap spool ' || ?, 0))"
_ADDED = f"INSERT INTO spool (org, source, accepted, event) SELECT ?, ?, {_NOW}, unnest(?::bytea[])"
_COUNTED = """\
INSERT INTO spool_room VALUES (?, ?, ?)
ON CONFLICT (org) DO UPDATE SET events = spool_room.events + excluded.events,
    bytes = spool_room.bytes + excluded.bytes
RETURNING events, bytes"""
_REMOVED = """\
WITH gone AS (DELETE FROM spool WHERE org = ? AND id <= ? RETURNING octet_length(event) AS size)
UPDATE spool_room SET events = events - (SELECT count(*) FROM gone),
    bytes = bytes - (SELECT coalesce(sum(size), 0) FROM gone)
WHERE org = ?"""
_ROOM = f"""\
SELECT events, bytes, (SELECT {_NOW} - accepted FROM spool WHERE org = room.org ORDER BY id LIMIT 1)
FROM spool_room AS room WHERE org = ?"""  # noqa: S608


class SharedSpool:
    """Implements `Spool` for the events of one org of sfmap.yaml."""

    is_shared = True

    def __init__(self, url: DatabaseUrl, node: str, org_entry: str, bounds: Bounds) -> None:
        self.on_arrival: Callable[[], object] = lambda: None
        self._org = org_entry
        self._bounds = bounds
        self._adding = PostgresJournal(url, f"{node} accepting")
        self._reading = PostgresJournal(url, f"{node} spool")
        self._lock = threading.Lock()
        """Guards what is known of the room."""
        self._events = self._size = 0
        self._oldest: float | None = None
        """When the oldest event was accepted, by the monotonic clock of this machine."""
        self._looked = 0.0
        self._removed = 0

    @property
    def name(self) -> str:
        return f"spool {self._org}"

    def close(self) -> None:
        self._adding.close()
        self._reading.close()

    @property
    def events(self) -> int:
        return self._events

    @property
    def size(self) -> int:
        return self._size

    @property
    def age(self) -> float:
        oldest = self._oldest
        return 0.0 if oldest is None else max(0.0, time.monotonic() - oldest)

    def look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOKS_EACH:
            return
        self._looked = now
        rows = cast(list[tuple[int, int, float | None]], self._reading.rows(_ROOM, self._org))
        events, size, age = rows[0] if rows else (0, 0, None)
        with self._lock:
            self._events, self._size = events, size
            self._oldest = None if age is None else now - age

    def check_room(self, coming: int = 0) -> None:
        check_bounds(self, self._bounds, coming)

    def append(self, batches: Sequence[tuple[str, Sequence[bytes]]]) -> None:
        """Adds events. A lock makes them visible in the order of their numbers: else a reader would skip some."""
        count = sum(len(events) for _, events in batches)
        size = sum(len(event) for _, events in batches for event in events)
        with self._adding.transaction() as connection:
            connection.execute(_LOCKED, (self._org,))
            for source, events in batches:
                connection.execute(_ADDED, (self._org, source, list(events)))
            room = connection.execute(_COUNTED, (self._org, count, size)).fetchone()
        with self._lock:
            self._events, self._size = room
            if self._oldest is None and count:
                self._oldest = time.monotonic()
        self.on_arrival()

    def after(self, number: int, most: int, most_bytes: int) -> list[Spooled]:
        sizes = self._reading.rows(
            "SELECT id, octet_length(event) FROM spool WHERE org = ? AND id > ? ORDER BY id LIMIT ?",
            self._org,
            number,
            most,
        )
        last = last_of_window(number, cast(list[tuple[int, int]], sizes), most_bytes)
        rows = self._reading.rows(
            "SELECT id, source, accepted, event FROM spool WHERE org = ? AND id > ? AND id <= ? ORDER BY id",
            self._org,
            number,
            last,
        )
        return [Spooled(*row) for row in rows]  # type: ignore[arg-type]

    def remove(self, up_to: int) -> None:
        if up_to == self._removed:
            return
        with self._reading.transaction() as connection:
            connection.execute(_REMOVED, (self._org, up_to, self._org))
        self._removed = up_to
        self._looked = 0.0
        self.look()
