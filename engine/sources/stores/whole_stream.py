"""A file that can only be fetched from its beginning to its end."""

import io
import sys
from collections.abc import Callable, Generator
from typing import BinaryIO

from sfmap.engine.sources.positioned_stream import PositionedStream

_READ_AT_ONCE = 256 * 1024

Begin = Callable[[], Generator[bytes]]
"""Begins to fetch the file, from its beginning."""


def whole_stream(begin: Begin) -> BinaryIO:
    """A stream of the file; to seek backwards, it fetches the file again."""
    return io.BufferedReader(_Whole(begin), _READ_AT_ONCE)


class _Whole(PositionedStream):
    def __init__(self, begin: Begin) -> None:
        super().__init__()
        self._begin = begin
        self._pieces = begin()
        self._start = 0
        self._piece = memoryview(b"")

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        self._go_to(self._position)
        found = self._piece[self._position - self._start :][: len(buffer)]
        buffer[: len(found)] = found
        self._position += len(found)
        return len(found)

    def close(self) -> None:
        self._pieces.close()
        super().close()

    def _go_to(self, position: int) -> None:
        """Fetches up to the piece with that position, or up to the end."""
        if position < self._start:
            self._pieces = self._begin()
            self._start, self._piece = 0, memoryview(b"")
        while position >= self._start + len(self._piece):
            self._start += len(self._piece)
            self._piece = memoryview(next(self._pieces, b""))
            if not self._piece:
                break

    def _end(self) -> int:
        """The size of the file, for which the rest of it is fetched."""
        self._go_to(sys.maxsize)
        return self._start
