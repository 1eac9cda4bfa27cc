"""Delivers events window by window: looks up, plans, writes, tells the outcomes, and commits them to the journal.

What is certain is in the journal before the next window begins, so that an interrupted run can continue.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.intake import HeldMessages, Intake
from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.outcome_table import (
    Decisions,
    MessageIds,
    OutcomeTable,
    Row,
    held_event,
    message_of_record,
)
from sfmap.engine.delivery.waiter import Waiter, until
from sfmap.engine.delivery.window import Window
from sfmap.engine.delivery.windows import WINDOW_SIZE, Stream, windows
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.journal.entries import Commit, Held
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.messages.counts import counted
from sfmap.engine.org.port import BATCH_SIZE, Org
from sfmap.engine.sources.event_source import START, EventSource, Position, Received

_MOST_HELD = 16 * 1024 * 1024
"""Bytes of events that may wait for writes in doubt; beyond it, no more are read until a doubt ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOptions:
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


@dataclass(frozen=True, slots=True)
class Delivered:
    """The outcomes of some events, in their order."""

    outcomes: Sequence[Outcome]
    events: int = 0
    """The number of events read for them."""


@dataclass(frozen=True, slots=True)
class OutputState:
    """How far results and summary are written when a window ends; the journal stores it with the window."""

    results: Results = NO_RESULTS
    tally: bytes = b""


class Listener(Protocol):
    """Who receives the outcomes."""

    def tell(self, delivered: Delivered) -> OutputState:
        """Receives outcomes before the journal counts them as done: after a kill they are told again."""


@dataclass(frozen=True, slots=True)
class _HeldRecord:
    """A record that waits for a write in doubt; its event is read again when the doubt has ended."""

    entry: Held
    message: str | None


@dataclass(frozen=True, slots=True)
class _Part:
    """Events that are delivered together: held records that are released, and newly read events."""

    released: Sequence[Received]
    window: Sequence[Received] = ()


@dataclass(frozen=True, slots=True)
class _Certain:
    """What has become certain of a part, in the order of its events."""

    taken: Sequence[Received]
    """The newly read events of which every record has an outcome or waits for a write in doubt."""
    ended: Sequence[Row]
    held: Sequence[Row]
    apart: Sequence[Row]
    """The folded records whose events have outcomes of their own."""


