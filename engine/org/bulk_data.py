"""Collects the rows of one bulk job as CSV in a temporary file, within the limits of a job."""

from array import array
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self

from sfmap.engine.org.bulk_csv import csv_line
from sfmap.engine.org.bulk_join import RowIndex
from sfmap.engine.org.bulk_port import LARGEST_JOB, Load
from sfmap.engine.org.bulk_rows import BulkRow, fits_header

_PIECE = 256 * 1024


class BulkData:
    """The `JobData` of one job. All rows are added before it is read; closing it removes the file.

    Raises `OSError` where the file has no room: then the rows of the last calls of `add` may be lost.

    A column is added when the first row has it. Earlier rows get an empty cell there, which leaves the field as it
    is, or with its default; therefore only rows of the same `group` share a job.
    """

    def __init__(self, load: Load, folder: Path | None = None, most_bytes: int = LARGEST_JOB) -> None:
        """The file is made in `folder`, or else where the system keeps temporary files."""
        self.index = RowIndex()
        """The rows by their keys: only creates may have the same key more than once."""
        self._equal_keys = load.operation == "create"
        self._most_bytes = most_bytes
        self._group: frozenset[str] | None = None
        self._columns: dict[str, None] = {}
        self._header = b""
        self._grown: list[tuple[int, int]] = []
        """Row numbers from which on there are more columns, and how many."""
        self._lengths = array("I")
        """Of the rows, in bytes, with the cells that there were columns for."""
        self._size = 0
        """Of all rows, with all cells."""
        self._file = TemporaryFile(dir=folder)  # noqa: SIM115 (closed with this)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _1: type[BaseException] | None, _2: BaseException | None, _3: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):  # what is not written yet is not needed
            self._file.close()

    def flush(self) -> None:
        """Has all rows in the file, so that reading them fails for no lack of room."""
        self._file.flush()

    @property
    def rows(self) -> int:
        return len(self._lengths)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self._columns)

    def add(self, row: BulkRow) -> bool:
        """Adds the row; False if it needs another job: this one is full, is of another group, or has its key.

        Rows that write one record in one job would do so in any order, and two upserts could create it twice.
        """
        if self._group not in (None, row.group) or not (self._equal_keys or row.key not in self.index):
            return False
        added = [column for column in row.cells if column not in self._columns]
        header = csv_line([*self._columns, *added]) if added else self._header
        width = len(self._columns) + len(added)
        line = csv_line([row.cells.get(column, "") for column in (*self._columns, *added)])
        size = self._size + self.rows * len(added) + len(line)
        if self.rows and (len(header) + size > self._most_bytes or not fits_header(header, width)):
            return False
        if added:
            self._columns.update(dict.fromkeys(added))
            self._header = header
            self._grown.append((self.rows, width))
        self._group = row.group
        self._size = size
        self._file.write(line)
        self._lengths.append(len(line))
        self.index.add(row.key)
        return True

    def __len__(self) -> int:
        return len(self._header) + self._size

    def __iter__(self) -> Iterator[bytes]:
        self._file.seek(0)
        yield self._header
        ends = [*(row for row, _ in self._grown[1:]), self.rows]
        for (start, width), end in zip(self._grown, ends, strict=True):
            yield from self._pieces(start, end, len(self._columns) - width)

    def _pieces(self, start: int, end: int, lacking: int) -> Iterator[bytes]:
        """The rows, from the file's position on, with the cells that they lack."""
        if lacking:
            for row in range(start, end):
                yield self._file.read(self._lengths[row])[:-1] + b"," * lacking + b"\n"
            return
        left = sum(self._lengths[start:end])
        while left:
            piece = self._file.read(min(left, _PIECE))
            left -= len(piece)
            yield piece
