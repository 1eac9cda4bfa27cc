"""Reads the rows of Parquet files."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, BinaryIO

from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.formats.parquet_columns import Values, column_reader
from sfmap.engine.sources.rows import FileDamaged, SourceRow, WrongShape

_ROWS = 2_000
_BATCH = 16 * 1024 * 1024
"""The most bytes of rows that are read at a time, unpacked."""
_LARGE_GROUP = 64 * 1024 * 1024
_PIECE = 4 * 1024 * 1024
"""How much of each column of a large row group is read at a time."""
_ENDING = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetRows:
    """The rows of a Parquet file; a position is the number of rows before it."""

    name: str
    """The name of the file, for messages."""
    zone: tzinfo = UTC
    """The time zone of times that do not say theirs."""

    is_table = True

    def rows(self, stream: BinaryIO, offset: int = 0, line: int = 0) -> Iterator[SourceRow]:
        """The rows after that many. Raises `ExtraMissing`, `WrongShape` or `FileDamaged`."""
        arrow = needed("pyarrow", "tables", f"read {self.name}")
        parquet = needed("pyarrow.parquet", "tables", f"read {self.name}")
        _check_ending(stream, self.name)
        try:
            yield from self._rows(arrow, parquet, stream, offset)
        except (OSError, arrow.ArrowException) as error:
            raise FileDamaged(f"is damaged ({str(error).partition(chr(10))[0][:200]})") from None

    def _rows(self, arrow: Any, parquet: Any, stream: BinaryIO, offset: int) -> Iterator[SourceRow]:
        opened = parquet.ParquetFile(arrow.PythonFile(stream, "r"))
        groups = [opened.metadata.row_group(index) for index in range(opened.metadata.num_row_groups)]
        is_large = any(group.total_byte_size > _LARGE_GROUP for group in groups)
        file = parquet.ParquetFile(
            arrow.PythonFile(stream, "r"),
            metadata=opened.metadata,
            buffer_size=_PIECE if is_large else 0,
            page_checksum_verification=True,
        )
        names = file.schema_arrow.names
        read = [column_reader(arrow, field.type, self.zone) for field in file.schema_arrow]
        number = 0
        for index, group in enumerate(groups):
            if number + group.num_rows <= offset:
                number += group.num_rows
                continue
            size = group.total_byte_size // max(1, group.num_rows)
            rows = max(1, min(_ROWS, _BATCH // max(1, size)))
            for batch in file.iter_batches(rows, row_groups=[index], use_threads=False):
                if number + batch.num_rows > offset:
                    columns = [convert(column) for convert, column in zip(read, batch.columns, strict=True)]
                    skipped = max(0, offset - number)
                    yield from _of_columns(names, columns, number + 1, skipped)
                number += batch.num_rows


def _of_columns(names: list[str], columns: list[Values], first: int, skipped: int) -> Iterator[SourceRow]:
    """The rows of a batch but the first few."""
    for number, row in enumerate(zip(*columns, strict=True), first):
        if number < first + skipped:
            continue
        values = dict(zip(names, row, strict=True))
        if None in row:
            values = {name: value for name, value in values.items() if value is not None}
        yield SourceRow(number, number, b"", values, place=f"#{number}")


def _check_ending(stream: BinaryIO, name: str) -> None:
    """Raises `WrongShape` for a stream that has no end yet, and `FileDamaged` if the end is not Parquet's."""
    try:
        size = stream.seek(0, io.SEEK_END)
    except (OSError, ValueError):  # also that seeking is not possible
        hint = "such as a pipe or a packed file: unpack it into a file first"
        raise WrongShape(
            f"cannot read {name}: Parquet cannot be read from its beginning to its end, {hint}"
        ) from None
    stream.seek(max(0, size - _ENDING))
    if not stream.read(_ENDING).endswith(b"PAR1"):
        raise FileDamaged("ends before its list of columns and rows, at its end (was the upload cut short?)")
    stream.seek(0)
