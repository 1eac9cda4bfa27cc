"""Reads the rows of CSV files: values are text, and empty cells are absent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.messages.counts import counted
from sfmap.engine.sources.formats.csv_records import CsvRecord, CsvRecords
from sfmap.engine.sources.rows import FileDamaged, SourceRow


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRows:
    """The rows below a header, or all rows."""

    delimiter: str = ","
    encoding: str = "utf-8"
    has_header: bool = True
    columns: tuple[str, ...] = ()
    """The columns as far as they were seen when the format was found out."""

    is_table = True

    def rows(self, stream: BinaryIO, offset: int = 0, line: int = 0) -> Iterator[SourceRow]:
        """The rows after that offset: lines are counted from the beginning of the file.

        Raises `FileDamaged` where quotes are not closed, or the header cannot be read.
        """
        records = CsvRecords(stream, self.delimiter, self.encoding)
        first = next(iter(records), None)
        if first is None:
            return
        if self.has_header and first.problem:
            raise FileDamaged(f"has a header that cannot be read ({first.problem})")
        columns = column_names(first.cells, has_header=self.has_header)
        if offset:
            records.move_to(offset)
        elif not self.has_header:
            yield _row(first, columns, records.offset)
        for record in records:
            yield _row(record, columns, records.offset)


def _row(record: CsvRecord, columns: Sequence[str], end: int) -> SourceRow:
    cells, line, raw, problem = record
    if problem:
        return SourceRow(end, line, raw, None, problem)
    if len(cells) != len(columns):
        fields = counted(len(cells), "field")
        return SourceRow(end, line, raw, None, f"{fields} instead of {len(columns)}")
    values: dict[str, Json] = dict(zip(columns, cells, strict=True))
    if "" in cells:
        values = {column: value for column, value in values.items() if value}
    return SourceRow(end, line, raw, values)


def column_names(cells: Sequence[str], *, has_header: bool = True) -> tuple[str, ...]:
    """A name of its own for each column: `column 3` if it has none, `email (2)` for the second one of a name."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = (cell.strip() if has_header else "") or f"column {number}"
        copies = (f"{name} ({count})" for count in range(2, len(cells) + 2))
        names.append(name if name not in names else next(copy for copy in copies if copy not in names))
    return tuple(names)
