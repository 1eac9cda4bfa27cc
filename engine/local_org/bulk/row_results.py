"""The result of each row of a job, as the store keeps it and as the files of results show it."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from sfmap.engine.local_org.bulk.csv_dialects import CsvTable
from sfmap.engine.local_org.faults.org_faults import RecordError
from sfmap.engine.local_org.records.record_writer import SaveResult

FILES = ("successfulresults", "failedresults", "unprocessedrecords")
"""The files of results, in lower case: clients spell them differently."""


@dataclass(frozen=True, slots=True)
class RowResult:
    id: str
    created: bool
    errors: tuple[RecordError, ...]

    def stored(self) -> list[object]:
        return [self.id, self.created, [[one.code, one.message, list(one.fields)] for one in self.errors]]

    def error_text(self) -> str:
        return "".join(
            f"{one.code}:{one.message}:{','.join(one.fields)}{' ' * bool(one.fields)}--" for one in self.errors
        )


def error_text(result: RowResult) -> str:
    """The errors of a row as one text."""
    return "".join(map(_error_text, result.errors))


def _error_text(error: RecordError) -> str:
    fields = f"{','.join(error.fields)} " if error.fields else ""
    return f"{error.code}:{error.message}:{fields}--"


def row_result(saved: SaveResult, named: str) -> RowResult:
    """The result of a saved record, or of one that was refused, with the id that its row named."""
    return RowResult(saved.id or named, saved.created, saved.errors)


def read_results(stored: Sequence[object]) -> list[RowResult]:
    results = []
    for one in stored:
        assert isinstance(one, list)
        record_id, created, errors = one
        known = tuple(RecordError(code, message, tuple(names)) for code, message, names in errors)
        results.append(RowResult(record_id, created, known))
    return results


def query_rows(stored: Sequence[object]) -> list[list[str]]:
    """The header and the rows of a query, as they were stored."""
    return [[str(value) for value in row] for row in stored if isinstance(row, list)]


@dataclass(frozen=True, slots=True)
class ResultsFile:
    header: list[str]
    rows: list[list[str]]


def results_file(name: str, table: CsvTable, results: Sequence[RowResult], seed: str) -> ResultsFile:
    """One of the three files, with its rows in an order other than that of the upload."""
    ended = list(zip(results, table.rows, strict=False))
    if name == "successfulresults":
        head = ['"sf__Id"', '"sf__Created"']
        rows = [[one.id, str(one.created).lower(), *row] for one, row in ended if not one.errors]
    elif name == "failedresults":
        head = ['"sf__Id"', '"sf__Error"']
        rows = [[one.id, error_text(one), *row] for one, row in ended if one.errors]
    else:
        head = []
        rows = [[*row] for row in table.rows[len(results) :]]
    Random(f"{seed} {name}").shuffle(rows)  # noqa: S311
    return ResultsFile([*head, *table.header], rows)
