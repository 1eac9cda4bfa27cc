"""Reads the records of CSV text, each with the bytes that it takes."""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from sfmap.engine.sources.reading import LONGEST_LINE
from sfmap.engine.sources.rows import FileDamaged

SEPARATOR_LINE = re.compile(r'\ufeff?"?sep=(.)"?\r?\n', re.IGNORECASE)
"""The first line of some files, by which Excel knows the delimiter."""
_LONGEST_QUOTES = 1024 * 1024
"""The most bytes of a record with line breaks: quotes that are never closed would take the rest of the file."""
_PIECE = 1024 * 1024


class CsvRecord(NamedTuple):
    """One record that is not blank."""

    cells: list[str]
    line: int
    """The line on which it begins, from 1."""
    raw: bytes
    problem: str
    """Why it cannot be read."""


class CsvRecords:
    """The records of a file from its beginning, without a line that names the delimiter."""

    def __init__(self, stream: BinaryIO, delimiter: str, encoding: str) -> None:
        csv.field_size_limit(LONGEST_LINE + 1)
        self._stream = stream
        self._encoding = encoding
        self._read_line = self._read_wide_line if encoding.startswith("utf-16") else self._read_plain_line
        self._reader = csv.reader(self._texts(), delimiter=delimiter, strict=True)
        self._lines: list[bytes] = []
        self._problem = ""
        self._is_at_end = False
        self._line = 0
        self.offset = 0
        """Where the next record begins."""

    def __iter__(self) -> Iterator[CsvRecord]:
        """The records. Raises `FileDamaged` where quotes are not closed."""
        while True:
            self._problem = ""
            self._lines.clear()
            line = self._line + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if self._is_at_end:
                    place = f"the record on line {line:,}"
                    raise FileDamaged(f"ends inside the quotes of {place} (was the file cut short?)") from None
                cells, self._problem = [], f"not CSV: {error}"
            if self._problem or any(cells):
                raw = self._lines[0] if len(self._lines) == 1 else b"".join(self._lines)
                yield CsvRecord(cells, line, raw, self._problem)

    def move_to(self, offset: int) -> None:
        """Goes on to an offset, which is that of a record."""
        while self.offset < offset and (data := self._read_line()):
            self.offset += len(data)
            self._line += 1

    def _texts(self) -> Iterator[str]:
        """The lines as text."""
        size = 0
        while data := self._read_line():
            self.offset += len(data)
            self._line += 1
            size = size + len(data) if self._lines else 0
            if size > _LONGEST_QUOTES:
                place = f"the record on line {self._line - len(self._lines):,}"
                raise FileDamaged(f"has quotes in {place} that are not closed within 1 MiB")
            self._lines.append(data)
            text = self._text(data)
            if self._line == 1:
                if SEPARATOR_LINE.fullmatch(text):
                    self._lines.clear()
                    continue
                text = text.removeprefix("\ufeff")
            yield text
        self._is_at_end = True

    def _text(self, data: bytes) -> str:
        if len(data) > LONGEST_LINE:
            self._problem = f"longer than {LONGEST_LINE // 1024 // 1024} MiB"
            self._skip_rest_of_line(data)
            return "\n"
        try:
            return data.decode(self._encoding)
        except UnicodeDecodeError:
            self._problem = f"not {self._encoding.upper()}"
            return data.decode(self._encoding, "replace")

    def _read_plain_line(self) -> bytes:
        return self._stream.readline(LONGEST_LINE + 1)

    def _read_wide_line(self) -> bytes:
        """A line of text in which each character takes two bytes or more."""
        line = b""
        ending = "\n".encode(self._encoding)
        while not line.endswith(ending) and (room := LONGEST_LINE + 2 - len(line)) > 0:
            piece = self._stream.readline(room)
            if not piece:
                break
            line += piece
            if len(line) % 2:
                line += self._stream.read(1)
        return line

    def _skip_rest_of_line(self, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = self._stream.readline(_PIECE)
            self.offset += len(line)
