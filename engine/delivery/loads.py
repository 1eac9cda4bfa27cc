"""The writes that travel by bulk jobs: gathered in loads, held in the journal, and ended by the results of jobs.

A record that a load takes is held, as others are by a write in doubt: windows are committed past it, and records
that meet its traces wait until the load is over.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from sfmap.engine.delivery.bulk_suitability import may_travel
from sfmap.engine.delivery.expected_outcomes import EndedRecord, ended_record, expected_outcomes
from sfmap.engine.delivery.item import Lookups
from sfmap.engine.delivery.load_jobs import LoadJob, LoadJobs
from sfmap.engine.delivery.load_traces import LoadTraces
from sfmap.engine.delivery.outcome_table import Row
from sfmap.engine.delivery.progress import JobProgress
from sfmap.engine.delivery.traces import Trace
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.writes import PendingWrite
from sfmap.engine.journal.entries import Held, Loaded, RecordKey
from sfmap.engine.journal.load_table import LoadTable
from sfmap.engine.language.model import BulkMode
from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_port import Load
from sfmap.engine.org.bulk_rows import BulkRow, RowMaker
from sfmap.engine.org.port import WriteOptions

FEWEST = 2_000
"""The records of one call from which on `auto` takes jobs (Salesforce's advice)."""
_CALLS_AFTER_FEW = 8_000
"""The records that `auto` sends by calls after others of their call were too few for a job."""
_CHUNK = 2_000


@dataclass(eq=False, slots=True)
class _Filling:
    """A load that takes rows."""

    number: int
    load: Load
    data: BulkData
    traces: LoadTraces = field(default_factory=LoadTraces)
    may_be_small: bool = False
    """Whether it is sent although it has few rows."""
    uncommitted: int = 0
    """The records that are not in the journal yet."""


class Loads:
    """The loads of a delivery. Every method may raise `OrgError`, `StopRequested` or `JournalFailed`."""

    def __init__(
        self,
        *,
        table: LoadTable,
        waiter: Waiter,
        jobs: LoadJobs | None = None,
        usual: BulkMode = "never",
        asked: BulkMode | None = None,
    ) -> None:
        """Without `jobs` there are no loads.

        What is `asked` for holds for all mappings; `usual` for those that say nothing.
        """
        self._jobs = jobs
        self._table = table
        self._waiter = waiter
        self._usual = usual
        self._asked = asked
        self._makers: dict[Load, RowMaker | None] = {}
        """By load; None if it goes by calls."""
        self._filling: dict[tuple[Load, frozenset[str]], _Filling] = {}
        self._leaving: list[_Filling] = []
        """Loads that are sent once all their records are in the journal."""
        self._answered: list[LoadJob] = []
        """Loads of earlier runs whose results are in the journal."""
        self._open: dict[int, LoadTraces] = {}
        """By number, the traces of each load that is not over."""
        self._taken: dict[RecordKey, Loaded] = {}
        """What the next commit adds to loads."""
        self._by_calls: set[RecordKey] = set()
        """Records that a job has given back."""
        self._seen: Counter[Load] = Counter()
        """Records that went by calls because they may be few."""

    def __bool__(self) -> bool:
        return bool(self._open)

    def isdisjoint(self, traces: Iterable[Trace]) -> bool:
        """Whether none of these traces is one of a load."""
        return all(one.isdisjoint(traces) for one in self._open.values())

    def takes(self, pending: PendingWrite, lookups: Lookups, rows: Sequence[Row]) -> bool:
        """Takes the write, if it may travel by a job; `rows` are those of its items."""
        mode = self._asked or pending.fold.head.record.plan.bulk or self._usual
        if self._jobs is None or mode == "never" or not may_travel(pending, lookups):
            return False
        if any(row.key in self._by_calls for row in rows):
            return False
        call = pending.call
        load = Load(
            operation=call.verb,
            object_name=call.object_name,
            external_id=call.external_id,
            options=call.options,
        )
        maker = self._maker(load, self._jobs, mode)
        if maker is None:
            return False
        if mode == "auto" and self._seen[load] < FEWEST:
            self._seen[load] += len(rows)
            return False
        made = maker.row(pending.write)
        if not isinstance(made, BulkRow):
            return False
        self._add(load, made, pending, rows, mode)
        return True

    def _maker(self, load: Load, jobs: LoadJobs, mode: BulkMode) -> RowMaker | None:
        if load not in self._makers:
            why = jobs.org.why_not(load)
            self._makers[load] = None if why else RowMaker(load, jobs.described(load.object_name))
            if why and mode == "always":
                self._waiter.say(f"{load.object_name}: no bulk job is used for {load.operation}: {why}.")
        return self._makers[load]

    def _add(self, load: Load, made: BulkRow, pending: PendingWrite, rows: Sequence[Row], mode: BulkMode) -> None:
        way = load, made.group
        filling = self._filling.get(way) or self._begin(way)
        filling.may_be_small = filling.may_be_small or mode == "always"
        if not filling.data.add(made):
            self._leaving.append(filling)
            filling = self._begin(way)
            filling.may_be_small = mode == "always"
            filling.data.add(made)
        filling.uncommitted += len(rows)
        filling.traces.update(pending.fold.traces)
        place = filling.data.rows - 1
        for nth, (row, expected) in enumerate(zip(rows, expected_outcomes(pending, rows), strict=True)):
            self._taken[row.key] = Loaded(
                held=row.held,
                load=filling.number,
                place=place,
                row_key=None if nth else made.key,
                expected=expected,
                was_held=bool(row.received.only) and not self._table.is_of_letters,
            )

    def _begin(self, way: tuple[Load, frozenset[str]]) -> _Filling:
        load, _ = way
        number = self._table.begin(orjson.dumps(asdict(load)))
        filling = self._filling[way] = _Filling(number, load, BulkData(load))
        self._open[number] = filling.traces
        return filling

    def held(self, rows: Iterable[Row]) -> list[Held | Loaded]:
        """The rows without an outcome, as the journal is to hold them. It holds the others already."""
        taken = self._taken
        return [taken.get(row.key) or row.held for row in rows if not row.received.only or row.key in taken]

    def committed(self, held: Iterable[Held | Loaded]) -> None:
        """Notes what the journal now holds. Loads that are complete are sent."""
        left = {one.number: one for one in (*self._filling.values(), *self._leaving)}
        for one in held:
            if isinstance(one, Loaded):
                del self._taken[one.held.key]
                left[one.load].uncommitted -= 1
        complete = [one for one in self._leaving if not one.uncommitted]
        self._leaving = [one for one in self._leaving if one.uncommitted]
        for filled in complete:
            self._send(filled)

    def flush(self) -> list[int]:
        """Sends what was taken so far; returns the numbers of the loads that are given back, being too small.

        No window may be open.
        """
        filling, self._filling = list(self._filling.values()), {}
        few: list[int] = []
        for one in filling:
            if one.data.rows < FEWEST and not one.may_be_small:
                one.data.close()
                self._seen[one.load] = -_CALLS_AFTER_FEW
                self._give_back(one.number)
                few.append(one.number)
            else:
                self._send(one)
        return few

    def _send(self, one: _Filling) -> None:
        self._waiter.say(f"A bulk job for {one.data.rows:,} rows: {one.load.operation} {one.load.object_name}.")
        assert self._jobs
        self._jobs.begin(LoadJob(number=one.number, load=one.load, rows=one.data.rows, data=one.data))

    def _give_back(self, number: int) -> None:
        self._table.give_all_back(number)
        self._open.pop(number, None)

    def resume(self) -> list[int]:
        """Goes on with what earlier runs have left of loads; returns the numbers of those that are given back.

        Rows of a job that was not closed are looked up again. Of other sources, the jobs under way are waited for.
        """
        given_back: list[int] = []
        for stored in self._table.of_org() if self._jobs else ():
            assert self._jobs
            is_own = stored.source == self._table.source
            if stored.state in ("filling", "opened") and is_own:
                if stored.job:
                    self._jobs.abort(stored.job)
                self._give_back(stored.id)
                given_back.append(stored.id)
            elif stored.state == "closing" or (stored.state == "answered" and is_own):
                self._open[stored.id] = LoadTraces()
                job = LoadJob(number=stored.id, load=_load(stored.target), rows=0, job=stored.job, is_own=is_own)
                if stored.state == "closing":
                    self._jobs.begin(job)
                else:
                    self._answered.append(job)
        return given_back

    @property
    def has_over(self) -> bool:
        """Whether `next_over` has something."""
        return bool(self._answered) or (self._jobs is not None and self._jobs.has_finished)

    def next_over(self) -> LoadJob | None:
        """A load whose job is over, if there is one."""
        if self._answered:
            return self._answered.pop()
        job = self._jobs.next_finished() if self._jobs else None
        if job and job.data:
            job.data.close()
        return job

    def answered(self, job: LoadJob) -> list[EndedRecord]:
        """The next records of a load that is over. Those without an outcome travel by no job again.

        Unless the job has only failed to come to its end: then another job goes on.
        """
        records = [ended_record(one) for one in self._table.answered(job.number, _CHUNK)]
        self._by_calls.update(
            one.row.key for one in records if not one.row.outcome and (one.is_refused or not job.processed)
        )
        return records

    def end(self, job: LoadJob) -> None:
        """Forgets a load that is over, and gives its records back if no job has taken them."""
        self._open.pop(job.number, None)
        if job.is_refused:
            self._makers[job.load] = None
            what = f"{job.load.operation} {job.load.object_name}"
            self._waiter.say(f"Goes on without bulk jobs for {what}: {job.is_refused}")
            self._table.give_all_back(job.number)
        elif job.is_own:
            self._table.end(job.number)

    def progress(self) -> JobProgress:
        """How far the jobs under way are."""
        return self._jobs.progress() if self._jobs else JobProgress()

    @property
    def records(self) -> int:
        """The number of records in the journal that travel by jobs. It is not asked where no load is open."""
        return self._table.count() if self._open or self._answered else 0

    def close(self) -> None:
        if self._jobs:
            self._jobs.close()
        for one in self._filling.values():
            one.data.close()


def _load(target: bytes) -> Load:
    said = orjson.loads(target)
    options = {**said["options"], "package_versions": tuple(map(tuple, said["options"]["package_versions"]))}
    return Load(**{**said, "options": WriteOptions(**options)})
