"""One run: delivers the events of a source to an org, and counts and writes every outcome."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event

import orjson

from sfmap.engine.delivery.commits import Delivered, Listener, OutputState
from sfmap.engine.delivery.in_doubt import CALL_LIMIT, Doubts
from sfmap.engine.delivery.load_jobs import LoadJobs
from sfmap.engine.delivery.loads import Loads
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.pipeline import Delivery, DeliveryOptions
from sfmap.engine.delivery.progress import JobProgress, OnProgress, Progress
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.resuming import Resumed
from sfmap.engine.delivery.waiter import USUAL_PATIENCE, Patience, Waiter
from sfmap.engine.delivery.windows import Stream
from sfmap.engine.delivery.write_pace import Connections, WritePace
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import NO_RESULTS, Output
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.language.model import BulkMode
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.bulk_port import BulkOrg
from sfmap.engine.org.port import BATCH_SIZE, Org
from sfmap.engine.sources.event_source import START, EventSource, Position

_MOST_JOBS = 4
"""The most bulk jobs at once."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of a run."""

    patience: Patience = USUAL_PATIENCE
    call_limit: float = CALL_LIMIT
    connections: Connections = "auto"
    batch_size: int = BATCH_SIZE
    bulk: BulkMode = "auto"
    """Whether records travel by bulk jobs, if their mapping does not say so."""
    bulk_asked: BulkMode | None = None
    """The same for all mappings; None to leave it to them."""
    skip_delivered: bool = False
    ids_by_source: bool = False
    remember_days: int = 7
    """How long message ids are remembered; 0 to remember none."""
    should_stop: Callable[[], bool] = lambda: False
    say: Callable[[str], object] = lambda text: None
    on_progress: OnProgress = lambda progress: None

    def threads(self) -> OrgThreads:
        return OrgThreads(WritePace(self.connections))

    def waiter(self) -> Waiter:
        return Waiter(self.patience, self.should_stop, self.say)

    def waiter_until(self, stopping: Event) -> Waiter:
        """One that also stops when the event is set."""
        return Waiter(self.patience, lambda: self.should_stop() or stopping.is_set(), self.say)


class RunListener:
    """Counts outcomes in the report, and writes them as lines of JSON."""

    def __init__(self, report: Report, org: Org, results: Output | None) -> None:
        self._report = report
        self._org = org
        self._results = results
        self._started = time.monotonic()

    def tell(self, delivered: Delivered) -> OutputState:
        self._report.add(delivered.outcomes, delivered.events)
        if self._results:
            self._results.write(_lines(delivered.outcomes))
        self.count_calls()
        return OutputState(self._results.written() if self._results else NO_RESULTS, self._report.tally())

    def count_calls(self) -> None:
        self._report.spend(self._org.calls(), time.monotonic() - self._started)


def deliver_all(
    source: EventSource | Stream,
    *,
    resumed: Resumed | None = None,
    mapper: Mapper,
    org: Org,
    ledger: Ledger,
    options: RunOptions,
    bulk: BulkOrg | None = None,
    results: Output | None = None,
) -> tuple[Report, SfmapError | None]:
    """Delivers everything; returns the report, and the error that ended the run early, if any.

    The report covers the whole source, including earlier runs; the caller finishes the ledger after printing it.
    Outcomes go to `results` as lines of JSON, window by window.
    """
    report = Report.continued_from(resumed.tally if resumed else b"")
    listener = RunListener(report, org, results)

    def tell_progress(position: Position) -> None:
        options.on_progress(
            Progress(
                events=report.events,
                failed=report.fates["failed"],
                position=position,
                share=resumed.source.share(position) if resumed else None,
                files=len(resumed.source.files) if resumed else 0,
                bulk=delivery.bulk if delivery else JobProgress(),
            )
        )

    start = resumed.start if resumed else START
    delivery: Delivery | None = None
    threads = options.threads()
    tell_progress(start)
    interruption: SfmapError | None = None
    try:
        delivery = make_delivery(mapper, org, ledger, options, listener, tell_progress, bulk, threads)
        delivery.deliver(source, start)
    except SfmapError as error:
        interruption = error
    listener.count_calls()
    if delivery:
        held = delivery.held
        waits_for = _what_holds(ledger) if held else ""
        report.end(org.usage(), held, waits_for, delivery.sizes.as_report(), threads.pace.found())
    else:
        report.end(org.usage())
    return report, interruption


def make_delivery(
    mapper: Mapper,
    org: Org,
    ledger: Ledger,
    options: RunOptions,
    listener: Listener,
    on_commit: Callable[[Position], object] = lambda position: None,
    bulk: BulkOrg | None = None,
    threads: OrgThreads | None = None,
) -> Delivery:
    """Creates the delivery of a run, and has the journal forget old message ids. Raises `JournalFailed`.

    Without `threads` it has its own connections.
    """
    ledger.forget_old(options.remember_days)
    waiter = options.waiter()
    loads = Loads(
        jobs=_jobs(org, bulk, ledger, options) if bulk else None,
        table=ledger.loads,
        waiter=waiter,
        usual=options.bulk,
        asked=options.bulk_asked,
    )
    return Delivery(
        org=org,
        mapper=mapper,
        ledger=ledger,
        doubts=Doubts(ledger, options.call_limit, also=(loads,)),
        waiter=waiter,
        loads=loads,
        threads=threads or options.threads(),
        options=DeliveryOptions(
            batch_size=options.batch_size,
            remember=options.remember_days > 0,
            skip_delivered=options.skip_delivered and options.remember_days > 0,
            ids_by_source=options.ids_by_source,
        ),
        listener=listener,
        on_commit=on_commit,
    )


def _what_holds(ledger: Ledger) -> str:
    """What held records wait for."""
    what = {"bulk jobs": ledger.loads.count(), "a write in doubt": len(ledger.in_flight())}
    return " or ".join(name for name, number in what.items() if number) or "a write in doubt"


def _jobs(org: Org, bulk: BulkOrg, ledger: Ledger, options: RunOptions) -> LoadJobs:
    stopping = Event()
    return LoadJobs(
        org=bulk,
        described=lambda name: org.describe([name])[name],
        table=ledger.loads,
        waiter=options.waiter_until(stopping),
        together=_MOST_JOBS,
        stopping=stopping,
    )


def _lines(outcomes: Sequence[Outcome]) -> bytes:
    return b"".join(orjson.dumps(outcome.as_json(), option=orjson.OPT_APPEND_NEWLINE) for outcome in outcomes)
