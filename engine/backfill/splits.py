"""Splits the files of a source into parts that different tasks read."""

import io
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from sfmap.engine.sources.event_source import Position, Received
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.source_file import SourceFile
from sfmap.engine.sources.formats.json_lines import skip_rest_of_line
from sfmap.engine.sources.reading import LONGEST_LINE

SPLIT_SIZE = 32 * 1024 * 1024
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSplit:
    """Whole lines of one file, or a whole file."""

    file: int
    """The index of the file, from 0."""
    start: int = 0
    """Where its first line begins, in bytes."""
    end: int | None = None
    """Where its last line ends; None for the end of the file."""
    line: int = 0
    """The number of lines before it."""


def file_splits(source: FileSource, size: int = SPLIT_SIZE) -> Iterator[FileSplit]:
    """The parts in order; only plain files of lines are split. `line` is left at 0.

    Raises `SourceFailed` or `WrongShape`.
    """
    for index, file in enumerate(source.members):
        starts = [0]
        if file.stored.size > size and not file.member:
            with file.opened(source.options) as opened:
                is_plain = opened.is_plain
            if is_plain:
                starts = _line_starts(file, size)
        ends = [*starts[1:], None]
        yield from (FileSplit(file=index, start=start, end=end) for start, end in zip(starts, ends, strict=True))


def _line_starts(file: SourceFile, size: int) -> list[int]:
    """Where lines begin, about every `size` bytes."""
    starts = [0]
    with closing(file.store.open(file.stored)) as stream:
        while (near := starts[-1] + size) < file.stored.size:
            stream.seek(near)
            line = stream.readline(LONGEST_LINE + 1)
            start = near + len(line) + skip_rest_of_line(stream, line)
            if start >= file.stored.size:
                break
            starts.append(start)
    return starts


def count_lines(source: FileSource, split: FileSplit) -> int:
    """The number of lines of a split that has an end. Raises `SourceFailed`."""
    assert split.end is not None
    file = source.members[split.file]
    count, left = 0, split.end - split.start
    with closing(file.store.open(file.stored)) as stream:
        stream.seek(split.start, io.SEEK_SET)
        while left > 0 and (block := stream.read(min(left, _BLOCK))):
            count += block.count(b"\n")
            left -= len(block)
    return count


def numbered(splits: Sequence[FileSplit], lines: Sequence[int]) -> list[FileSplit]:
    """The splits with the number of lines before each; `lines` are those of each split that has an end, else 0."""
    found: list[FileSplit] = []
    for split, before, count in zip(splits, (None, *splits[:-1]), (0, *lines[:-1]), strict=True):
        follows = before is not None and before.file == split.file
        found.append(replace(split, line=found[-1].line + count if follows else 0))
    return found


def events_of(source: FileSource, split: FileSplit) -> Iterator[Received]:
    """The events of the split. Raises `SourceFailed`."""
    start = Position(file=split.file, offset=split.start, line=split.line)
    for received in source.up_to(split.file).reading_from(start):
        yield received
        if split.end is not None and received.end >= split.end:
            return
