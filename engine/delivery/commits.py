"""Commits windows to the journal, and keeps the records that wait for a write in doubt or a bulk job."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.intake import HeldMessages
from sfmap.engine.delivery.loads import Loads
from sfmap.engine.delivery.open_windows import Certain
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.outcome_table import MessageIds, Row, held_event, message_of_record
from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.journal.entries import Commit, Held, Loaded, RecordKey
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.sources.event_source import START, Position, Received


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


class Commits:
    """Every method may raise `JournalFailed`, or what the listener raises."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        doubts: Doubts,
        loads: Loads,
        messages: MessageIds,
        listener: Listener,
        on_commit: Callable[[Position], object],
        remember: bool,
    ) -> None:
        """`remember` says whether the message ids of delivered events are remembered."""
        self._ledger = ledger
        self._doubts = doubts
        self._loads = loads
        self._messages = messages
        self._listener = listener
        self._on_commit = on_commit
        self._remember = remember
        self.held_bytes = 0
        """The size of the events of the records that wait, but for those that travel by a bulk job."""
        self._held: list[_HeldRecord] = []
        self._released = 0
        """The number of those that were taken and are not committed: the journal holds them until then."""
        self._hold(self._held_records())
        self._travelling: dict[int, set[str]] = {}
        """By load, the message ids of its events and records, if repeats are recognized by them."""
        self._has_load_ended = False
        """Whether a load is over since held records were taken."""
        self._is_resumed = bool(self._held)
        """Whether the dependencies of held records are still unknown: these must be looked up before others."""
        self._has_letters = ledger.has_letters()
        self.position = START

    @property
    def held(self) -> int:
        """The number of records that the journal holds, but for those that travel by a bulk job."""
        return len(self._held) + self._released

    @property
    def can_release(self) -> bool:
        """Whether held records may be delivered as soon as no window is open."""
        return (bool(self._held) and self._need_not_wait) or self._doubts.have_ended()

    @property
    def _need_not_wait(self) -> bool:
        """Whether a load has ended, nothing is left to wait for, or the run has just been resumed."""
        return self._has_load_ended or self._is_resumed or not (self._doubts or self._loads)

    def tell_progress(self) -> None:
        """Tells how far the run is, between two commits."""
        self._on_commit(self.position)

    def take_held(self) -> list[Received]:
        """Takes the held records, if a doubt has ended or they need not wait. No window may be open."""
        is_over = self._doubts.drop_ended() or self._need_not_wait
        self._has_load_ended = False
        if not (self._held and is_over):
            return []
        self._is_resumed = False
        self._doubts.release()
        released = [held_event(one.entry) for one in self._held]
        self._released = len(released)  # before the list is emptied: other threads read how many are held
        self._held, self.held_bytes = [], 0
        return released

    def held_messages(self) -> HeldMessages:
        held = [(one.message, one.entry.key) for one in self._held if one.message]
        return HeldMessages(
            events={message for message, _ in held},
            records={message_of_record(message, key) for message, key in held},
            of_loads=list(self._travelling.values()),
        )

    def commit(self, certain: Certain, of_load: Commit | None = None) -> None:
        """Tells the outcomes, and writes all that is certain to the journal in one transaction.

        That includes held records with their events, and what else is known of a load that is over.

        Before it, a resumed run delivers these events again, and takes the outcomes that were decided for them.
        After it, they are done: the position is past them, and nothing about them is needed but held records,
        dead letters and message ids.
        """
        outcomes = [row.outcome for row in certain.ended if row.outcome]
        written = self._listener.tell(Delivered(outcomes, sum(received.events for received in certain.taken)))
        ended = certain.ended
        failed = [row for row in ended if row.fate == "failed"]
        # Of several copies of an event, the last one counts; one that was skipped changes no dead letter.
        counting = [row for row in ended if not row.is_copy] if failed or self._has_letters else []
        last = {row.digest: row for row in counting}
        position = certain.taken[-1].position if certain.taken else self.position
        held = self._loads.held(certain.held)
        also = of_load or Commit(position=position)
        self._ledger.commit(
            replace(
                also,
                position=position,
                results=written.results,
                tally=written.tally,
                held=held,
                no_longer_held=() if also.ended else _no_longer_held(certain),
                failed=[row.letter for row in last.values() if row.fate == "failed"],
                delivered=[digest for digest, row in last.items() if row.fate != "failed"],
                messages=[
                    *also.messages,
                    *(self._delivered_messages(certain, failed) if self._remember else ()),
                ],
            )
        )
        self.position = position
        self._has_letters = self._has_letters or bool(failed)
        self._note_held(certain.held, held)
        if of_load is None:
            self._released = 0
        self._loads.committed(held, ended)
        self._on_commit(position)

    def _note_held(self, rows: Iterable[Row], held: Iterable[Held | Loaded]) -> None:
        loads = {one.held.key: one.load for one in held if isinstance(one, Loaded)}
        for row in rows:
            message = self._messages.of(row.received)
            if row.key not in loads:
                self._hold([_HeldRecord(row.held, message)])
            elif message and (self._messages.skip_delivered or row.key.mapping in self._messages.creating):
                known = self._travelling.setdefault(loads[row.key], set())
                known.update((message, message_of_record(message, row.key)))

    def load_is_over(self, load: int) -> None:
        """Notes that a load is over. If records that it gave back are held again, they are so in their order."""
        self._travelling.pop(load, None)
        self._has_load_ended = True
        if self._ledger.loads.is_of_letters:
            self._held.sort(key=lambda one: one.entry.key.event)
        else:
            self._held, self.held_bytes = [], 0
            self._hold(self._held_records())

    def _hold(self, records: Sequence[_HeldRecord]) -> None:
        self._held += records
        self.held_bytes += sum(len(one.entry.raw) for one in records)

    def _held_records(self) -> list[_HeldRecord]:
        return [_HeldRecord(held, self._messages.of(held_event(held))) for held in self._ledger.held()]

    def _delivered_messages(self, certain: Certain, failed: Iterable[Row]) -> Iterator[str]:
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


def _no_longer_held(certain: Certain) -> list[RecordKey]:
    """The records of a window that have an outcome now, as the journal knows them."""
    held = [row.key for row in (*certain.ended, *certain.apart) if row.received.only]
    return [*held, *(row.claimed for row in certain.ended if row.claimed)]
