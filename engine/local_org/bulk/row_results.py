"""The result of each row of a job, as the store keeps it and as the files of results show it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from sfmap.engine.local_org.bulk.bulk_jobs import BulkJob
from sfmap.engine.local_org.bulk.csv_dialects import CsvTable
from sfmap.engine.local_org.bulk.job_chunks import CHUNK
from sfmap.engine.local_org.faults.org_faults import RecordError
from sfmap.engine.local_org.records.record_writer import SaveResult

_NAMES_FAILED = 53.0
"""The first version that names the records of failed rows."""
UNPROCESSED = "unprocessedrecords"
FILES = ("successfulresults", "failedresults", UNPROCESSED)
"""The files of results, in lower case: clients spell them differently."""


@dataclass(frozen=True, slots=True)
class RowResult:
    id: str
    created: bool
    errors: tuple[RecordError, ...]

    def stored(self) -> list[object]:
        return [self.id, self.created, [[one.code, one.message, list(one.fields)] for one in self.errors]]


def error_text(result: RowResult) -> str:
    """The errors of a row as one text."""
    return "".join(map(_error_text, result.errors))


def _error_text(error: RecordError) -> str:
    fields = f"{','.join(error.fields)} " if error.fields else ""
    return f"{error.code}:{error.message}:{fields}--"


def row_result(saved: SaveResult, named: str) -> RowResult:
    """The result of a saved record, or of one that was refused, with the id that its row named."""
    return RowResult(saved.id or named, saved.created and not saved.errors, saved.errors)


def read_results(chunks: Mapping[int, Sequence[object]]) -> dict[int, RowResult]:
    """The results of the rows that were processed, by their index."""
    return {
        number * CHUNK + place: _result(one)
        for number, stored in chunks.items()
        for place, one in enumerate(stored)
    }


def _result(stored: object) -> RowResult:
    assert isinstance(stored, list)
    record_id, created, errors = stored
    known = tuple(RecordError(code, message, tuple(names)) for code, message, names in errors)
    return RowResult(record_id, created, known)


def query_rows(chunks: Mapping[int, Sequence[object]]) -> list[list[str]]:
    """The header and the rows of a query."""
    return [[str(value) for value in row] for rows in chunks.values() for row in rows if isinstance(row, list)]


@dataclass(frozen=True, slots=True)
class ResultsFile:
    header: list[str]
    rows: list[list[str]]


def results_file(name: str, table: CsvTable, results: Mapping[int, RowResult], job: BulkJob) -> ResultsFile:
    """One of the three files, with its rows in an order other than that of the upload."""
    ended = [(result, table.rows[number]) for number, result in results.items()]
    if name == "successfulresults":
        head = ['"sf__Id"', '"sf__Created"']
        rows = [[one.id, str(one.created).lower(), *row] for one, row in ended if not one.errors]
    elif name == "failedresults":
        head = ['"sf__Id"', '"sf__Error"']
        named = float(job.version) >= _NAMES_FAILED
        rows = [[one.id * named, error_text(one), *row] for one, row in ended if one.errors]
    else:
        head = []
        rows = [[*row] for number, row in enumerate(table.rows) if number not in results]
    Random(f"{job.id} {name}").shuffle(rows)  # noqa: S311
    return ResultsFile([*head, *table.header], rows)


def with_columns(table: CsvTable, names: Collection[str]) -> CsvTable:
    """The table with the columns that have one of these names."""
    kept = [number for number, name in enumerate(table.header) if name in names]
    if len(kept) == len(table.header):
        return table
    rows = [[row[number] for number in kept if number < len(row)] for row in table.rows]
    return CsvTable([table.header[number] for number in kept], rows, table.mistakes)
