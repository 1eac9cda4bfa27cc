"""Delivers events window by window, and yields their outcomes.

What is certain is in the journal before the next window begins, so that an interrupted run can continue.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

import orjson

from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.folding import Item
from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.intake import Intake
from sfmap.engine.delivery.newest import Newest, written_moments
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.outcome_table import (
    Places,
    digest_of,
    held_event,
    held_record,
    letter_of,
    message_id,
    message_of_record,
    message_of_source,
)
from sfmap.engine.delivery.waiter import StopRequested, Waiter, until
from sfmap.engine.delivery.window import Concluded, Window
from sfmap.engine.delivery.windows import WINDOW_SIZE, Stream, windows
from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.ledger import Commit, Held, Ledger, RecordKey, Settled
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.port import BATCH_SIZE, Org, OrgError
from sfmap.engine.sources.event_source import START, EventSource, Position, Received, SourceFailed

_MOST_HELD = 16 * 1024 * 1024
"""Bytes of events that may wait for writes in doubt; beyond it, no more are read until a doubt ends."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written of the results and summary when a window ends; the journal stores it with the window."""

    results: Results = NO_RESULTS
    tally: bytes = b""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a delivery."""

    window_size: int = WINDOW_SIZE
    connections: int = 1
    """The number of concurrent calls; outcomes do not depend on it."""
    batch_size: int = BATCH_SIZE
    """The most records in one write, unless a mapping sets it."""
    remember: bool = True
    """Whether the message ids of delivered events are remembered."""
    skip_delivered: bool = False
    """Whether events whose message id was delivered before are skipped."""
    ids_by_source: bool = False
    """Whether message ids are separate for each source of events (`Received.file`)."""
    written: Callable[[], Written] = Written
    """Called once the outcomes of a window have been consumed."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcomes of some events, in their order."""

    outcomes: Sequence[Outcome]
    events: int = 0
    """The number of events read for them."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A record that waits for a write in doubt; its event is read again when it is released."""

    held: Held
    message: str | None


