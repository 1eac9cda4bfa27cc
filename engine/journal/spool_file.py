"""The spool of one machine: a SQLite file that survives kills and power cuts."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import cast

from sfmap.engine.journal.spool import Bounds, Spooled, check_bounds, last_of_window
from sfmap.engine.journal.sqlite_file import Layout, SqliteFile

_LAYOUT = Layout(
    tables="CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT, accepted REAL, event BLOB);\n",
    version=2,
    if_other_version="Deliver its events with that version: run its sfmap serve until none is waiting.",
    if_damaged="Keep it: it holds events that were accepted and are not delivered. sqlite3's .recover may save"
    " them into a new file to put in its place; without a file the service starts with an empty spool.",
)


_AT_ONCE = 100
"""How many events one statement adds: after each statement this thread waits for its turn in the interpreter."""


class SpoolFile:
    """The queue. Thread-safe; every method that reads or writes may raise `JournalFailed`."""

    name = "spool"
    is_shared = False

    def __init__(self, path: Path, bounds: Bounds, after: int = 0, clock: Callable[[], float] = time.time) -> None:
        """Opens or creates the file; numbers up to `after` are already in use, perhaps from a lost file."""
        self._database = spool_database(path)
        self._begin_after(after)
        self._bounds = bounds
        self._clock = clock
        self._lock = Lock()
        """Guards the counts."""
        self.on_arrival: Callable[[], object] = lambda: None
        """Called when events have been added, on the thread that added them."""
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
        """Seconds that the oldest event has waited; 0 if the spool is empty."""
        oldest = self._oldest
        return max(0.0, self._clock() - oldest) if oldest is not None else 0.0

    def look(self) -> None:
        """They are always known: only this process changes them."""

    def check_room(self, coming: int = 0) -> None:
        """Checks that there is room, with `coming` bytes about to be written. Raises `SpoolFull`."""
        check_bounds(self, self._bounds, coming)

    def append(self, batches: Sequence[tuple[str, Sequence[bytes]]]) -> None:
        """Adds events of several sources; all are on disk when it returns."""
        now = self._clock()
        rows = [(source, now, event) for source, events in batches for event in events]
        with self._database.transaction() as connection:
            for start in range(0, len(rows), _AT_ONCE):
                some = rows[start : start + _AT_ONCE]
                places = ", ".join(["(?, ?, ?)"] * len(some))
                insertion = f"INSERT INTO events (source, accepted, event) VALUES {places}"  # noqa: S608
                connection.execute(insertion, [value for row in some for value in row])
        with self._lock:
            self._events += len(rows)
            self._size += sum(len(event) for _, _, event in rows)
            if self._oldest is None and rows:
                self._oldest = now
        self.on_arrival()

    def after(self, number: int, most: int, most_bytes: int) -> list[Spooled]:
        """The next events in order of arrival, up to a number of events and of bytes."""
        sizes = self._database.rows(
            "SELECT id, length(event) FROM events WHERE id > ? ORDER BY id LIMIT ?", number, most
        )
        last = last_of_window(number, cast(list[tuple[int, int]], sizes), most_bytes)
        rows = self._database.rows(
            "SELECT id, source, accepted, event FROM events WHERE id > ? AND id <= ? ORDER BY id", number, last
        )
        return [Spooled(*row) for row in rows]  # type: ignore[arg-type]

    def remove(self, up_to: int) -> None:
        """Removes the events up to that number."""
        with self._database.transaction() as connection:
            query = "SELECT count(*), coalesce(sum(length(event)), 0) FROM events WHERE id <= ?"
            events, size = connection.execute(query, (up_to,)).fetchone()
            connection.execute("DELETE FROM events WHERE id <= ?", (up_to,))
            oldest = connection.execute("SELECT accepted FROM events ORDER BY id LIMIT 1").fetchone()
        with self._lock:
            self._events -= events
            self._size -= size
            self._oldest = oldest[0] if oldest else None


def spool_database(path: Path) -> SqliteFile:
    """The database of a spool. Raises `JournalFailed`."""
    return SqliteFile(path, _LAYOUT)
