"""Processes the batches of jobs in the background, a few at a time."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from sfmap.engine.local_org.bulk.batch_run import BatchRun
from sfmap.engine.local_org.bulk.bulk_jobs import BulkJobs
from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.calls.daily_use import prepare_daily_use
from sfmap.engine.local_org.calls.fair_lock import FairLock
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint

_TOGETHER = 5
"""The number of batches that are processed at the same time; others wait."""


class JobRunner:
    def __init__(self, calls: ApiCalls, faults: FaultsEndpoint) -> None:
        """Continues with the batches that an earlier process of the org left unfinished."""
        self._calls = calls
        self._faults = faults
        self._pool = ThreadPoolExecutor(_TOGETHER, "bulk")
        self._stopping = Event()
        self._turn = FairLock()
        jobs = BulkJobs(calls.store)
        with calls.lock, calls.store.transaction():
            jobs.prepare()
            prepare_daily_use(calls.store)
            waiting = jobs.unfinished()
        for number in waiting:
            self.begin(number)

    def begin(self, number: int) -> None:
        """Processes the batch with this number once the current call has ended."""
        run = BatchRun(self._calls, self._faults, self._stopping, self._turn, number=number).run
        self._pool.submit(run).add_done_callback(_raise)

    def stop(self) -> None:
        """Returns when nothing is processed any longer."""
        self._stopping.set()
        self._pool.shutdown(cancel_futures=True)


def _raise(done: Future[None]) -> None:
    """Has an error that nobody expected printed."""
    if not done.cancelled():
        done.result()
