"""The records of a window in order, and the decisions about their outcomes.

A decision is in the journal before anything else is sent.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

import orjson

from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.outcome import Answer, Ending, Fate, Outcome
from sfmap.engine.journal.entries import Held, Letter, RecordKey, Settled, Unanswered, digest
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.values.record import Note
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.reading import read_event
from sfmap.engine.sources.record_lines import folded_events


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageIds:
    """How a delivery recognizes what was delivered before."""

    by_source: bool
    """Whether message ids are separate for each source of events (`Received.file`)."""
    skip_delivered: bool
    """Whether events are skipped that were delivered before; otherwise only records that would be duplicates."""
    creating: Set[str]
    """The mappings whose records would be created a second time."""
    of_letters: bool
    """Whether the events are those of dead letters, which may be from files or from sources of a service."""

    def of(self, received: Received) -> str | None:
        """The message id of the event, as it is remembered."""
        return _of_source(received) if self.by_source else message_id(received)

    def of_repeat(self, received: Received) -> str | None:
        """What a repeat of the event is recognized by."""
        return received.repeat_key or self.of(received)

    def to_remember(self, received: Received) -> Iterator[str]:
        """What is remembered of a delivered event."""
        return iter((received.repeat_key,)) if received.repeat_key else self._ids(received)

    def of_created(self, received: Received, key: RecordKey) -> Iterator[str]:
        """The ids to remember for a record, so that it is not created a second time."""
        if key.mapping in self.creating:
            yield from (message_of_record(message, key) for message in self._ids(received))

    def _ids(self, received: Received) -> Iterator[str]:
        """The message ids of an event, by which the run that it is from recognizes it."""
        found = (message_id(received), _of_source(received)) if self.of_letters else (self.of(received),)
        return (message for message in found if message)


def message_id(received: Received) -> str | None:
    found = received.event.get("messageId") if received.event else None
    return found if isinstance(found, str) else None


def _of_source(received: Received) -> str | None:
    """The message id qualified by the event's source, since other sources may use the same one."""
    found = message_id(received)
    return found and f"{received.file}\n{found}"


def message_of_record(message: str, key: RecordKey) -> str:
    """The message id qualified by one record of the event, since others of it may not be delivered yet."""
    return f"{message}\n{key.mapping}\n{key.item_number}"


@dataclass(slots=True)
class Row:
    """One record of an event, or an event without one."""

    received: Received
    key: RecordKey
    outcome: Outcome | None = None
    """None as long as it is undecided."""
    claimed: RecordKey | None = None
    """Its key in the journal, if it was decided in an earlier stream."""
    is_unsent: bool = False
    """Whether it ended because nothing can be sent for it now: a resumed run might find otherwise."""
    is_copy: bool = False
    """Whether it was skipped because an earlier copy of the event has created the record, or may have."""
    may_be_created: bool = False
    """Whether the org may have created the record although it failed."""
    place: int = 0
    """Where it is among the rows of all open windows."""
    taken_with: int = 0
    """The number of the event that it was received with: of a folded record, that of its last event."""
    is_apart: bool = False
    """Whether its events have rows of their own, since the record that they were folded into was refused."""

    def end(self, ending: Ending, mapping: str = "", object_name: str = "", notes: Iterable[Note] = ()) -> Outcome:
        """Sets the outcome."""
        received = self.received
        self.may_be_created = ending.may_be_created
        self.outcome = Outcome(
            event=received.number,
            file=received.file,
            line=received.line,
            message_id=message_id(received),
            fate=ending.fate,
            mapping=mapping,
            item_number=max(0, self.key.item_number),
            object_name=object_name,
            id=ending.id,
            reason=ending.reason,
            notes=(*[note.text for note in notes], *ending.notes),
            events=received.events,
            answer=ending.answer,
        )
        return self.outcome

    @property
    def fate(self) -> Fate | None:
        return self.outcome.fate if self.outcome else None

    @property
    def held(self) -> Held:
        """The record as the journal keeps it until a write in doubt is settled."""
        received = self.received
        return Held(key=self.key, file=received.file, line=received.line, raw=received.raw)

    @property
    def letter(self) -> Letter:
        """The failed record as a dead letter."""
        assert self.outcome
        return Letter(
            key=self.key,
            file=self.received.file,
            line=self.received.line,
            object_name=self.outcome.object_name,
            reason=self.outcome.reason,
            raw=self.received.raw,
        )

    @property
    def digest(self) -> bytes:
        return digest(self.received.raw, self.key.mapping, self.key.item_number)


