"""One run: the events of a source to an org, every outcome counted and written down as it comes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from sfmap.engine.delivery.deliver import Delivery, Options
from sfmap.engine.delivery.doubts import CALL_LIMIT, Doubts
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.patience import USUAL_PATIENCE, Patience, StopRequested, Waiter
from sfmap.engine.delivery.report import Report
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.ledger import NO_RESULTS, Ledger, Results
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.org.port import Org, OrgError
from sfmap.engine.output import CannotWrite, Output
from sfmap.engine.sources.ndjson import STANDARD_INPUT, NdjsonSource
from sfmap.engine.sources.port import START, EventSource, Position, SourceFailed

Interruption = OrgError | SourceFailed | StopRequested | CannotWrite | JournalFailed
INTERRUPTIONS = (OrgError, SourceFailed, StopRequested, CannotWrite, JournalFailed)


@dataclass(frozen=True, slots=True)
class Manner:
    """How a run goes about its work."""

    patience: Patience = USUAL_PATIENCE
    call_limit: float = CALL_LIMIT
    connections: int = 4
    skip_delivered: bool = False
    ids_by_source: bool = False
    remember_days: int = 7
    """How long message ids are remembered; 0 for not at all."""
    should_stop: Callable[[], bool] = lambda: False
    say: Callable[[str], object] = lambda text: None


@dataclass(frozen=True, slots=True)
class Resumed:
    """Where a run begins, and what to say of it."""

    start: Position = START
    results: Results = NO_RESULTS
    """What the last run has written."""
    words: str = ""


def resume(ledger: Ledger, source: NdjsonSource, restart: bool) -> Resumed:
    """Where the source goes on: after the last window of a run that did not finish, else at its beginning.

    Raises `SourceFailed` or `JournalFailed`.
    """
    known = ledger.checkpoint()
    if source.is_stream:
        held = ledger.held()
        ledger.begin(source.beginning(), keep_held=True)
        if not held:
            return Resumed()
        return Resumed(
            Position(max(one.key[0] for one in held)),
            words=f"{len(held):,} records of an earlier run, which waited for a write in doubt, go along.",
        )
    if known and not known.finished and not restart:
        if source.begins_as(known.beginning):
            if not known.position.number:
                return Resumed()
            words = f"Going on after event {known.position.number:,}, where the last run ended: see --restart."
            return Resumed(known.position, known.results, words)
        ledger.begin(source.beginning())
        return Resumed(words="The file has changed since its last, unfinished run: it begins at its first event.")
    ledger.begin(source.beginning())
    return Resumed()


def source_name(source: NdjsonSource) -> str:
    """What the journal knows the files by."""
    names = [file if file == STANDARD_INPUT else str(Path(file).absolute()) for file in source.files]
    return orjson.dumps(names).decode("utf-8", "replace")


def deliver_all(
    source: EventSource,
    start: Position,
    mapper: Mapper,
    org: Org,
    ledger: Ledger,
    manner: Manner,
    results: Output | None = None,
) -> tuple[Report, Interruption | None]:
    """Delivers everything, and gives the report of all that was done and what ended the run early.

    Outcomes go to `results` as lines of JSON, window by window.
    """
    started = time.monotonic()
    report = Report(complete_to=start.number)
    interruption: Interruption | None = None
    try:
        delivery = make_delivery(mapper, org, ledger, manner, results)
        for delivered in delivery.deliver(source, start):
            report.add(delivered.outcomes, delivered.events)
            if results:
                results.write(_lines(delivered.outcomes))
        ledger.finish()
    except INTERRUPTIONS as error:
        interruption = error
    report.calls = dict(org.calls())
    report.usage = org.usage()
    report.seconds = time.monotonic() - started
    return report, interruption


def make_delivery(mapper: Mapper, org: Org, ledger: Ledger, manner: Manner, results: Output | None) -> Delivery:
    """Raises `JournalFailed`."""
    if manner.remember_days:
        ledger.forget_delivered(manner.remember_days)
    options = Options(
        connections=manner.connections,
        remember=manner.remember_days > 0,
        skip_delivered=manner.skip_delivered and manner.remember_days > 0,
        ids_by_source=manner.ids_by_source,
        results=lambda: results.written() if results else NO_RESULTS,
    )
    waiter = Waiter(manner.patience, manner.should_stop, manner.say)
    return Delivery(org, mapper, ledger, Doubts(ledger, manner.call_limit), waiter, options)


def _lines(outcomes: Sequence[Outcome]) -> bytes:
    return b"".join(orjson.dumps(outcome.as_json(), option=orjson.OPT_APPEND_NEWLINE) for outcome in outcomes)
