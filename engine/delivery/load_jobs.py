"""Takes loads through their jobs, several at once: each step is in the journal before it is taken.

A job whose answer is lost, or whose process was killed, is asked for what it did. Nothing is sent a second time
that may have been processed.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count, islice
from queue import Empty, SimpleQueue
from threading import Event, Lock

from sfmap.engine.delivery.answers_in_order import in_order
from sfmap.engine.delivery.expected_outcomes import LOST, stored_answer
from sfmap.engine.delivery.progress import JobProgress
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.load_table import LoadTable
from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_join import RowIndex, RowsDoNotAddUp, join
from sfmap.engine.org.bulk_port import AnsweredRow, BulkOrg, JobLook, Load, ResultsLackRows
from sfmap.engine.org.port import (
    CallRefused,
    LimitReached,
    ObjectDescription,
    OrgError,
    OrgUnavailable,
    SignInRefused,
)

FIRST_PAUSE = 1.0
"""Seconds before a small job is looked at for the first time; each further pause is twice as long."""
_SMALL = 10_000
"""The most rows of a small job; others are first looked at as much later as they have more."""
_LONGEST_PAUSE = 120.0
"""Seconds between two looks at a job that does not show how far it is."""
_LONGEST_KNOWN_PAUSE = 600.0
"""The same for a job that does."""
_OVERDUE_SHARE = 0.1
"""A job that should have ended is looked at again after this part of the time that it has taken so far."""
_MOST_REFUSED = 5
"""How often closing a job may be refused before it is given up."""
_MOST_TRIES = 10
"""How often a job is opened and filled before calls do instead, and results are asked for that lack rows."""

_LOOKED_UP = (
    "Records without a result are looked up and sent again; those that no lookup finds become dead letters."
)
_WITHOUT_RESULT = f"This was asked for ten times. {_LOOKED_UP}"


@dataclass(eq=False, slots=True, kw_only=True)
class LoadJob:
    """A load whose job is under way."""

    number: int
    """The load's number in the journal."""
    load: Load
    rows: int
    data: BulkData | None = None
    """The rows to upload; None once the job may have been closed."""
    job: str = ""
    """The id of its job."""
    is_own: bool = True
    """Whether it is of the same source: otherwise its results are left to a run of that source."""
    refusal: OrgError | None = None
    """Why the org takes no such job: its rows must be sent otherwise."""
    state: str = ""
    """The last state that the org has told."""
    processed: int = 0
    """The rows that the org has processed."""
    closed_at: float = 0.0
    """The monotonic time from which on the org processes it; 0 before."""
    looked_at: float = 0.0
    """The monotonic time of the last look at it."""

    @property
    def seconds_left(self) -> float:
        """How long the rest will take from the last look on, by the rows before it; 0 if that is not known."""
        left = max(0, self.rows - self.processed)
        return (self.looked_at - self.closed_at) * left / self.processed if self.processed else 0.0

    def pause(self, usual: float) -> float:
        """Seconds to the next look: until it should have ended, if it shows how far it is."""
        if not self.processed:
            return usual
        so_far = self.looked_at - self.closed_at
        least = max(FIRST_PAUSE, _OVERDUE_SHARE * so_far)
        return min(max(self.seconds_left, least), so_far + FIRST_PAUSE, _LONGEST_KNOWN_PAUSE)


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
    _storing: Lock = field(default_factory=Lock)
    """The keys and answers of one job at a time are in memory: jobs may be under way for hours."""
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
        return JobProgress(
            jobs=len(self.running),
            rows=sum(job.rows for job in self.running),
            processed=sum(job.processed for job in self.running),
            seconds_left=max((job.seconds_left for job in self.running), default=0.0),
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
        is_new = job.data is not None
        if job.data is not None:
            try:
                job.job = self._upload(job, job.data)
            except (LimitReached, SignInRefused):
                raise
            except OrgError as refusal:  # nothing is processed yet, and calls may do
                job.refusal = refusal
                return
            self.table.closing(job.number)
            job.data.close()
            job.data = None
        ended = self._wait(job, is_new=is_new)
        if job.is_own:
            if said := _unusual_end(job, ended):
                self.waiter.say(said)
            self._store_results(job, ended)

    def _upload(self, job: LoadJob, data: BulkData) -> str:
        """The id of a job that has all rows and is not closed yet."""
        began = time.monotonic()
        for tries in count(1):
            self.waiter.check_stop()
            try:
                opened = self._open(job, data)
            except OrgUnavailable as error:
                if tries >= _MOST_TRIES and self.waiter.has_answered_since(began):
                    raise
                self.waiter.wait_after(error)
            else:
                break
        self.waiter.answered()
        return opened

    def _open(self, job: LoadJob, data: BulkData) -> str:
        # If the answer is lost, an empty job is left, which the org never processes.
        opened = self.org.open(job.load)
        self.table.opened(job.number, opened)
        try:
            self.org.upload(opened, data)
        except OrgError:
            # What has arrived is not known. Nothing is processed before a job is closed: this one never is.
            self.abort(opened)
            raise
        return opened

    def abort(self, job_id: str) -> None:
        """Ends a job that is not closed, if the org can be reached: otherwise it removes the job by itself."""
        with suppress(OrgError):
            self.org.abort(job_id)

    def _wait(self, job: LoadJob, *, is_new: bool) -> JobLook | None:
        """The job when it has ended; None if it is gone from the org. Closes it if it is still open."""
        pause, refused = FIRST_PAUSE * max(1.0, job.rows / _SMALL), 0
        if is_new:
            refused += self._close(job)
        job.closed_at = time.monotonic()
        while True:
            look = self.waiter.ask(lambda: self.org.look(job.job))
            if look is None:
                return None
            job.state, job.processed, job.looked_at = look.state, look.processed, time.monotonic()
            if look.has_ended:
                return look
            if look.state == "Open":
                if refused >= _MOST_REFUSED:
                    self.abort(job.job)
                refused += self._close(job)
            self.waiter.sleep(job.pause(pause))
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
        if ended is None or not job.rows:
            self.table.answer(job.number, ((place, LOST) for place in range(job.rows)))
            return
        pause, tries = FIRST_PAUSE, 1
        while True:
            self.waiter.check_stop()
            try:
                self._store(job, ended, may_lack=tries > _MOST_TRIES)
            except ResultsLackRows as error:
                if tries == _MOST_TRIES:
                    self.waiter.say(f"{error.message} {_WITHOUT_RESULT}")
                else:
                    self.waiter.sleep(pause)
                pause, tries = min(2 * pause, _LONGEST_PAUSE), tries + 1
            except OrgUnavailable as error:
                self.waiter.wait_after(error)
            else:
                self.waiter.answered()
                return

    def _store(self, job: LoadJob, ended: JobLook, *, may_lack: bool) -> None:
        with self._storing:
            index = self._index(job)
            results = self.org.results(ended, len(index), may_lack=may_lack)
            found = _answers_so_far(job.load, results, index) if may_lack else _answers(job.load, results, index)
            answers = in_order(found, len(index))
            # With the first answer everything has been fetched: the transaction waits for no call.
            self.table.answer(job.number, chain(list(islice(answers, 1)), answers))

    def _index(self, job: LoadJob) -> RowIndex:
        index = RowIndex()
        for place, key in self.table.keys(job.number):
            if index.add(key) != place:
                raise SfmapError(f"the journal lacks a row of the bulk job {job.job}")
        return index


def _unusual_end(job: LoadJob, ended: JobLook | None) -> str:
    """What to say of a job that has not come to its end; empty if it has."""
    what = f"The bulk job {job.job} ({job.load.operation} {job.load.object_name})"
    if ended is None:
        return f"{what} is gone from the org, and what it has done is not known. {_LOOKED_UP}"
    if ended.state == "JobComplete":
        return ""
    how = "was aborted" if ended.state == "Aborted" else "has failed"
    why = f": {ended.error_message}" if ended.error_message else ""
    return f"{what} {how}{why}{'' if why.endswith('.') else '.'} What it has not processed is sent again."


def _answers(load: Load, results: Iterable[AnsweredRow], index: RowIndex) -> Iterator[tuple[int, bytes]]:
    try:
        for place, outcome in join(load, index, results):
            yield place, stored_answer(outcome)
    except RowsDoNotAddUp as error:
        raise ResultsLackRows(str(error)) from None


def _answers_so_far(load: Load, results: Iterable[AnsweredRow], index: RowIndex) -> Iterator[tuple[int, bytes]]:
    """The answers that there are; the rows without one are lost."""
    lost = bytearray(b"1") * len(index)
    with suppress(ResultsLackRows):
        for place, answer in _answers(load, results, index):
            lost[place] = 0
            yield place, answer
    yield from ((place, LOST) for place, is_lost in enumerate(lost) if is_lost)