class Delivery:
    """Delivers the events of a source to an org."""

    def __init__(
        self, org: Org, mapper: Mapper, ledger: Ledger, doubts: Doubts, waiter: Waiter, options: Options
    ) -> None:
        self._org = org
        self._ledger = ledger
        self._doubts = doubts
        self._waiter = waiter
        self._options = options
        self._message_of = message_of_source if options.ids_by_source else message_id
        self._creating = mapper.creating if options.remember else frozenset()
        self._intake = Intake(
            org, mapper, ledger, doubts, waiter, self._message_of, options.skip_delivered, self._creating
        )
        self._newest = Newest(ledger)
        self.sizes = BatchSizes(options.batch_size)
        self._held = [_Waiting(held, self._message_of(held_event(held))) for held in ledger.held()]
        self._is_resumed = bool(self._held)
        """Whether the dependencies of held records are still unknown: these must be looked up before others."""
        self._has_letters = ledger.has_letters()
        self._position = START

    @property
    def held(self) -> int:
        """The number of records that wait for a write in doubt."""
        return len(self._held)

    def deliver(self, source: EventSource | Stream, start: Position = START) -> Iterator[Delivered]:
        """The outcomes, window by window; the caller receives them before the journal counts them as done.

        Raises `OrgError`, `StopRequested`, `SourceFailed` or `JournalFailed`, each after what is certain.
        """
        failure: SourceFailed | None = None
        try:
            yield from self.deliver_windows(self.windows(source), start)
        except SourceFailed as error:
            failure = error
        while self._held and failure is None:
            self._wait_for_doubts()
            yield from self._deliver_window(self._released(), [])
        if failure:
            raise failure

    def deliver_windows(self, windows: Iterator[list[Received]], start: Position) -> Iterator[Delivered]:
        """The outcomes of windows as they arrive; an empty window gives held records a chance to be delivered.

        When the next window is requested, the journal has the one before. Raises the same as `deliver`.
        """
        self._position = start
        for window in windows:
            for released, part in self._parts(self._released(), window):
                if released or part:
                    yield from self._deliver_window(released, part)
            while sum(len(waiting.held.raw) for waiting in self._held) > _MOST_HELD:
                self._wait_for_doubts()
                yield from self._deliver_window(self._released(), [])

    def windows(self, source: EventSource | Stream) -> Iterator[list[Received]]:
        """The source's events in windows. Raises `StopRequested` or `SourceFailed`."""
        if isinstance(source, Stream):
            return source.windows(self._waiter.check_stop)
        return windows(source, self._waiter.check_stop, self._options.window_size)

    def _parts(
        self, released: Sequence[Received], window: Sequence[Received]
    ) -> Iterator[tuple[Sequence[Received], Sequence[Received]]]:
        """The released events and the window, split before each event that repeats an earlier one in it.

        The outcome of the first is then in the journal when the second is looked at.
        """
        if not (self._options.skip_delivered or self._creating):
            yield released, window
            return
        seen = {self._message_of(one) for one in released}
        begin = 0
        for place, received in enumerate(window):
            message = self._message_of(received)
            if message and message in seen:
                yield released, window[begin:place]
                released, begin, seen = (), place, set()
            seen.add(message)
        yield released, window[begin:]

    def _released(self) -> list[Received]:
        """The held records, if a write in doubt has been settled."""
        is_settled = self._doubts.settled()
        if not self._held or not (is_settled or not self._doubts or self._is_resumed):
            return []
        self._is_resumed = False
        self._doubts.release()
        released, self._held = [held_event(waiting.held) for waiting in self._held], []
        return released

    def _wait_for_doubts(self) -> None:
        seconds = self._doubts.next_end()
        if seconds > 1:
            self._waiter.say(
                f"{len(self._held):,} records wait until {until(seconds)}: an answer was lost, and until then the"
                " org may still execute that call. Ctrl-C stops; the same command continues later."
            )
        self._waiter.sleep(seconds)

    def _deliver_window(self, released: Sequence[Received], window: Sequence[Received]) -> Iterator[Delivered]:
        places = Places()
        failure: OrgError | StopRequested | JournalFailed | None = None
        try:
            waiting_for = [(one.message, one.held.key) for one in self._held if one.message]
            self._intake.held = {message for message, _ in waiting_for}
            self._intake.held_records = {message_of_record(message, key) for message, key in waiting_for}
            items = self._intake.items([*released, *window], places)
            self._settle_unfit(places)
            if items:
                self._write(items, places)
        except (OrgError, StopRequested, JournalFailed) as error:
            failure = error
        open_ones = places.open_ones()
        taken = list(window)
        if failure:
            decided = {key.event for key in places.keys} - {places.keys[place].event for place in open_ones}
            taken = list(takewhile(lambda received: received.number in decided, window))
        told = {received.number for received in (*released, *taken)}
        closed = [(place, outcome) for place, outcome in places.closed() if outcome.event in told]
        yield Delivered([outcome for _, outcome in closed], len(taken))
        waiting = [place for place in open_ones if places.keys[place].event in told]
        self._commit(places, closed, waiting, taken[-1].position if taken else self._position)
        if failure:
            raise failure

    def _commit(
        self, places: Places, closed: Sequence[tuple[int, Outcome]], waiting: Sequence[int], position: Position
    ) -> None:
        """Writes all that is certain to the journal in one transaction, and held records with their events."""
        held = [
            (held_record(places.origins[place], places.keys[place]), places.origins[place]) for place in waiting
        ]
        written_now = self._options.written()
        released = [places.keys[place] for place, _ in closed if places.origins[place].only]
        claimed = self._intake.claimed
        failed = {place for place, outcome in closed if outcome.fate == "failed"}
        written = [place for place, outcome in closed if outcome.fate not in ("failed", "skipped")]
        unsettled = {places.keys[place].event for place in (*waiting, *failed)}
        settled = [place for place in written if places.keys[place].event not in unsettled]
        # Of several copies of an event, the last one counts.
        last = {digest_of(places, place): place for place, _ in closed} if failed or self._has_letters else {}
        messages = [message for place in settled for message in self._messages(places.origins[place])]
        self._ledger.commit(
            Commit(
                position,
                results=written_now.results,
                tally=written_now.tally,
                held=[one for one, received in held if not received.only],
                released=[*released, *(claimed[place] for place, _ in closed if place in claimed)],
                failed=[letter_of(places, place) for place in last.values() if place in failed],
                delivered=[digest for digest, place in last.items() if place not in failed],
                messages=messages if self._options.remember else (),
            )
        )
        self._position = position
        self._has_letters = self._has_letters or bool(failed)
        self._held += (_Waiting(one, self._message_of(received)) for one, received in held)

    def _messages(self, received: Received) -> Iterator[str]:
        """The message ids to remember: for a dead letter both, since it may come from the service or a file."""
        names = (message_id, message_of_source) if received.only else (self._message_of,)
        return (message for name in names if (message := name(received)))

    def _created(self, item: Item, places: Places) -> Iterator[str]:
        """The ids to remember for a record, so that it is not created a second time."""
        if item.key.mapping in self._creating:
            for message in self._messages(places.origins[item.place]):
                yield message_of_record(message, item.key)

    def _settle_unfit(self, places: Places) -> None:
        """Settles records that the org cannot take as described now, even if the description changes later."""
        outcomes = [
            (places.keys[place], orjson.dumps(outcome))
            for place in self._intake.unfit
            if (outcome := places.outcomes[place])
        ]
        if outcomes:
            ended = [key for key, _ in outcomes]
            self._ledger.settle(Settled(outcomes=outcomes, ended=ended))
            self._doubts.answered(ended)

    def _write(self, items: Sequence[Item], places: Places) -> None:
        def finish(concluded: Concluded) -> None:
            certain: list[tuple[RecordKey, bytes]] = []
            written: list[Item] = []
            created: list[str] = []
            for item, ending in concluded.endings:
                record = item.record
                outcome = places.end(item.place, ending, record.mapping, record.object, item.fitted.notes)
                certain.append((item.key, orjson.dumps(outcome)))
                if ending.fate not in ("failed", "skipped"):
                    written.append(item)
                    created += self._created(item, places)
            ended = [item.key for item, ending in concluded.endings if item.unanswered or ending.fate == "failed"]
            self._ledger.settle(
                Settled(
                    writes=concluded.writes,
                    outcomes=certain,
                    newest=written_moments(written),
                    kept=concluded.kept,
                    ended=ended,
                    messages=created,
                )
            )
            self._doubts.answered(key for key, _ in certain)

        Window(
            self._org,
            self._intake.lookups,
            self._doubts,
            self._waiter,
            self._options.connections,
            self.sizes,
            self._newest,
            finish,
        ).deliver(items)
