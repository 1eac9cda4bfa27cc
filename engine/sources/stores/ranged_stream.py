"""A file that is fetched in ranges, some megabytes at a time and one range ahead."""

import io
from collections.abc import Callable
from threading import Thread
from typing import BinaryIO

from sfmap.engine.sources.positioned_stream import PositionedStream

SHORTEST = 256 * 1024
LONGEST = 8 * 1024 * 1024
_GROWTH = 4
_READ_AT_ONCE = 256 * 1024

Fetch = Callable[[int, int], memoryview]
"""Fetches the bytes from one offset up to another; all of them, or raises `SourceFailed`."""


def ranged_stream(fetch: Fetch, size: int) -> BinaryIO:
    """A seekable stream of a file of that size."""
    return io.BufferedReader(_Ranges(fetch, size), _READ_AT_ONCE)


class _Ranges(PositionedStream):
    """Ranges grow while they are read in order, so that a look at the beginning or the end fetches little."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._start = 0
        self._bytes = memoryview(b"")
        self._length = 0
        self._ahead: _Ahead | None = None

    def _end(self) -> int:
        return self._size

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        if self._position >= self._size:
            return 0
        if not 0 <= self._position - self._start < len(self._bytes):
            self._load()
        found = self._bytes[self._position - self._start :][: len(buffer)]
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def close(self) -> None:
        self._bytes = memoryview(b"")
        self._ahead = None
        super().close()

    def _load(self) -> None:
        """Fetches the range at the position, and begins to fetch the next one if they are read in order."""
        is_next = self._position == self._start + len(self._bytes) and len(self._bytes) > 0
        self._length = min(self._length * _GROWTH, LONGEST) if is_next else SHORTEST
        ahead, self._ahead = self._ahead, None
        if ahead and ahead.start == self._position:
            self._bytes = ahead.bytes()
        else:
            self._bytes = self._fetch(self._position, min(self._position + self._length, self._size))
        self._start = self._position
        end = self._start + len(self._bytes)
        if is_next and end < self._size:
            next_length = min(self._length * _GROWTH, LONGEST)
            self._ahead = _Ahead(self._fetch, end, min(end + next_length, self._size))


class _Ahead:
    """A range that is fetched by a thread. Nothing waits for the thread of a range that nobody reads."""

    def __init__(self, fetch: Fetch, start: int, end: int) -> None:
        self.start = start
        self._fetch = fetch
        self._end = end
        self._found: memoryview | Exception = memoryview(b"")
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def bytes(self) -> memoryview:
        self._thread.join()
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    def _run(self) -> None:
        try:
            self._found = self._fetch(self.start, self._end)
        except Exception as error:  # noqa: BLE001 - raised again by who reads the range
            self._found = error
