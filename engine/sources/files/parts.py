"""Parts of files of lines, which several processes read side by side."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from sfmap.engine.sources.event_source import Position, Received, SourceFailed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.formats.json_lines import BYTE_ORDER_MARK, skip_rest_of_line
from sfmap.engine.sources.reading import LONGEST_LINE

_BLOCK = 2 * 1024 * 1024
_SPACE = ord(" ")
"""What is greater begins no blank line."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the events of one file, which any process can open and read."""

    source: FileSource
    """Up to that file."""
    count: int
    identity: tuple[int, int]
    """Device and inode of the file in which the part was measured."""

    def __iter__(self) -> Iterator[Received]:
        """The events. Raises `SourceFailed`, also if the file was replaced or has become shorter."""
        count = 0
        for received in islice(self.source, self.count):
            count += 1
            yield received
        file = self.source.members[-1].name
        try:
            now = os.stat(file)
        except OSError as error:
            raise SourceFailed(f"cannot read {file}: {error.strerror}") from error
        if count < self.count or (now.st_dev, now.st_ino) != self.identity:
            raise _changed(file)


def can_be_split(source: FileSource) -> bool:
    """Whether all files are on this machine, and have lines of events. Raises `SourceFailed` or `WrongShape`."""
    if source.is_stream or any(file.stored.is_remote for file in source.members):
        return False
    for file in source.members:
        with file.opened(source.options) as opened:
            if not opened.is_plain:
                return False
    return True


def parts(source: FileSource) -> Iterator[Part]:
    """Splits files of lines. Raises `SourceFailed`."""
    number = 0
    for index, file in enumerate(source.members):
        with closing(file.store.open(file.stored)) as stream:
            begun = os.fstat(stream.fileno())
            start = Position(number, index)
            for block, length in _blocks(stream, file.name):
                if start.offset == 0:
                    block = block.removeprefix(BYTE_ORDER_MARK)
                lines, count = _counted(block)
                rest = source.up_to(index).reading_from(start)
                yield Part(rest, count, (begun.st_dev, begun.st_ino))
                number += count
                start = Position(number=number, file=index, offset=start.offset + length, line=start.line + lines)
            if os.fstat(stream.fileno()).st_size < start.offset:
                raise _changed(file.name)


def _blocks(stream: BinaryIO, file: str) -> Iterator[tuple[bytes, int]]:
    """Whole lines, some megabytes at a time, with their size in the file: a line over the limit is cut."""
    try:
        while block := stream.read(_BLOCK):
            block += stream.readline(LONGEST_LINE + 1)
            skipped = skip_rest_of_line(stream, block)
            yield block + b"\n" if skipped else block, len(block) + skipped
    except OSError as error:
        raise SourceFailed(f"cannot read {file}: {error.strerror}") from error


def _counted(block: bytes) -> tuple[int, int]:
    """The line ends of a block, and the lines that are not blank: without making an object of each."""
    lines = blank = at = 0
    while (end := block.find(b"\n", at)) >= 0:
        lines += 1
        if block[at] <= _SPACE and not block[at:end].strip():
            blank += 1
        at = end + 1
    return lines, lines - blank + bool(block[at:].strip())


def _changed(file: str) -> SourceFailed:
    return SourceFailed(f"cannot read {file}: it changed while it was being read")
