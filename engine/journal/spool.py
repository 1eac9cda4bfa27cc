"""Accepted events that are not delivered yet: a queue on disk, which survives kills and power cuts."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NamedTuple, cast

from sfmap.engine.journal.database import Database, Layout

_LAYOUT = Layout(
    "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT, accepted REAL, event BLOB);\n",
    version=2,
    if_other_version="Deliver what waits in it with that one: run its sfmap serve until nothing waits.",
    if_damaged="It holds events that were accepted and are not delivered: keep it. sqlite3's .recover may save"
    " them into a new file to put in its place; without it the service begins with an empty spool.",
)


class SpoolFull(Exception):
    """No room for more events, or the oldest waits too long; the message says which."""


class Spooled(NamedTuple):
    """One event that waits."""

    number: int
    """Never used again, so that an event is known by it for ever."""
    source: str
    accepted: float
    """Seconds since 1970."""
    event: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the spool may grow to."""

    size: int = 1024 * 1024 * 1024
    """Bytes of events."""
    age: float = 7 * 86_400.0
    """Seconds that the oldest event may wait."""


class Spool:
    """Threads share it. Every method that reads or writes may raise `JournalFailed`."""

    def __init__(self, path: Path, bounds: Bounds, after: int = 0, clock: Callable[[], float] = time.time) -> None:
        """Opens the file, or makes it; numbers up to `after` were given before, perhaps by a file that is lost."""
        self._database = Database(path, _LAYOUT)
        self._begin_after(after)
        self._bounds = bounds
        self._clock = clock
        self._lock = Lock()
        """Of the counts."""
        self.on_arrival: Callable[[], object] = lambda: None
        """Called whenever events have come, by whatever thread has brought them."""
        row = self._database.rows("SELECT count(*), coalesce(sum(length(event)), 0), min(accepted) FROM events")[0]
        self._events, self._size, self._oldest = cast(tuple[int, int, float | None], row)

    def _begin_after(self, number: int) -> None:
        query = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'"
        if cast(int, self._database.rows(query)[0][0]) < number:
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM sqlite_sequence WHERE name = 'events'")
                connection.execute("INSERT INTO sqlite_sequence VALUES ('events', ?)", (number,))

    def close(self) -> None:
        self._database.close()

    @property
    def events(self) -> int:
        return self._events

    @property
    def size(self) -> int:
        return self._size

    @property
    def age(self) -> float:
        """Seconds that the oldest event has waited; 0 where none waits."""
        oldest = self._oldest
        return max(0.0, self._clock() - oldest) if oldest is not None else 0.0

    def check_room(self, coming: int = 0) -> None:
        """Whether there is room besides so many bytes that are about to be written. Raises `SpoolFull`."""
        if self._size + coming >= self._bounds.size:
            raise SpoolFull(f"the spool is full: {self._events:,} events wait to be delivered")
        if self.age > self._bounds.age:
            raise SpoolFull(f"the oldest event waits for more than {self._bounds.age / 3600:g} hours")

    def append(self, batches: Sequence[tuple[str, Sequence[bytes]]]) -> None:
        """The events of several sources, all of them on disk when it returns."""
        now = self._clock()
        rows = [(source, now, event) for source, events in batches for event in events]
        with self._database.transaction() as connection:
            connection.executemany("INSERT INTO events (source, accepted, event) VALUES (?, ?, ?)", rows)
        with self._lock:
            self._events += len(rows)
            self._size += sum(len(event) for _, _, event in rows)
            if self._oldest is None and rows:
                self._oldest = now
        self.on_arrival()

    def after(self, number: int, most: int, most_bytes: int) -> list[Spooled]:
        """The next events, in the order in which they came, until one reaches a bound."""
        sizes = self._database.rows(
            "SELECT id, length(event) FROM events WHERE id > ? ORDER BY id LIMIT ?", number, most
        )
        last, size = number, 0
        for event, length in cast(list[tuple[int, int]], sizes):
            last, size = event, size + length
            if size >= most_bytes:
                break
        rows = self._database.rows(
            "SELECT id, source, accepted, event FROM events WHERE id > ? AND id <= ? ORDER BY id", number, last
        )
        return [Spooled(*row) for row in rows]  # type: ignore[arg-type]

    def remove(self, up_to: int) -> None:
        """Forgets the events up to that number."""
        with self._database.transaction() as connection:
            query = "SELECT count(*), coalesce(sum(length(event)), 0) FROM events WHERE id <= ?"
            events, size = connection.execute(query, (up_to,)).fetchone()
            connection.execute("DELETE FROM events WHERE id <= ?", (up_to,))
            oldest = connection.execute("SELECT accepted FROM events ORDER BY id LIMIT 1").fetchone()
        with self._lock:
            self._events -= events
            self._size -= size
            self._oldest = oldest[0] if oldest else None