class Delivery:
    """Delivers the events of a source to an org.

    Its methods raise `OrgError`, `StopRequested` or `SourceFailed` after what is certain has been told and is in
    the journal. `JournalFailed`, and what the listener raises, may come before that.
    """

    def __init__(
        self,
        *,
        org: Org,
        mapper: Mapper,
        ledger: Ledger,
        doubts: Doubts,
        waiter: Waiter,
        options: DeliveryOptions,
        listener: Listener,
        on_commit: Callable[[Position], object] = lambda position: None,
    ) -> None:
        """`on_commit` is called after each commit with the position of the source."""
        self._org = org
        self._ledger = ledger
        self._doubts = doubts
        self._waiter = waiter
        self._options = options
        self._listener = listener
        self._on_commit = on_commit
        self._messages = MessageIds(
            by_source=options.ids_by_source,
            skip_delivered=options.skip_delivered,
            creating=mapper.creating if options.remember else frozenset(),
        )
        self._intake = Intake(
            org=org, mapper=mapper, ledger=ledger, doubts=doubts, waiter=waiter, messages=self._messages
        )
        self.sizes = BatchSizes(options.batch_size)
        self._held = [_HeldRecord(held, self._messages.of(held_event(held))) for held in ledger.held()]
        self._is_resumed = bool(self._held)
        """Whether the dependencies of held records are still unknown: these must be looked up before others."""
        self._has_letters = ledger.has_letters()
        self._position = START

    @property
    def held(self) -> int:
        """The number of records that wait for a write in doubt."""
        return len(self._held)

    def deliver(self, source: EventSource | Stream, start: Position = START) -> None:
        """Delivers a source to its end, and then the held records, once their writes are no longer in doubt."""
        self.deliver_source(source, start)
        while self._held:
            self._wait_for_doubts()
            self._deliver_part(_Part(self._take_held()))

    def deliver_source(self, source: EventSource | Stream, start: Position = START) -> None:
        """Delivers a source to its end; records may still be held then."""
        self.begin(start)
        for window in self._windows(source):
            self.deliver_window(window)

    def begin(self, start: Position) -> None:
        """Sets where the source starts."""
        self._position = start

    def deliver_window(self, window: Sequence[Received]) -> None:
        """Delivers the events; an empty window gives held records a chance to be delivered."""
        for part in self._parts(self._take_held(), window):
            self._deliver_part(part)
        while sum(len(one.entry.raw) for one in self._held) > _MOST_HELD:
            self._wait_for_doubts()
            self._deliver_part(_Part(self._take_held()))

    def _windows(self, source: EventSource | Stream) -> Iterator[Sequence[Received]]:
        if isinstance(source, Stream):
            return source.windows(self._waiter.check_stop)
        return windows(source, self._waiter.check_stop, self._options.window_size)

    def _parts(self, released: Sequence[Received], window: Sequence[Received]) -> list[_Part]:
        """The released events and the window, split before each event that repeats an earlier one in it.

        The outcome of the first is then in the journal when the second is looked at.
        """
        if not (self._messages.skip_delivered or self._messages.creating):
            return [_Part(released, window)]
        parts: list[_Part] = []
        seen = {message for one in released for message in self._repeated_by(one)}
        begin = 0
        for place, received in enumerate(window):
            messages = self._repeated_by(received)
            if messages & seen:
                parts.append(_Part(released, window[begin:place]))
                released, begin, seen = (), place, set()
            seen |= messages
        return [*parts, _Part(released, window[begin:])]

    def _repeated_by(self, received: Received) -> set[str]:
        """What repeats of the event are recognized by; one that is delivered in parts does not repeat itself."""
        message = self._messages.of(received)
        part = f"\n{received.part}" if received.part else ""
        return {f"{message}{part}" if message else "", received.repeat_key} - {""}

    def _take_held(self) -> list[Received]:
        """Takes the held records, if a doubt has ended, none is left, or the run has just been resumed."""
        has_ended = self._doubts.drop_ended()
        if not self._held or not (has_ended or not self._doubts or self._is_resumed):
            return []
        self._is_resumed = False
        self._doubts.release()
        released, self._held = [held_event(one.entry) for one in self._held], []
        return released

    def _wait_for_doubts(self) -> None:
        seconds = self._doubts.next_end()
        if seconds > 1:
            records = f"{counted(len(self._held), 'record')} {'waits' if len(self._held) == 1 else 'wait'}"
            self._waiter.say(
                f"{records} until {until(seconds)}: an answer was lost, and until then the"
                " org may still execute that call. Ctrl-C stops; the same command continues later."
            )
        self._waiter.sleep(seconds)

    def _deliver_part(self, part: _Part) -> None:
        """Decides the outcomes of the events, tells them, and commits them.

        Each decision is in the journal before the next write; the commit moves the position past the events.
        """
        if not (part.released or part.window):
            return
        table = OutcomeTable()
        failure: SfmapError | None = None
        try:
            self._deliver_records(part, table)
        except SfmapError as error:
            failure = error
        certain = _certain(part, table, is_whole=failure is None)
        outcomes = [row.outcome for row in certain.ended if row.outcome]
        written = self._listener.tell(Delivered(outcomes, sum(received.events for received in certain.taken)))
        self._commit(certain, written)
        if failure:
            raise failure

    def _deliver_records(self, part: _Part, table: OutcomeTable) -> None:
        """Opens a row for each record, and delivers it; its row stays without an outcome if it must be held."""
        decisions = Decisions(table, self._ledger, self._doubts, self._messages)
        items = self._intake.items([*part.released, *part.window], table, self._held_messages())
        decisions.record_unsent(table)
        if items:
            Window(
                org=self._org,
                lookups=self._intake.lookups,
                ledger=self._ledger,
                doubts=self._doubts,
                waiter=self._waiter,
                connections=self._options.connections,
                sizes=self.sizes,
                decisions=decisions,
                apart=lambda item: self._apart(item, table, decisions),
            ).deliver(items)

    def _apart(self, item: Item, table: OutcomeTable, decisions: Decisions) -> list[Item]:
        """The items of the events that were folded into an item which the org has refused."""
        items = self._intake.apart(table[item.place], table)
        decisions.record_unsent(table)
        return items

    def _held_messages(self) -> HeldMessages:
        held = [(one.message, one.entry.key) for one in self._held if one.message]
        return HeldMessages(
            events={message for message, _ in held},
            records={message_of_record(message, key) for message, key in held},
        )

    def _commit(self, certain: _Certain, written: OutputState) -> None:
        """Writes all that is certain to the journal in one transaction, and held records with their events.

        Before it, a resumed run delivers these events again, and takes the outcomes that were decided for them.
        After it, they are done: the position is past them, and nothing about them is needed but held records,
        dead letters and message ids.
        """
        ended = certain.ended
        failed = [row for row in ended if row.fate == "failed"]
        # Of several copies of an event, the last one counts; one that was skipped changes no dead letter.
        counting = [row for row in ended if not row.is_copy] if failed or self._has_letters else []
        last = {row.digest: row for row in counting}
        position = certain.taken[-1].position if certain.taken else self._position
        self._ledger.commit(
            Commit(
                position=position,
                results=written.results,
                tally=written.tally,
                held=[row.held for row in certain.held if not row.received.only],
                no_longer_held=[
                    *(row.key for row in (*ended, *certain.apart) if row.received.only),
                    *(row.claimed for row in ended if row.claimed),
                ],
                failed=[row.letter for row in last.values() if row.fate == "failed"],
                delivered=[digest for digest, row in last.items() if row.fate != "failed"],
                messages=list(self._delivered_messages(certain, failed)) if self._options.remember else (),
            )
        )
        self._position = position
        self._has_letters = self._has_letters or bool(failed)
        self._held += (_HeldRecord(row.held, self._messages.of(row.received)) for row in certain.held)
        self._on_commit(position)

    def _delivered_messages(self, certain: _Certain, failed: Iterable[Row]) -> Iterator[str]:
        """The message ids of the events that were delivered as a whole.

        Those of rows that were delivered before are remembered for as long as they come again. An event that is
        delivered in parts is not remembered: others of its parts may come later.
        """
        unsettled = {row.key.event for row in (*certain.held, *failed)}
        for row in certain.ended:
            if row.is_copy and row.received.repeat_key:
                yield row.received.repeat_key
            elif row.received.part:
                continue
            elif row.fate not in ("failed", "skipped") and row.key.event not in unsettled:
                yield from self._messages.to_remember(row.received)


def _certain(part: _Part, table: OutcomeTable, is_whole: bool) -> _Certain:
    """What is certain of the part: if it failed, all up to the first event with a record that is undecided."""
    taken = list(part.window)
    if not is_whole:
        decided = {row.taken_with for row in table} - table.undecided_events()
        taken = list(takewhile(lambda received: received.number in decided, part.window))
    every = list(table.of_events(received.number for received in (*part.released, *taken)))
    rows = [row for row in every if not row.is_apart]
    return _Certain(
        taken=taken,
        ended=[row for row in rows if row.outcome],
        held=[row for row in rows if row.outcome is None],
        apart=[row for row in every if row.is_apart],
    )
