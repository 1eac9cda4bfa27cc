"""Takes loads through their jobs, several at once: each step is in the journal before it is taken.

A job whose answer is lost, or whose process was killed, is asked for what it did. Nothing is sent a second time
that may have been processed.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from queue import Empty, SimpleQueue
from threading import Event

from sfmap.engine.delivery.expected_outcomes import LOST, stored_answer
from sfmap.engine.delivery.progress import JobProgress
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.load_table import LoadTable
from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_join import RowIndex, RowsDoNotAddUp, join
from sfmap.engine.org.bulk_port import AnsweredRow, BulkOrg, JobLook, Load
from sfmap.engine.org.port import CallRefused, ObjectDescription, OrgError, OrgUnavailable

FIRST_PAUSE = 0.25
"""Seconds before a job is looked at for the first time; each further pause is twice as long, up to two minutes."""
_LONGEST_PAUSE = 120.0
_MOST_REFUSED = 5
"""How often closing a job may be refused before it is given up."""


@dataclass(eq=False, slots=True, kw_only=True)
class LoadJob:
    """A load whose job is under way."""

    number: int
    """The load's number in the journal."""
    load: Load
    rows: int
    data: BulkData | None = None
    """The rows to upload; None if the job may have been closed already."""
    job: str = ""
    """The id of its job."""
    is_own: bool = True
    """Whether it is of the same source: otherwise its results are left to a run of that source."""
    is_refused: str = ""
    """Why the org takes no such job: its rows must be sent otherwise."""
    state: str = ""
    """The last state that the org has told."""
    processed: int = 0
    """The rows that the org has processed."""
    closed_at: float = 0.0
    """The monotonic time from which on the org processes it; 0 before."""


@dataclass(slots=True)
class LoadJobs:
    """The jobs under way. Each has a thread of its own; what those raise is raised where they are waited for."""

    org: BulkOrg
    described: Callable[[str], ObjectDescription]
    """The description of an object."""
    table: LoadTable
    waiter: Waiter
    """Stops once `stopping` is set, too."""
    together: int
    stopping: Event
    running: list[LoadJob] = field(default_factory=list)
    _finished: SimpleQueue[tuple[LoadJob, BaseException | None]] = field(default_factory=SimpleQueue)
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._pool = ThreadPoolExecutor(self.together, "bulk job")

    def begin(self, job: LoadJob) -> None:
        """Begins, or goes on with, the job of a load; not when everything ends."""
        if not self.stopping.is_set():
            self.running.append(job)
            self._pool.submit(self._work, job)

    def close(self) -> None:
        """Ends the threads; jobs go on in the org."""
        self.stopping.set()
        self._pool.shutdown(cancel_futures=True)

    def progress(self) -> JobProgress:
        """How far the jobs under way are."""
        now = time.monotonic()
        return JobProgress(
            jobs=len(self.running),
            rows=sum(job.rows for job in self.running),
            processed=sum(job.processed for job in self.running),
            seconds=max((now - job.closed_at for job in self.running if job.closed_at), default=0.0),
        )

    @property
    def has_finished(self) -> bool:
        """Whether a job has finished."""
        return not self._finished.empty()

    def next_finished(self) -> LoadJob | None:
        """A job that has finished, if there is one. Raises what its thread raised."""
        try:
            job, failure = self._finished.get_nowait()
        except Empty:
            return None
        self.running.remove(job)
        if failure:
            raise failure
        return job

    def _work(self, job: LoadJob) -> None:
        try:
            self._deliver(job)
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._finished.put((job, error))
        else:
            self._finished.put((job, None))

    def _deliver(self, job: LoadJob) -> None:
        """Takes the load from where it is until the results of all rows are in the journal."""
        if job.data is not None:
            try:
                job.job = self._upload(job, job.data)
            except CallRefused as refused:
                job.is_refused = refused.message
                return
            self.table.closing(job.number)
        ended = self._wait(job, is_new=job.data is not None)
        if job.is_own:
            self._store_results(job, ended)

    def _upload(self, job: LoadJob, data: BulkData) -> str:
        """The id of a job that has all rows and is not closed yet."""
        while True:
            self.waiter.check_stop()
            # If the answer is lost, an empty job is left, which the org never processes.
            opened = self.waiter.ask(lambda: self.org.open(job.load))
            self.table.opened(job.number, opened)
            try:
                self.org.upload(opened, data)
            except OrgError as error:
                # What has arrived is not known. Nothing is processed before a job is closed: this one never is.
                self.abort(opened)
                if not isinstance(error, OrgUnavailable):
                    raise
                self.waiter.wait_after(error)
            else:
                self.waiter.answered()
                return opened

    def abort(self, job_id: str) -> None:
        """Ends a job that is not closed, if the org can be reached: otherwise it removes the job by itself."""
        with suppress(OrgError):
            self.org.abort(job_id)

    def _wait(self, job: LoadJob, *, is_new: bool) -> JobLook | None:
        """The job when it has ended; None if it is gone from the org. Closes it if it is still open."""
        pause, refused = FIRST_PAUSE, 0
        if is_new:
            refused += self._close(job)
        job.closed_at = time.monotonic()
        while True:
            look = self.waiter.ask(lambda: self.org.look(job.job))
            if look is None:
                return None
            job.state, job.processed = look.state, look.processed
            if look.has_ended:
                return look
            if look.state == "Open":
                if refused >= _MOST_REFUSED:
                    self.abort(job.job)
                refused += self._close(job)
            self.waiter.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _close(self, job: LoadJob) -> int:
        """Has the org process the job; returns how often it has refused that. `look` tells after a lost answer."""
        try:
            self.org.close(job.job)
        except CallRefused:
            return 1
        except OrgUnavailable as error:
            self.waiter.wait_after(error)
        return 0

    def _store_results(self, job: LoadJob, ended: JobLook | None) -> None:
        index = job.data.index if job.data else self._index(job)
        if ended is None or not len(index):
            self.table.answer(job.number, ((place, LOST) for place in range(len(index))))
            return
        while True:
            self.waiter.check_stop()
            try:
                results = self.org.results(ended, len(index))
                # With the first row everything has been fetched: the transaction waits for no call.
                every = chain(list(islice(results, 1)), results)
                self.table.answer(job.number, _answers(job.load, every, index))
            except OrgUnavailable as error:
                self.waiter.wait_after(error)
            else:
                self.waiter.answered()
                return

    def _index(self, job: LoadJob) -> RowIndex:
        index = RowIndex()
        for place, key in self.table.keys(job.number):
            if index.add(key) != place:
                raise SfmapError(f"the journal lacks a row of the bulk job {job.job}")
        return index


def _answers(load: Load, results: Iterable[AnsweredRow], index: RowIndex) -> Iterator[tuple[int, bytes]]:
    try:
        for place, outcome in join(load, index, results):
            yield place, stored_answer(outcome)
    except RowsDoNotAddUp as error:
        raise OrgUnavailable(str(error)) from None
