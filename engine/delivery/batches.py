"""Sends batches of writes concurrently.

Each batch is noted before it is sent, split if it is refused as a whole, and in doubt if its answer is lost.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from threading import Event
from typing import Literal, get_args

from sfmap.engine.delivery.folding import Fold, Item, Trace, creation
from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.outcome import Fate
from sfmap.engine.delivery.waiter import StopRequested, Waiter
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.ledger import RecordKey, Unanswered
from sfmap.engine.language.model import WriteHeaders
from sfmap.engine.mapping.values.record import Note
from sfmap.engine.org.port import (
    BATCH_SIZE,
    CallRefused,
    Org,
    OrgError,
    OrgUnavailable,
    RecordWrite,
    Refused,
    WriteOptions,
    WriteResult,
    Written,
)

Verb = Literal["create", "upsert", "update", "delete"]
VERBS: tuple[Verb, ...] = get_args(Verb)
"""In the order in which a window sends them."""

_HALVINGS = 2
"""How often a batch is halved each time its answer is lost again."""


@dataclass(frozen=True, slots=True)
class Call:
    """The operation and object of a batch."""

    verb: Verb
    object_name: str
    options: WriteOptions
    external_id: str = ""
    is_safe_to_repeat: bool = False
    """Whether the external id is unique, so that the org prevents a second record."""
    batch_size: int | None = None
    """The batch size set by the mapping."""
    most: int = BATCH_SIZE
    """The largest batch size after answers were lost."""
    minds_order: bool = False
    """Whether its records must be created in order, since lookups may depend on it."""

    def send(self, org: Org, writes: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        if self.verb == "create":
            return org.create(self.object_name, writes, self.options)
        if self.verb == "update":
            return org.update(self.object_name, writes, self.options)
        if self.verb == "upsert":
            return org.upsert(self.object_name, self.external_id, writes, self.options)
        return org.delete(self.object_name, [write.id for write in writes if write.id], self.options)

    def fate(self, written: Written, expected: Fate) -> Fate:
        """The outcome of the first item of the record that the call wrote."""
        if self.verb == "upsert":
            return "created" if written.created else "updated"
        return expected


@dataclass(frozen=True, slots=True)
class Pending:
    """The write of a fold."""

    fold: Fold
    write: RecordWrite
    note: str = ""
    fates: Sequence[Fate] = ()
    """The expected outcomes of the fold's items; the org's answer may change that of the first."""
    known: tuple[str, ...] = ()
    """For a create, the ids of the records that already have its key."""
    dropped: tuple[Note, ...] = ()
    """Notes on fields left out because the org does not know them."""

    def without(self, field_name: str) -> "Pending":
        """The same write without a field that the org does not know."""
        left = {name: value for name, value in self.write.fields.items() if name.lower() != field_name.lower()}
        clear = tuple(name for name in self.write.clear if name.lower() != field_name.lower())
        if (len(left), len(clear)) == (len(self.write.fields), len(self.write.clear)):
            return self
        note = Note(field_name, "left out: the org does not know this field, or hides it from this user")
        write = replace(self.write, fields=left, clear=clear)
        return replace(self, write=write, dropped=(*self.dropped, note))


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came: the write may have been executed, or may still be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One write with its result; `number` identifies it in the journal until it is settled."""

    call: Call
    pending: Pending
    result: WriteResult | Lost
    number: int
    together: int = 1
    """The size of its batch."""


@dataclass(slots=True)
class Answers:
    """The answers of one batch."""

    sent: list[Sent] = field(default_factory=list)
    failure: OrgError | StopRequested | JournalFailed | None = None
    """Why the rest of the batch was not sent."""


def batch_size(lost: int) -> int:
    """The batch size for records whose answers were lost that many times: the call may have taken too long."""
    return max(1, BATCH_SIZE >> _HALVINGS * max(0, lost - 1))


