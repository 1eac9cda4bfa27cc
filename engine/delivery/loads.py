"""The writes that travel by bulk jobs: gathered in loads, held in the journal, and ended by the results of jobs.

A record that a load takes is held, as others are by a write in doubt: windows are committed past it, and records
that meet its traces wait until the load is over.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from sfmap.engine.delivery.bulk_suitability import may_travel
from sfmap.engine.delivery.expected_outcomes import EndedPart, ended_record, expected_outcomes
from sfmap.engine.delivery.item import Lookups
from sfmap.engine.delivery.load_jobs import LoadJob, LoadJobs
from sfmap.engine.delivery.load_traces import LoadTraces
from sfmap.engine.delivery.outcome_table import Row
from sfmap.engine.delivery.progress import JobProgress
from sfmap.engine.delivery.traces import Trace
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.windows import WINDOW_BYTES
from sfmap.engine.delivery.writes import PendingWrite
from sfmap.engine.journal.entries import Held, Loaded, LoadPart, RecordKey
from sfmap.engine.journal.load_table import LoadTable
from sfmap.engine.language.model import BulkMode
from sfmap.engine.messages.counts import counted
from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_port import Load, NoBulkJobs
from sfmap.engine.org.bulk_rows import BulkRow, RowMaker
from sfmap.engine.org.port import CallRefused, OrgError, WriteOptions

FEWEST_CALLED = 5_000
"""The writes of a kind that `auto` sends by calls first: most runs have no more."""
FEWEST_ROWS = 4_000
"""The rows from which on `auto` has a job write them: calls would be 20, and those for a job are about ten."""
_CALLED_AFTER_FEW = 8_000
"""The writes that `auto` sends by calls after others of their kind were too few for a job, each time more."""
_MOST_FILLING = 8
"""The loads that are filled at once: each has some megabytes of traces, and a file. Other writes go by calls."""
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

    def job(self) -> LoadJob:
        return LoadJob(number=self.number, load=self.load, rows=self.data.rows, data=self.data)


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
        self._over: list[LoadJob] = []
        """Loads that are over without a job of this run."""
        self._are_refused = False
        """Whether the org takes no jobs, whatever they write."""
        self._open: dict[int, LoadTraces] = {}
        """By number, the traces of each load that is not over."""
        self._taken: dict[RecordKey, Loaded] = {}
        """What the next commit adds to loads."""
        self._by_calls: set[RecordKey] = set()
        """Records that a job has given back."""
        self._seen: Counter[Load] = Counter()
        """Writes that went by calls because they may be few."""
        self._too_few: Counter[Load] = Counter()
        """How often a load was given back because it had too few rows."""

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def are_of_letters(self) -> bool:
        """Whether their records are dead letters."""
        return self._table.is_of_letters

    def isdisjoint(self, traces: Iterable[Trace]) -> bool:
        """Whether none of these traces is one of a load."""
        return all(one.isdisjoint(traces) for one in self._open.values())

    def takes(self, pending: PendingWrite, lookups: Lookups, rows: Sequence[Row]) -> bool:
        """Takes the write, if it may travel by a job; `rows` are those of its items."""
        mode = self._asked or pending.fold.head.record.plan.bulk or self._usual
        if self._jobs is None or self._are_refused or mode == "never" or not may_travel(pending, lookups):
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
        if mode == "auto" and self._seen[load] < FEWEST_CALLED:
            self._seen[load] += 1
            return False
        maker = self._maker(load, self._jobs, mode)
        if maker is None:
            return False
        made = maker.row(pending.write)
        if not isinstance(made, BulkRow) or not self._has_room((load, made.group)):
            return False
        try:
            filling = self._filled((load, made.group), made)
        except OSError as error:
            self._have_no_room(error)
            return False
        self._take(filling, made, pending, rows, mode)
        return True

    def _has_room(self, way: tuple[Load, frozenset[str]]) -> bool:
        return way in self._filling or len(self._filling) < _MOST_FILLING

    def _maker(self, load: Load, jobs: LoadJobs, mode: BulkMode) -> RowMaker | None:
        if load not in self._makers:
            why = jobs.org.why_not(load)
            self._makers[load] = None if why else RowMaker(load, jobs.described(load.object_name))
            if why and mode == "always":
                self._waiter.say(f"{load.object_name}: no bulk job is used for {load.operation}: {why}.")
        return self._makers[load]

    def _filled(self, way: tuple[Load, frozenset[str]], made: BulkRow) -> _Filling:
        """The load that has got the row. Raises `OSError`."""
        filling = self._filling.get(way) or self._begin(way)
        if not filling.data.add(made):
            self._leaving.append(self._filling.pop(way))
            filling = self._begin(way)
            filling.data.add(made)
        return filling

    def _have_no_room(self, error: OSError) -> None:
        """Takes no more writes, and gives back those of loads that are filled: their files may lack some."""
        self._are_refused = True
        self._leaving += self._filling.values()
        self._filling = {}
        self._waiter.say(
            f"Goes on without bulk jobs: this machine cannot keep their rows: {error.strerror or error}. Make"
            " room where temporary files are kept, or set TMPDIR to another folder."
        )

    def _take(
        self, filling: _Filling, made: BulkRow, pending: PendingWrite, rows: Sequence[Row], mode: BulkMode
    ) -> None:
        """Notes that the last row of the load is that of the write."""
        filling.may_be_small = filling.may_be_small or mode == "always"
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
        data = BulkData(load)
        number = self._table.begin(orjson.dumps(asdict(load)))
        filling = self._filling[way] = _Filling(number, load, data)
        self._open[number] = filling.traces
        return filling

    def held(self, rows: Iterable[Row]) -> list[Held | Loaded]:
        """The rows without an outcome, as the journal is to hold them. It holds the others already."""
        taken = self._taken
        return [taken.get(row.key) or row.held for row in rows if not row.received.only or row.key in taken]

    def committed(self, held: Iterable[Held | Loaded], ended: Iterable[Row]) -> None:
        """Notes what the journal now holds, and what has an outcome. Loads that are complete are sent."""
        if self._by_calls:
            self._by_calls.difference_update(row.key for row in ended)
        left = {one.number: one for one in (*self._filling.values(), *self._leaving)}
        for one in held:
            if isinstance(one, Loaded):
                del self._taken[one.held.key]
                left[one.load].uncommitted -= 1
        complete = [one for one in self._leaving if not one.uncommitted]
        self._leaving = [one for one in self._leaving if one.uncommitted]
        for filled in complete:
            self._send(filled)

    @property
    def is_filling(self) -> bool:
        """Whether `flush` has something to send or to give back."""
        return bool(self._filling or self._leaving)

    def flush(self) -> list[LoadJob]:
        """Sends what was taken so far; returns the loads that are given back, being too small.

        No window may be open.
        """
        filling = [*self._leaving, *self._filling.values()]
        self._leaving, self._filling = [], {}
        few: list[LoadJob] = []
        for one in filling:
            if one.data.rows < FEWEST_ROWS and not one.may_be_small:
                self._too_few[one.load] += 1
                self._seen[one.load] = -_CALLED_AFTER_FEW * self._too_few[one.load]
                few.append(one.job())
            else:
                self._send(one)
        return few

    def _send(self, one: _Filling) -> None:
        assert self._jobs
        if not self._takes_none(one.load):
            try:
                one.data.flush()
            except OSError as error:
                self._have_no_room(error)
        if self._takes_none(one.load):
            self._over.append(one.job())
            return
        what = f"{one.load.operation} {one.load.object_name}"
        self._waiter.say(f"A bulk job for {counted(one.data.rows, 'row')}: {what}.")
        self._jobs.begin(one.job())

    def resume(self) -> list[LoadJob]:
        """Goes on with what earlier runs have left of loads; returns those that are given back.

        Rows of a job that was not closed are looked up again. Of other sources, the jobs under way are waited for.
        """
        given_back: list[LoadJob] = []
        for stored in self._table.of_org() if self._jobs else ():
            assert self._jobs
            is_own = stored.source == self._table.source
            job = LoadJob(
                number=stored.id,
                load=_load(stored.target),
                rows=self._table.rows(stored.id),
                job=stored.job,
                is_own=is_own,
            )
            if stored.state in ("filling", "opened") and is_own:
                if stored.job:
                    self._jobs.abort(stored.job)
                given_back.append(job)
            elif stored.state == "closing" or (stored.state == "answered" and is_own):
                self._open[stored.id] = LoadTraces()
                if stored.state == "closing":
                    self._jobs.begin(job)
                else:
                    self._over.append(job)
        return given_back

    @property
    def has_jobs(self) -> bool:
        """Whether a job is under way, or its results are to be told."""
        return bool(self._over) or (self._jobs is not None and bool(self._jobs.running))

    @property
    def has_over(self) -> bool:
        """Whether `next_over` has something."""
        return bool(self._over) or (self._jobs is not None and self._jobs.has_finished)

    def next_over(self) -> LoadJob | None:
        """A load whose job is over, if there is one."""
        if self._over:
            return self._over.pop()
        return self._jobs.next_finished() if self._jobs else None

    def end_waiting(self, job: LoadJob) -> None:
        """Notes that no other record waits for this load any more."""
        self._open.pop(job.number, None)
        if job.data:
            job.data.close()
        if job.refusal and not self._takes_none(job.load):
            self._refuse(job.load, job.refusal)

    def _takes_none(self, load: Load) -> bool:
        return self._are_refused or self._makers.get(load, ...) is None

    def _refuse(self, load: Load, refusal: OrgError) -> None:
        """Takes no more writes of a load, or none at all, since the org takes no jobs."""
        self._makers[load] = None
        self._are_refused = isinstance(refusal, NoBulkJobs) or not isinstance(refusal, CallRefused)
        what = "" if self._are_refused else f" for {load.operation} {load.object_name}"
        self._waiter.say(f"Goes on without bulk jobs{what}: {refusal.message}")

    def answered(self, job: LoadJob) -> EndedPart | None:
        """The next part of a load that is over or given back. Records without an outcome travel by no job again.

        Unless the job has only failed to come to its end: then another job goes on.
        """
        stored = self._table.next_records(job.number, _CHUNK, WINDOW_BYTES)
        if not stored:
            return None
        records = list(map(ended_record, stored))
        has_failed = bool(job.state) and not job.processed
        left = [one for one in records if not one.row.outcome]
        self._by_calls.update(one.row.key for one in left if has_failed or one.is_refused)
        up_to = LoadPart(load=job.number, place=stored[-1].place, number=stored[-1].number)
        return EndedPart(records=records, up_to=up_to)

    def end(self, job: LoadJob) -> None:
        """Forgets a load without records. Of another source, it is left to a run of that."""
        if job.is_own:
            self._table.end(job.number)

    def progress(self) -> JobProgress:
        """How far the jobs under way are."""
        return self._jobs.progress() if self._jobs else JobProgress()

    @property
    def records(self) -> int:
        """The number of records in the journal that travel by jobs. It is not asked where no load is open."""
        return self._table.count() if self._open or self._over else 0

    def close(self) -> None:
        if self._jobs:
            self._jobs.close()
        for one in self._filling.values():
            one.data.close()


def _load(target: bytes) -> Load:
    said = orjson.loads(target)
    options = {**said["options"], "package_versions": tuple(map(tuple, said["options"]["package_versions"]))}
    return Load(**{**said, "options": WriteOptions(**options)})
