"""Bulk jobs, their batches and results, kept in the org's database."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

from sfmap.engine.local_org.bulk.csv_dialects import CsvDialect
from sfmap.engine.local_org.records.ids import full_id, new_id, number_of
from sfmap.engine.local_org.records.store import Store, Stored, now, stored_moment

JobType = Literal["V2Ingest", "V2Query", "Classic"]
ENDED = ("JobComplete", "Failed", "Aborted")
_JOB_PREFIX, _BATCH_PREFIX = "750", "751"
_LARGEST_NUMBER = 2**63 - 1
"""Of a row in SQLite; an id can stand for a larger one."""
_OPEN_HOURS = 24
"""How long an ingest job may stay Open."""
_KEPT_DAYS = 7
_TABLES = (
    "CREATE TABLE IF NOT EXISTS sfmap_bulk_jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, job_type TEXT,"
    " operation TEXT, object_name TEXT, key TEXT, content_type TEXT, delimiter TEXT, line_ending TEXT,"
    " version TEXT, rule TEXT, concurrency TEXT, state TEXT, created TEXT, changed TEXT, error TEXT,"
    " uploads INTEGER)",
    "CREATE TABLE IF NOT EXISTS sfmap_bulk_batches (number INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER,"
    " state TEXT, created TEXT, changed TEXT, error TEXT, processed INTEGER, failed INTEGER, retries INTEGER,"
    " milliseconds INTEGER)",
    # The data is apart: SQLite writes a row as a whole, and a batch changes with each of its chunks.
    "CREATE TABLE IF NOT EXISTS sfmap_bulk_data (batch INTEGER PRIMARY KEY, content BLOB)",
    "CREATE INDEX IF NOT EXISTS sfmap_bulk_batches_job ON sfmap_bulk_batches (job)",
    "CREATE TABLE IF NOT EXISTS sfmap_bulk_chunks (batch INTEGER, number INTEGER, results TEXT,"
    " PRIMARY KEY (batch, number))",
)


@dataclass(frozen=True, kw_only=True)
class BulkJob:
    number: int
    job_type: JobType
    operation: str
    object_name: str
    key: str
    """The field that identifies the records of an upsert."""
    content_type: str
    delimiter: str
    line_ending: str
    version: str
    rule: str
    """The assignment rule."""
    concurrency: str
    state: str
    created: str
    changed: str
    error: str
    uploads: int
    """How many uploads were sent, of which a job takes one."""

    @cached_property
    def id(self) -> str:
        return new_id(_JOB_PREFIX, self.number)

    @property
    def dialect(self) -> CsvDialect:
        return CsvDialect(self.delimiter, self.line_ending)

    @property
    def is_query(self) -> bool:
        return self.operation in ("query", "queryAll")


@dataclass(frozen=True, kw_only=True)
class BulkBatch:
    number: int
    job: int
    state: str
    """`Queued`, `InProgress`, `Completed`, `Failed` or `NotProcessed`."""
    created: str
    changed: str
    error: str
    processed: int
    """The number of rows processed, also those that failed."""
    failed: int
    retries: int
    milliseconds: int

    @cached_property
    def id(self) -> str:
        return new_id(_BATCH_PREFIX, self.number)


_JOB_COLUMNS = ", ".join(field.name for field in fields(BulkJob))
_BATCH_COLUMNS = ", ".join(field.name for field in fields(BulkBatch))


class BulkJobs:
    """The jobs of a store. Call it in a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepare(self) -> None:
        for statement in _TABLES:
            self._store.run(statement)

    def create(self, job_type: JobType, **values: Stored) -> BulkJob:
        moment = now()
        known: dict[str, Stored] = {
            "key": "",
            "content_type": "CSV",
            "delimiter": "COMMA",
            "line_ending": "LF",
            "rule": "",
            "concurrency": "Parallel",
            "state": "Open",
            "error": "",
            "uploads": 0,
            "created": moment,
            "changed": moment,
        }
        number = self._insert("sfmap_bulk_jobs", {**known, "job_type": job_type, **values})
        (job,) = self._jobs("number = ?", number)
        return job

    def find(self, job_id: str, *types: JobType) -> BulkJob | None:
        """The job with this id if it is of one of the types."""
        named = full_id(job_id)
        number = number_of(named) if named else 0
        found = self._jobs("number = ?", number) if number <= _LARGEST_NUMBER else []
        return found[0] if found and found[0].id == named and found[0].job_type in types else None

    def listed(self, types: Sequence[JobType], start: int, most: int) -> list[BulkJob]:
        """A page of the jobs, in no order that a client could rely on."""
        places = ", ".join("?" * len(types))
        condition = f"job_type IN ({places}) ORDER BY number * 7919 % 1009, number LIMIT {most} OFFSET {start}"
        return self._jobs(condition, *types)

    def last(self, most: int) -> list[BulkJob]:
        """The newest jobs of all types."""
        return self._jobs(f"1 ORDER BY number DESC LIMIT {most}")

    def change(self, job: BulkJob, **values: Stored) -> BulkJob:
        self._update("sfmap_bulk_jobs", job.number, {"changed": now(), **values})
        (changed,) = self._jobs("number = ?", job.number)
        return changed

    def delete(self, job: BulkJob) -> None:
        self._delete([job.number])

    def expire(self) -> None:
        """Aborts ingest jobs that have been open for too long, and deletes old jobs."""
        opened, made = _before(hours=_OPEN_HOURS), _before(days=_KEPT_DAYS)
        self._store.run(
            "UPDATE sfmap_bulk_jobs SET state = 'Aborted', changed = ? WHERE state = 'Open' AND created < ?"
            " AND job_type = 'V2Ingest'",
            [now(), opened],
        )
        self._delete([job.number for job in self._jobs("created < ?", made)])

    def add_batch(self, job: BulkJob, content: bytes) -> BulkBatch:
        moment = now()
        counters: dict[str, Stored] = {"processed": 0, "failed": 0, "retries": 0, "milliseconds": 0, "error": ""}
        values = {**counters, "job": job.number, "state": "Queued", "created": moment, "changed": moment}
        number = self._insert("sfmap_bulk_batches", values)
        self._store.run("INSERT INTO sfmap_bulk_data VALUES (?, ?)", [number, content])
        return self.batches(job)[-1]

    def batches(self, job: BulkJob) -> list[BulkBatch]:
        return self._batches("job = ? ORDER BY number", job.number)

    def batch(self, number: int) -> tuple[BulkJob, BulkBatch] | None:
        for batch in self._batches("number = ?", number):
            for job in self._jobs("number = ?", batch.job):
                return job, batch
        return None

    def unfinished(self) -> list[int]:
        """The numbers of the batches that wait or are being processed."""
        return [batch.number for batch in self._batches("state IN ('Queued', 'InProgress') ORDER BY number")]

    def content(self, batch: BulkBatch) -> bytes:
        return self._store.blob("SELECT content FROM sfmap_bulk_data WHERE batch = ?", batch.number)

    def change_batch(self, batch: BulkBatch, **values: Stored) -> None:
        self._update("sfmap_bulk_batches", batch.number, {"changed": now(), **values})

    def add_results(self, batch: BulkBatch, number: int, results: object) -> None:
        values: list[Stored] = [batch.number, number, json.dumps(results)]
        self._store.run("INSERT INTO sfmap_bulk_chunks VALUES (?, ?, ?)", values)

    def results(self, batch: BulkBatch) -> dict[int, list[object]]:
        """The results of the rows of each chunk, by its number."""
        query = "SELECT number, results FROM sfmap_bulk_chunks WHERE batch = ? ORDER BY number"
        return _read(self._store.select(query, [batch.number]))

    def some_results(self, batch: BulkBatch, first: int, last: int) -> dict[int, list[object]]:
        """The same of the chunks with these numbers and those between."""
        query = (
            "SELECT number, results FROM sfmap_bulk_chunks WHERE batch = ? AND number BETWEEN ? AND ?"
            " ORDER BY number"
        )
        return _read(self._store.select(query, [batch.number, first, last]))

    def chunks(self, batch: BulkBatch) -> set[int]:
        """The numbers of the chunks that have results."""
        query = "SELECT number FROM sfmap_bulk_chunks WHERE batch = ?"
        return {int(str(number)) for (number,) in self._store.select(query, [batch.number])}

    def _jobs(self, condition: str, *parameters: Stored) -> list[BulkJob]:
        query = f"SELECT {_JOB_COLUMNS} FROM sfmap_bulk_jobs WHERE {condition}"  # noqa: S608
        return [BulkJob(**_named(BulkJob, row)) for row in self._store.select(query, parameters)]

    def _batches(self, condition: str, *parameters: Stored) -> list[BulkBatch]:
        query = f"SELECT {_BATCH_COLUMNS} FROM sfmap_bulk_batches WHERE {condition}"  # noqa: S608
        return [BulkBatch(**_named(BulkBatch, row)) for row in self._store.select(query, parameters)]

    def _insert(self, table: str, values: Mapping[str, Stored]) -> int:
        places = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({', '.join(values)}) VALUES ({places})"  # noqa: S608
        return self._store.run(statement, list(values.values()))

    def _update(self, table: str, number: int, values: Mapping[str, Stored]) -> None:
        changes = ", ".join(f"{name} = ?" for name in values)
        statement = f"UPDATE {table} SET {changes} WHERE number = ?"  # noqa: S608
        self._store.run(statement, [*values.values(), number])

    def _delete(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            batches = "(SELECT number FROM sfmap_bulk_batches WHERE job = ?)"
            for table in ("sfmap_bulk_chunks", "sfmap_bulk_data"):
                self._store.run(f"DELETE FROM {table} WHERE batch IN {batches}", [number])  # noqa: S608
            self._store.run("DELETE FROM sfmap_bulk_batches WHERE job = ?", [number])
            self._store.run("DELETE FROM sfmap_bulk_jobs WHERE number = ?", [number])


def _read(chunks: Iterable[Sequence[Stored]]) -> dict[int, list[object]]:
    return {int(str(number)): json.loads(str(results)) for number, results in chunks}


def _named(kind: type[BulkJob] | type[BulkBatch], row: Sequence[Stored]) -> dict[str, Any]:
    return dict(zip((field.name for field in fields(kind)), row, strict=True))


def _before(**span: float) -> str:
    return stored_moment(datetime.now(UTC) - timedelta(**span))
