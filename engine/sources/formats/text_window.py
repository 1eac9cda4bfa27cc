"""A window on a stream of bytes, which moves on and grows where one value is large."""

from typing import BinaryIO

from sfmap.engine.sources.formats.beginning import read_some
from sfmap.engine.sources.rows import FileDamaged

WINDOW = 256 * 1024
_LARGEST_STEP = 8 * 1024 * 1024


class TextWindow:
    """Bytes of a stream from `start` on, of which those before `at` are done with."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._damage: FileDamaged | None = None
        self._lines = 0
        self._counted = 0
        self.data = b""
        self.start = 0
        """The offset of the data in the stream."""
        self.at = 0
        """The index in the data of what comes next."""

    @property
    def offset(self) -> int:
        """The offset in the stream of what comes next."""
        return self.start + self.at

    def line(self) -> int:
        """The line of what comes next, from 1."""
        self._lines += self.data.count(b"\n", self._counted, self.at)
        self._counted = self.at
        return self._lines + 1

    def more(self) -> bool:
        """Drops what is done with, and reads on; at the end returns False. Raises `FileDamaged`.

        The more is kept, the more it reads: else a large value would be copied for each window.
        """
        if self._damage:
            raise self._damage
        self.line()
        kept = self.data[self.at :]
        pieces = [kept]
        wanted = min(max(WINDOW, len(kept)), _LARGEST_STEP)
        try:
            while wanted > 0 and (piece := read_some(self._stream, wanted)):
                pieces.append(piece)
                wanted -= len(piece)
                if len(kept) < WINDOW:
                    break
        except FileDamaged as damage:
            if len(pieces) == 1:
                raise
            self._damage = damage
        if len(pieces) == 1:
            return False
        self.data = b"".join(pieces)
        self.start += self.at
        self.at = self._counted = 0
        return True

    def move_to(self, offset: int) -> None:
        """Reads on up to an offset. Raises `FileDamaged`."""
        while self.start + len(self.data) < offset:
            self.at = len(self.data)
            if not self.more():
                return
        self.at = offset - self.start
