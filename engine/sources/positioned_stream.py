"""Streams of bytes that can be sought at no cost, since they read wherever they are."""

import io
import os
from abc import abstractmethod


class PositionedStream(io.RawIOBase):
    """A stream whose `readinto` reads at `_position` and moves it."""

    def __init__(self) -> None:
        super().__init__()
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = self._end() if whence == os.SEEK_END else self._position if whence == os.SEEK_CUR else 0
        if origin + offset < 0:
            raise ValueError("negative seek position")
        self._position = origin + offset
        return self._position

    @abstractmethod
    def _end(self) -> int:
        """The size of the file."""
