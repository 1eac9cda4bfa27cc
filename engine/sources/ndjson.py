"""Events from NDJSON files and streams: one JSON object per line, blank lines ignored."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import orjson

from sfmap.engine.sources.event_source import START, Position, Received, SourceFailed
from sfmap.engine.sources.reading import LONGEST_LINE, read_event

STANDARD_INPUT = "-"

_FILE_BEGINS = b"a file begins"
_BLOCK = 2 * 1024 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class NdjsonSource:
    """The lines of several files, one after the other; `-` is standard input."""

    files: tuple[str, ...]
    standard_input: BinaryIO | None = None
    """Standard input; None if it is closed or not among the files."""
    start: Position = START
    """Where to continue; standard input cannot."""
    is_digested: bool = False
    """Whether each event carries the digest of all bytes up to its end, which `is_unchanged_up_to` needs."""

    @property
    def name(self) -> str:
        """The name of the files in the journal."""
        names = [file if file == STANDARD_INPUT else str(Path(file).absolute()) for file in self.files]
        return orjson.dumps(names).decode("utf-8", "replace")

    @property
    def is_stream(self) -> bool:
        """Whether the source can be read once only: standard input and named pipes."""
        return not self.is_of_files

    def __iter__(self) -> Iterator[Received]:
        number = self.start.number
        digest = Digest(self.start.digest) if self.is_digested else None
        for index, file in enumerate(self.files):
            if index < self.start.file:
                continue
            name = os.fsencode(file).decode("utf-8", "replace")
            before = self.start if index == self.start.file else START
            if digest and before.offset == 0:
                digest.add(_FILE_BEGINS)
            for line_number, end, line in _lines(self._open(file, before.offset), file, before, digest):
                number += 1
                event, problem = read_event(line)
                raw, known = line.rstrip(b"\r\n"), digest.value if digest else b""
                yield Received(
                    number=number,
                    file=name,
                    line=line_number,
                    raw=raw,
                    event=event,
                    problem=problem,
                    file_index=index,
                    end=end,
                    all_digest=known,
                )

    def parts(self) -> Iterator["Part"]:
        """Splits the events into parts, for regular files. Raises `SourceFailed`."""
        number = 0
        for index, file in enumerate(self.files):
            with closing(self._open(file)) as stream:
                begun = os.fstat(stream.fileno())
                start = Position(number, index)
                for block, length in _blocks(stream, file):
                    if start.offset == 0:
                        block = block.removeprefix(_BYTE_ORDER_MARK)
                    lines = block.split(b"\n")
                    count = sum(map(bool, map(bytes.strip, lines)))
                    identity = begun.st_dev, begun.st_ino
                    yield Part(files=self.files[: index + 1], start=start, count=count, identity=identity)
                    number += count
                    start = Position(
                        number=number, file=index, offset=start.offset + length, line=start.line + len(lines) - 1
                    )
                if os.fstat(stream.fileno()).st_size < start.offset:
                    raise _changed(file)

    def is_unchanged_up_to(self, position: Position) -> bool:
        """Whether all bytes up to that position are unchanged. Raises `SourceFailed`."""
        if position.file == position.offset == 0:
            return True
        digest = Digest(b"")
        for index, file in enumerate(self.files[: position.file + 1]):
            digest.add(_FILE_BEGINS)
            end = position.offset if index == position.file else None
            if not self._read_up_to(file, end, digest):
                return False
        return digest.value == position.digest

    def _read_up_to(self, file: str, end: int | None, digest: "Digest") -> bool:
        """Digests the lines up to that byte, or all of them; returns whether a line ends there."""
        offset = 0
        with closing(self._open(file)) as stream:
            while (end is None or offset < end) and (line := stream.readline(LONGEST_LINE + 1)):
                offset += len(line)
                if len(line) > LONGEST_LINE:
                    offset += _skip_rest_of_line(stream, line, digest)
                digest.add(line)
        return end is None or offset == end

    @property
    def is_of_files(self) -> bool:
        """Whether all sources are regular files, which can be read again from any position."""
        return all(Path(file).is_file() for file in self.files)

    def size(self) -> int | None:
        """The size of all files in bytes; None if standard input is among them or a file does not exist."""
        try:
            return None if STANDARD_INPUT in self.files else sum(Path(f).stat().st_size for f in self.files)
        except OSError:
            return None

    def _open(self, file: str, offset: int = 0) -> BinaryIO:
        if file == STANDARD_INPUT:
            if self.standard_input is None:
                raise SourceFailed("cannot read standard input: it is closed")
            return self.standard_input
        try:
            stream = open(file, "rb")  # noqa: SIM115 - closed by who reads it
            if offset:
                stream.seek(offset)
            return stream
        except OSError as error:
            raise SourceFailed(f"cannot read {file}: {error.strerror}") from error


class Digest:
    """A digest of all lines so far: each includes the one before, so its value is enough to continue."""

    def __init__(self, value: bytes) -> None:
        self.value = value

    def add(self, line: bytes) -> None:
        self.value = hashlib.blake2b(line, digest_size=16, key=self.value).digest()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the events of one file, which any process can open and read."""

    files: tuple[str, ...]
    start: Position
    count: int
    identity: tuple[int, int]
    """Device and inode of the file in which the part was measured."""

    def __iter__(self) -> Iterator[Received]:
        """The events. Raises `SourceFailed`, also if the file was replaced or has become shorter."""
        count = 0
        for received in islice(NdjsonSource(self.files, start=self.start), self.count):
            count += 1
            yield received
        file = self.files[-1]
        try:
            now = os.stat(file)
        except OSError as error:
            raise SourceFailed(f"cannot read {file}: {error.strerror}") from error
        if count < self.count or (now.st_dev, now.st_ino) != self.identity:
            raise _changed(file)


def _changed(file: str) -> SourceFailed:
    return SourceFailed(f"cannot read {file}: it changed while it was being read")


def _lines(
    stream: BinaryIO, file: str, before: Position, digest: "Digest | None"
) -> Iterator[tuple[int, int, bytes]]:
    """The lines that are not blank, each with its number and the offset of its end.

    A line over the limit is cut, so it is not valid JSON.
    """
    number, offset = before.line, before.offset
    try:
        with nullcontext() if file == STANDARD_INPUT else closing(stream):
            while line := stream.readline(LONGEST_LINE + 1):
                number += 1
                offset += len(line)
                if len(line) > LONGEST_LINE:
                    offset += _skip_rest_of_line(stream, line, digest)
                if digest:
                    digest.add(line)
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if line.strip():
                    yield number, offset, line
    except OSError as error:
        raise SourceFailed(f"cannot read {file} past line {number}: {error.strerror}") from error


def _blocks(stream: BinaryIO, file: str) -> Iterator[tuple[bytes, int]]:
    """Whole lines, some megabytes at a time, with their size in the file: a line over the limit is cut."""
    try:
        while block := stream.read(_BLOCK):
            block += stream.readline(LONGEST_LINE + 1)
            skipped = _skip_rest_of_line(stream, block)
            yield block + b"\n" if skipped else block, len(block) + skipped
    except OSError as error:
        raise SourceFailed(f"cannot read {file}: {error.strerror}") from error


def _skip_rest_of_line(stream: BinaryIO, line: bytes, digest: "Digest | None" = None) -> int:
    """Skips the rest of a line; returns the number of bytes."""
    skipped = 0
    while line and not line.endswith(b"\n"):
        line = stream.readline(LONGEST_LINE)
        skipped += len(line)
        if digest:
            digest.add(line)
    return skipped
