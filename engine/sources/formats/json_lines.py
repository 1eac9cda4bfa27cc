"""Reads NDJSON: one event on each line, blank lines ignored."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from sfmap.engine.sources.reading import LONGEST_LINE, read_event
from sfmap.engine.sources.rows import SourceRow

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class JsonLines:
    """The lines of a file, each of which is an event."""

    hint: str = ""
    """What the file seems to be instead, for the problem of its first line."""

    is_table = False

    def rows(self, stream: BinaryIO, offset: int = 0, line: int = 0) -> Iterator[SourceRow]:
        """The events from that position on, where `line` is the number of lines before it.

        A line over the limit is cut.
        """
        if offset:
            stream.seek(offset)
        while raw := stream.readline(LONGEST_LINE + 1):
            line += 1
            offset += len(raw)
            if len(raw) > LONGEST_LINE:
                offset += skip_rest_of_line(stream, raw)
            if line == 1:
                raw = raw.removeprefix(BYTE_ORDER_MARK)
            if not raw or raw.isspace():
                continue
            event, problem = read_event(raw)
            if problem and self.hint and line == 1:
                problem = f"{problem}; {self.hint}"
            yield SourceRow(offset, line, raw, event, problem)


def skip_rest_of_line(stream: BinaryIO, line: bytes) -> int:
    """Skips the rest of a line; returns the number of bytes."""
    skipped = 0
    while line and not line.endswith(b"\n"):
        line = stream.readline(_PIECE)
        skipped += len(line)
    return skipped