@lru_cache(maxsize=64)
def write_options(headers: WriteHeaders) -> WriteOptions:
    """The headers of a mapping or an org as write options."""
    return WriteOptions(**{f.name: getattr(headers, f.name) for f in fields(headers)})


class Sender:
    def __init__(self, org: Org, doubts: Doubts, waiter: Waiter, connections: int) -> None:
        self._org = org
        self._doubts = doubts
        self._waiter = waiter
        self._connections = connections

    def send(self, call: Call, pending: Sequence[Pending], size: int) -> Iterator[Answers]:
        """The answers, batch by batch in order; no more batches are started once one has failed."""
        batches = [pending[start : start + size] for start in range(0, len(pending), size)]
        if self._connections == 1 or len(batches) == 1 or call.minds_order:
            for batch in batches:
                answers = self._answers(call, batch)
                yield answers
                if answers.failure:
                    return
            return
        broken = Event()

        def answers_of(batch: Sequence[Pending]) -> Answers:
            answers = Answers() if broken.is_set() else self._answers(call, batch)
            if answers.failure:
                broken.set()
            return answers

        with ThreadPoolExecutor(self._connections) as pool:
            yield from pool.map(answers_of, batches)

    def _answers(self, call: Call, batch: Sequence[Pending]) -> Answers:
        answers = Answers()
        try:
            self._send(call, batch, answers)
        except (OrgError, StopRequested, JournalFailed) as error:
            answers.failure = error
        return answers

    def _send(self, call: Call, batch: Sequence[Pending], answers: Answers) -> None:
        traces, records = _traces(call, batch), _records(call, batch)
        while True:
            self._waiter.check_stop()
            number = self._doubts.sending(traces, records)
            try:
                results = call.send(self._org, [pending.write for pending in batch])
            except OrgError as error:
                if error.maybe_applied:
                    self._doubts.lose(number, traces, records)
                    if not call.is_safe_to_repeat:
                        answers.sent += (Sent(call, one, Lost(error.message), number) for one in batch)
                        self._after_loss(error)
                        return
                else:
                    self._doubts.undone(number, batch_items(batch))
                if not isinstance(error, OrgUnavailable):
                    self._waiter.answered()
                    self._refused(call, batch, error, answers)
                    return
                self._waiter.bear(error)
            else:
                self._waiter.answered()
                pairs = zip(batch, results, strict=True)
                answers.sent += (Sent(call, one, result, number, len(batch)) for one, result in pairs)
                return

    def _after_loss(self, error: OrgError) -> None:
        """Waits until the org answers again before anything else is sent."""
        if isinstance(error, OrgUnavailable):
            self._waiter.bear(error)
            self._waiter.ask(self._org.limits)

    def _refused(self, call: Call, batch: Sequence[Pending], error: OrgError, answers: Answers) -> None:
        """Handles a batch refused as a whole: resends it without an unknown field, or in halves."""
        if not isinstance(error, CallRefused):
            raise error
        corrected = [pending.without(error.field) for pending in batch] if error.field else list(batch)
        if corrected != list(batch):
            self._send(call, corrected, answers)
        elif len(batch) == 1:
            answers.sent.append(Sent(call, batch[0], Refused(error.code, error.message), 0))
        else:
            middle = len(batch) // 2
            self._send(call, batch[:middle], answers)
            self._send(call, batch[middle:], answers)


def batch_items(batch: Sequence[Pending]) -> Iterator[Item]:
    return (item for pending in batch for item in pending.fold.items)


def _traces(call: Call, batch: Sequence[Pending]) -> set[Trace]:
    traces = {trace for pending in batch for trace in pending.fold.traces}
    return {*traces, creation(call.object_name)} if call.verb == "create" and call.minds_order else traces


def _records(call: Call, batch: Sequence[Pending]) -> list[tuple[RecordKey, Unanswered]]:
    """What the journal stores of each record in case no answer comes."""
    return [
        (item.key, Unanswered(call.verb, pending.write.id or "", pending.known, place=place))
        for place, pending in enumerate(batch)
        for item in pending.fold.items
    ]
