"""Gives the records of loads whose jobs are over their outcomes."""

from collections.abc import Sequence

from sfmap.engine.delivery.commits import Commits
from sfmap.engine.delivery.expected_outcomes import EndedRecord
from sfmap.engine.delivery.load_jobs import LoadJob
from sfmap.engine.delivery.loads import Loads
from sfmap.engine.delivery.open_windows import Certain
from sfmap.engine.delivery.outcome_table import MessageIds, Row
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.journal.entries import Commit

_MOMENT = 0.1
"""Seconds between two looks at whether a load is over."""


class EndedLoads:
    """No window may be open when these methods are called. They raise as `Commits` does, and `OrgError`."""

    def __init__(self, loads: Loads, commits: Commits, messages: MessageIds, waiter: Waiter) -> None:
        self._loads = loads
        self._commits = commits
        self._messages = messages
        self._waiter = waiter
        self._told = 0, 0
        """The jobs and the processed rows that were told last."""

    def resume(self) -> None:
        """Ends the loads that earlier runs have left. Raises `StopRequested`, too."""
        for load in self._loads.resume():
            self._commits.load_is_over(load)
        while self._loads:
            self.wait()

    def wait(self) -> None:
        """Waits a moment for a load to be over, and tells how far the jobs are. Raises `StopRequested`, too."""
        if not self._loads.has_over:
            self._waiter.sleep(_MOMENT)
        now = self._loads.progress()
        if (now.jobs, now.processed) != self._told:
            self._told = now.jobs, now.processed
            self._commits.tell_progress()
        self.end()

    def end(self) -> None:
        """Tells and commits the outcomes of the loads that are over."""
        while job := self._loads.next_over():
            back = [] if job.is_refused or not job.is_own else self._end(job)
            self._loads.end(job)
            self._commits.load_is_over(job.number, back)

    def flush(self) -> None:
        """Has the records that were taken so far written by jobs; those that are too few for that are held."""
        for load in self._loads.flush():
            self._commits.load_is_over(load)

    def _end(self, job: LoadJob) -> list[Row]:
        """Returns the rows that must be sent otherwise."""
        back: list[Row] = []
        while records := self._loads.answered(job):
            back += self._commit(records)
        return back

    def _commit(self, records: Sequence[EndedRecord]) -> list[Row]:
        ended = [one.row for one in records if one.row.outcome]
        back = [one.row for one in records if not one.row.outcome]
        messages = (
            self._messages.of_created(row.received, row.key)
            for row in ended
            if row.fate not in ("failed", "skipped") or row.may_be_created
        )
        self._commits.commit(
            Certain(taken=(), ended=ended, held=(), apart=()),
            Commit(
                position=self._commits.position,
                messages=[message for several in messages for message in several],
                newest=[one.newest for one in records if one.newest],
                given_back=[row.key for row in back],
            ),
        )
        return back