class OutcomeTable:
    """The rows of one window; items know theirs by its place."""

    def __init__(self, first: int) -> None:
        """`first` is the place of the first row."""
        self._rows: dict[int, Row] = {}
        self._next = first
        self._is_in_order = True

    def open(self, received: Received, mapping: str = "", item_number: int = 0) -> Row:
        """Adds a row for an outcome of this event, in the order of the calls.

        After that of a folded record there is room for those of its events.
        """
        row = self._open(received, mapping, item_number, self._next)
        self._next += received.folded + 1
        return row

    def open_apart(self, folded: Row, nth: int, received: Received, mapping: str, item_number: int) -> Row:
        """Adds a row for the nth event of a folded record, at its place."""
        self._is_in_order = False
        row = self._open(received, mapping, item_number, folded.place + nth)
        row.taken_with = folded.taken_with
        return row

    def _open(self, received: Received, mapping: str, item_number: int, place: int) -> Row:
        key = RecordKey(event=received.number, digest=received.digest, mapping=mapping, item_number=item_number)
        row = self._rows[place] = Row(received, key, place=place, taken_with=received.number)
        return row

    @property
    def end(self) -> int:
        """The place after the last row."""
        return self._next

    @property
    def places(self) -> Iterable[int]:
        return self._rows.keys()

    def __getitem__(self, place: int) -> Row:
        return self._rows[place]

    def __iter__(self) -> Iterator[Row]:
        """The rows in order."""
        if not self._is_in_order:
            self._rows, self._is_in_order = dict(sorted(self._rows.items())), True
        return iter(self._rows.values())

    def undecided_events(self) -> set[int]:
        """The numbers of the events that have a record without an outcome."""
        return {row.taken_with for row in self if row.outcome is None and not row.is_apart}

    def of_events(self, numbers: Iterable[int]) -> Iterator[Row]:
        """The rows of these events."""
        wanted = set(numbers)
        return (row for row in self if row.taken_with in wanted)


def stored_outcome(outcome: Outcome) -> bytes:
    """The outcome as JSON, for the journal."""
    return orjson.dumps(outcome)


def restored_outcome(stored: bytes) -> Outcome:
    said = orjson.loads(stored)
    answer = said.get("answer")
    return Outcome(**{**said, "notes": tuple(said["notes"]), "answer": Answer(**answer) if answer else None})


def held_event(held: Held) -> Received:
    """The event of a held record, limited to that record."""
    event, problem = read_event(held.raw)
    only = held.key.mapping, held.key.item_number
    return Received(
        number=held.key.event,
        file=held.file,
        line=held.line,
        raw=held.raw,
        event=event,
        problem=problem,
        only=only,
        folded=folded_events(event) if event and held.key.is_folded else 0,
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """An item and its outcome."""

    item: Item
    ending: Ending


class Decisions:
    """The decisions about records. Every method may raise `JournalFailed`."""

    def __init__(
        self, table_of: Callable[[int], OutcomeTable], ledger: Ledger, doubts: Doubts, messages: MessageIds
    ) -> None:
        """`table_of` returns the table that has the row at a place."""
        self._table_of = table_of
        self._ledger = ledger
        self._doubts = doubts
        self._messages = messages

    def record(
        self,
        decided: Iterable[Decided],
        answered: Sequence[int] = (),
        kept: Sequence[tuple[RecordKey, Unanswered]] = (),
    ) -> None:
        """Sets outcomes, and writes them to the journal in one transaction with the writes that were `answered`.

        `kept` are the earlier unanswered writes of items that are sent again.
        """
        outcomes: list[tuple[RecordKey, bytes]] = []
        written: list[Item] = []
        created: list[str] = []
        ended: list[RecordKey] = []
        for one in decided:
            item, ending = one.item, one.ending
            row = self._table_of(item.place)[item.place]
            outcome = row.end(ending, item.record.mapping, item.record.object, item.fitted.notes)
            outcomes.append((item.key, stored_outcome(outcome)))
            if ending.fate not in ("failed", "skipped"):
                written.append(item)
            if ending.fate not in ("failed", "skipped") or ending.may_be_created:
                created += self._messages.of_created(row.received, item.key)
            if item.unanswered or ending.fate == "failed":
                ended.append(item.key)
        self._ledger.settle(
            Settled(
                writes=answered,
                outcomes=outcomes,
                newest=_newest(written),
                kept=kept,
                ended=ended,
                messages=created,
            )
        )
        self._doubts.answered(key for key, _ in outcomes)

    def record_unsent(self, rows: Iterable[Row]) -> None:
        """Writes outcomes to the journal that a resumed run might not find again."""
        unsent = [row for row in rows if row.is_unsent]
        outcomes = [(row.key, stored_outcome(row.outcome)) for row in unsent if row.outcome]
        if outcomes:
            ended = [key for key, _ in outcomes]
            created = [
                message
                for row in unsent
                if row.may_be_created
                for message in self._messages.of_created(row.received, row.key)
            ]
            self._ledger.settle(Settled(outcomes=outcomes, ended=ended, messages=created))
            self._doubts.answered(ended)


def _newest(items: Sequence[Item]) -> list[tuple[bytes, str]]:
    """The newest time for each identity of the written items, to be remembered for `timestamp_guard`."""
    newest: dict[bytes, str] = {}
    for item in items:
        if item.moment and item.moment.time:
            newest[item.moment.identity] = max(item.moment.time, newest.get(item.moment.identity, ""))
    return list(newest.items())
