"""Gives the records of loads whose jobs are over their outcomes."""

from collections.abc import Callable, Sequence

from sfmap.engine.delivery.commits import Commits
from sfmap.engine.delivery.expected_outcomes import EndedPart
from sfmap.engine.delivery.load_jobs import LoadJob
from sfmap.engine.delivery.loads import Loads
from sfmap.engine.delivery.open_windows import Certain
from sfmap.engine.delivery.outcome_table import MessageIds, Row
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.journal.entries import Commit
from sfmap.engine.messages.counts import counted
from sfmap.engine.sources.event_source import Received

_MOMENT = 0.1
"""Seconds between two looks at whether a load is over."""


class EndedLoads:
    """No window may be open when these methods are called. They raise as `Commits` does, and `OrgError`."""

    def __init__(
        self,
        loads: Loads,
        commits: Commits,
        messages: MessageIds,
        waiter: Waiter,
        deliver: Callable[[Sequence[Received]], object],
    ) -> None:
        """`deliver` delivers records that a load has given back, before it returns."""
        self._loads = loads
        self._commits = commits
        self._messages = messages
        self._waiter = waiter
        self._deliver = deliver
        self._is_read_again = False
        """Whether the source reads what loads give back."""
        self._told = 0, 0
        """The jobs and the processed rows that were told last."""

    def resume(self) -> None:
        """Ends the loads that earlier runs have left. Raises `StopRequested`, too.

        Dead letters that these give back are not delivered here: the source reads them.
        """
        self._is_read_again = self._loads.are_of_letters
        given_back = self._loads.resume()
        if under_way := self._loads.progress().jobs:
            self._waiter.say(f"Waiting for {counted(under_way, 'bulk job')} that an earlier run has begun.")
        while self._loads.has_jobs:
            self.wait()
        for job in given_back:
            self._end(job)
        self._is_read_again = False

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
            self._end(job)

    def flush(self) -> None:
        """Has the records that were taken so far written by jobs, or by calls if they are too few for that."""
        for job in self._loads.flush():
            self._end(job)

    def _end(self, job: LoadJob) -> None:
        """Ends a load part by part, since the events of all its records may be more than memory holds.

        A part's records without an outcome are delivered again before the next one is read.
        """
        self._loads.end_waiting(job)
        while part := self._loads.answered(job) if job.is_own else None:
            back = self._commit(part)
            if back and not self._is_read_again:
                self._deliver([row.received for row in back])
        self._loads.end(job)
        self._commits.load_is_over(job.number)

    def _commit(self, part: EndedPart) -> list[Row]:
        """Returns the rows without an outcome, which the journal now holds as it does others."""
        records = part.records
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
                ended=part.up_to,
            ),
        )
        return back
