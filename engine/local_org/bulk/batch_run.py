"""Processes one batch of a job: its rows are written in chunks, or its query is run."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event

from sfmap.engine.local_org.bulk.batch_data import batch_table
from sfmap.engine.local_org.bulk.bulk_jobs import BulkBatch, BulkJob, BulkJobs
from sfmap.engine.local_org.bulk.chunk_writer import DELETES, RowWrites
from sfmap.engine.local_org.bulk.csv_columns import read_columns
from sfmap.engine.local_org.bulk.csv_dialects import CsvTable, InvalidBatch, csv_text, decoded
from sfmap.engine.local_org.bulk.job_chunks import CHUNK, PER_BATCH, STORED_TOGETHER, chunk_order
from sfmap.engine.local_org.bulk.query_results import result_header, result_record, result_row
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.daily_use import DailyUse, count_use
from sfmap.engine.local_org.calls.fair_lock import FairLock
from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.fault_plan import PROCESS_BATCH, InjectedFault
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.exchanges import Exchange
from sfmap.engine.local_org.records.record_writer import Writer
from sfmap.engine.local_org.soql.query_runs import selected
from sfmap.engine.local_org.soql.soql_compiler import compile_query

_AGAIN_SECONDS = 1
_MOST_TRIES = 20
_PASSING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_LOCKED)
"""Errors of the database that may pass, such as a full disk."""
_PRIMARY_CODE = 0xFF
_BROKEN = "InternalServerError : The batch could not be processed"
_TOO_OFTEN = "InternalServerError : The batch was retried too often"


class _Ended(Exception):
    """The org stops, or somebody ended the job."""


class BatchRun:
    def __init__(
        self, calls: ApiCalls, faults: FaultsEndpoint, stopping: Event, turn: FairLock, *, number: int
    ) -> None:
        """All batches share the turn, so that an API call waits for one step of one batch at most."""
        self._calls = calls
        self._faults = faults
        self._stopping = stopping
        self._turn = turn
        self._number = number
        self._jobs = BulkJobs(calls.store)

    def run(self) -> None:
        with suppress(_Ended):
            for tries in count(1):
                try:
                    self._until_end(tries)
                except sqlite3.Error:  # the next try goes on after the last chunk that was written
                    self._stopping.wait(_AGAIN_SECONDS)
                else:
                    return

    def _until_end(self, tries: int) -> None:
        try:
            self._process()
        except InvalidBatch as invalid:
            self._end("Failed", str(invalid))
        except Fault as fault:
            self._end("Failed", f"InvalidBatch : {fault.message}")
        except sqlite3.Error as error:
            if tries < _MOST_TRIES and error.sqlite_errorcode & _PRIMARY_CODE in _PASSING:
                raise
            self._end("Failed", f"InternalServerError : The local org's database: {error}")
        except (ArithmeticError, RecursionError, ValueError):  # data that nothing before it refused
            self._end("Failed", _BROKEN)

    def _process(self) -> None:
        with self._step() as (job, batch):
            content = self._jobs.content(batch)
            self._jobs.change_batch(batch, state="InProgress")
            if job.job_type != "Classic":
                self._jobs.change(job, state="InProgress")
        if job.is_query:
            self._query(job, decoded(content))
        else:
            self._write(job, batch, content)
        self._end("Completed")

    @contextmanager
    def _step(self) -> Iterator[tuple[BulkJob, BulkBatch]]:
        with self._turn, self._calls.lock, self._transaction() as running:
            yield running

    @contextmanager
    def _transaction(self) -> Iterator[tuple[BulkJob, BulkBatch]]:
        """The job as it is now. Raises `_Ended` if it is not to be processed any longer."""
        if self._stopping.is_set():
            raise _Ended
        with self._calls.store.transaction():
            yield self._running()

    def _running(self) -> tuple[BulkJob, BulkBatch]:
        found = self._jobs.batch(self._number)
        if found is None:
            raise _Ended
        job, batch = found
        states = ("Open", "Closed") if job.job_type == "Classic" else ("UploadComplete", "InProgress")
        if job.state not in states or batch.state not in ("Queued", "InProgress"):
            raise _Ended
        return job, batch

    def _end(self, state: str, error: str = "") -> None:
        """Ends the batch, and with it a job of Bulk API 2.0, which has one."""
        with self._step() as (job, batch):
            self._jobs.change_batch(batch, state=state, error=error)
            if job.job_type != "Classic":
                ended = "JobComplete" if state == "Completed" else state
                self._jobs.change(job, state=ended, error=error)

    def _query(self, job: BulkJob, text: str) -> None:
        self._fault()
        with self._step() as (_, batch):
            if self._jobs.chunks(batch):  # the org was stopped between the results and the end of the job
                return
            started = time.perf_counter()
            query = compile_query(text, self._calls.schema, job.operation == "queryAll", USER_ID)
            rows = selected(query, self._calls.store)
            self._jobs.add_results(batch, 0, [result_header(query)])
            stored = result_record if job.content_type == "JSON" else result_row
            for start in range(0, len(rows), STORED_TOGETHER):
                some = [stored(query, row) for row in rows[start : start + STORED_TOGETHER]]
                self._jobs.add_results(batch, start + 1, some)
            milliseconds = round((time.perf_counter() - started) * 1000)
            self._jobs.change_batch(batch, processed=len(rows), milliseconds=milliseconds)

    def _write(self, job: BulkJob, batch: BulkBatch, content: bytes) -> None:
        with self._turn:
            table = batch_table(job, content)
        target = self._calls.schema.object(job.object_name)
        if target is None:
            raise InvalidBatch(f"InvalidBatch : Unable to find object: {job.object_name}")
        columns = read_columns(table.header, target, self._calls.schema)
        others = [column.name for column in columns if column.name != "Id"]
        if job.operation in DELETES and others:
            raise InvalidBatch(f"InvalidBatch : Field name not found : {others[0]}")
        writes = RowWrites(operation=job.operation, key=job.key, target=target, columns=columns)
        with self._step():
            done = self._jobs.chunks(batch)
        for number in chunk_order(len(table.rows), job.id):
            if number not in done:
                self._chunk(writes, table, number)

    def _chunk(self, writes: RowWrites, table: CsvTable, number: int) -> None:
        injected = self._fault()
        chunk = table.part(number * CHUNK, CHUNK)
        started = time.perf_counter()
        with self._turn, self._calls.lock:
            with self._transaction() as (job, batch):
                if number % PER_BATCH == 0:
                    self._count_batch()
                writer = Writer(self._calls.store, self._calls.schema, USER_ID, injected=injected)
                results = writes.write(chunk, writer)
                failed = sum(bool(one.errors) for one in results)
                seconds = time.perf_counter() - started
                self._jobs.add_results(batch, number, [one.stored() for one in results])
                self._jobs.change_batch(
                    batch,
                    processed=batch.processed + len(results),
                    failed=batch.failed + failed,
                    milliseconds=batch.milliseconds + round(seconds * 1000),
                )
            self._log(job, chunk, injected, failed=failed, seconds=seconds)

    def _log(
        self, job: BulkJob, chunk: CsvTable, injected: InjectedFault | None, *, failed: int, seconds: float
    ) -> None:
        data = csv_text(chunk.header, chunk.rows, job.dialect).encode()
        self._calls.log(
            f"{PROCESS_BATCH} {job.operation}",
            job.object_name,
            outcome=f"{failed} refused" if failed else "ok",
            seconds=seconds,
            exchange=Exchange(url=f"job {job.id}", client="", request=data),
            records=len(chunk.rows),
            fault=injected.kind if injected else "",
        )

    def _count_batch(self) -> None:
        if not count_use(self._calls.store, DailyUse.DailyBulkApiBatches):
            raise InvalidBatch("ExceededQuota : The batches of 24 hours are used up")

    def _fault(self) -> InjectedFault | None:
        """The fault that hits the next chunk's records. A fault of the whole chunk has it tried again."""
        for _ in range(_MOST_TRIES):
            injected = self._faults.plan.fault_for(PROCESS_BATCH)
            if injected is None or injected.hits_records:
                return injected
            self._wait(injected)
            if injected.kind == "slow":
                return injected
            if injected.kind == "job_aborted":
                self._end("Aborted")
                raise _Ended
            if injected.kind == "job_failed":
                raise InvalidBatch(injected.text(_BROKEN))
            with self._step() as (_, batch):
                self._jobs.change_batch(batch, retries=batch.retries + 1)
        raise InvalidBatch(_TOO_OFTEN)

    def _wait(self, injected: InjectedFault) -> None:
        if injected.kind in ("slow", "timeout") and self._stopping.wait(injected.seconds):
            raise _Ended
