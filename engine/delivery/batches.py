"""Sends batches of writes, and notes what happens to each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event

from sfmap.engine.delivery.in_doubt import Doubts, InDoubt
from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.traces import Trace, creation
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.write_pace import WritePace
from sfmap.engine.delivery.writes import PendingWrite
from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.entries import RecordKey, Unanswered
from sfmap.engine.org.port import (
    CallRefused,
    Org,
    OrgError,
    OrgUnavailable,
    Refused,
    TooManyCalls,
    WriteResult,
)


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came: the write may have been executed, or may still be."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One write with its result; `number` identifies it in the journal until it is settled."""

    pending: PendingWrite
    result: WriteResult | Lost
    number: int
    """0 if the org refused the call as a whole, which is settled already."""
    together: int = 1
    """The size of its batch."""
    place: int = 1
    """Its place in the batch, from 1."""


@dataclass(slots=True)
class Answers:
    """The answers of one batch."""

    sent: list[Sent] = field(default_factory=list)
    failure: SfmapError | None = None
    """Why the rest of the batch was not sent."""

    @property
    def is_lost(self) -> bool:
        """Whether no answer came to a part of it."""
        return any(isinstance(sent.result, Lost) for sent in self.sent)


class Sender:
    """Sends batches. Thread-safe."""

    def __init__(self, org: Org, doubts: Doubts, waiter: Waiter, pace: WritePace) -> None:
        self._org = org
        self._doubts = doubts
        self._waiter = waiter
        self._pace = pace
        self._is_stopped = Event()

    def stop(self) -> None:
        """Lets batches that are not under way end without being sent."""
        self._is_stopped.set()
        self._pace.look_again()

    def send(self, batch: Sequence[PendingWrite]) -> Answers:
        """The answers to one batch; after an error, no more batches are sent."""
        answers = Answers()
        with self._pace.one_batch(self._is_stopped.is_set):
            try:
                self._send(batch, answers)
            except SfmapError as error:
                self.stop()
                answers.failure = error
        return answers

    def _send(self, batch: Sequence[PendingWrite], answers: Answers) -> None:
        """Sends the batch until the org answers, or its answer is lost; adds the results to the answers."""
        while not self._is_stopped.is_set():
            self._waiter.check_stop()
            try:
                if self._send_once(batch, answers):
                    return
            except CallRefused as error:
                self._correct(batch, error, answers)
                return

    def _send_once(self, batch: Sequence[PendingWrite], answers: Answers) -> bool:
        """Sends the batch once; returns False if it is to be sent again. Raises `OrgError`."""
        call, write = batch[0].call, _in_doubt(batch)
        noted = self._doubts.note(write) if all(one.is_found_again for one in batch) else None
        with self._pace.one_write(len(batch), self._is_stopped.is_set) as may_send:
            if not may_send:
                if noted:
                    self._doubts.undone(noted.number, batch_items(batch))
                return True
            number = self._doubts.sending(write, noted)
            try:
                results = call.send(self._org, [pending.write for pending in batch])
            except OrgError as error:
                if error.maybe_applied:
                    self._doubts.lose(number, write)
                else:
                    self._doubts.undone(number, batch_items(batch))
                if error.maybe_applied and not call.is_safe_to_repeat:
                    lost = Lost(error.message)
                    answers.sent += (Sent(pending=one, result=lost, number=number) for one in batch)
                    self._after_loss(error)
                    return True
                self._wait_after(error)
                return False
        self._waiter.answered()
        pairs = enumerate(zip(batch, results, strict=True), 1)
        answers.sent += (
            Sent(pending=one, result=result, number=number, together=len(batch), place=place)
            for place, (one, result) in pairs
        )
        return True

    def _wait_after(self, error: OrgError) -> None:
        """Waits until the batch may be sent again. Raises an error that waiting does not help."""
        if not isinstance(error, OrgUnavailable):
            self._waiter.answered()
            raise error
        if isinstance(error, TooManyCalls):
            self._pace.too_many(f"the org refused more calls at once: {error.code}")
        self._waiter.wait_after(error)

    def _after_loss(self, error: OrgError) -> None:
        """Waits until the org answers again before anything else is sent."""
        if isinstance(error, OrgUnavailable):
            self._waiter.wait_after(error)
            self._waiter.ask(self._org.limits)

    def _correct(self, batch: Sequence[PendingWrite], error: CallRefused, answers: Answers) -> None:
        """Sends a batch that was refused as a whole without an unknown field, or in halves."""
        corrected = [pending.without(error.field) for pending in batch] if error.field else list(batch)
        if corrected != list(batch):
            self._send(corrected, answers)
        elif len(batch) == 1:
            refused = Refused(error.code, error.message)
            answers.sent.append(Sent(pending=batch[0], result=refused, number=0))
        else:
            middle = len(batch) // 2
            self._send(batch[:middle], answers)
            self._send(batch[middle:], answers)


def batch_items(batch: Sequence[PendingWrite]) -> Iterator[Item]:
    return (item for pending in batch for item in pending.fold.items)


def _in_doubt(batch: Sequence[PendingWrite]) -> InDoubt:
    """What the journal stores of the batch in case no answer comes."""
    call = batch[0].call
    traces: set[Trace] = set().union(*(pending.fold.traces for pending in batch))
    if call.verb == "create" and call.order_matters:
        traces.add(creation(call.object_name))
    return InDoubt(
        traces=traces, records=[sent for position, one in enumerate(batch) for sent in _sent(one, position)]
    )


def _sent(pending: PendingWrite, position: int) -> Iterator[tuple[RecordKey, Unanswered]]:
    sent = Unanswered(verb=pending.call.verb, id=pending.write.id or "", known=pending.known, position=position)
    return ((item.key, sent) for item in pending.fold.items)
