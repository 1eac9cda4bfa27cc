"""Writes in doubt: their answer is lost and the org may still execute them, so dependent records must wait.

The org ends every call after ten minutes, so no doubt lasts longer than that. Its age is measured by the uptime of
the machine, which cannot be set. A doubt from before a reboot of the machine is counted from now.
"""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from threading import Lock
from typing import NamedTuple

from sfmap.engine.delivery.item import Item
from sfmap.engine.delivery.traces import AnyOf, Disjoint, Trace, restored_traces, stored_traces
from sfmap.engine.journal.earlier_stream import EarlierStream
from sfmap.engine.journal.entries import InFlight, RecordKey, Settled, Unanswered
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.uptime import uptime

CALL_LIMIT = 600.0
"""Seconds after which an org ends a call (app-limits, "API Usage Metrics")."""
_AHEAD = 2.0
"""Seconds from the note of a write to its call, after which the note is corrected."""


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A write about to be sent: the traces that others must not meet while it is in doubt, and its records."""

    traces: Set[Trace]
    records: Sequence[tuple[RecordKey, Unanswered]]
    """Each with what the journal stores in case no answer comes."""


class Noted(NamedTuple):
    """A write in the journal that waits to be sent."""

    number: int
    at: float
    """By `uptime`."""


class _Doubt(NamedTuple):
    write: int
    until: float
    """By `uptime`."""
    traces: frozenset[Trace]


class Doubts:
    """The writes in flight, each in the journal before it is sent. Thread-safe."""

    def __init__(
        self,
        ledger: Ledger,
        call_limit: float = CALL_LIMIT,
        clock: Callable[[], float] = uptime,
        also: Sequence[Disjoint] = (),
    ) -> None:
        """`also` are further traces that no record may meet; one that is false has none."""
        self._ledger = ledger
        self._call_limit = call_limit
        self._clock = clock
        self._lock = Lock()
        self._also = also
        self._held: set[Trace] = set()
        self._unanswered = ledger.unanswered()
        self._earlier = EarlierStream()
        if ledger.is_stream:
            self._earlier = EarlierStream(self._unanswered.keys() - {held.key for held in ledger.held()})
        ledger.forget_over()
        self._lost = [
            _Doubt(write.id, self._end(write), restored_traces(write.traces)) for write in ledger.in_flight()
        ]
        self.drop_ended()

    def _end(self, write: InFlight) -> float:
        """When the write is no longer in doubt, by `uptime`."""
        if write.seconds is not None:
            return self._clock() + min(write.seconds, self._longest)
        self._ledger.restate(write.id, self._longest)
        return self._clock() + self._longest

    @property
    def _longest(self) -> float:
        """Seconds that a write is in doubt if no answer comes, from when it is noted."""
        return self._call_limit + _AHEAD + self._ledger.slack

    def note(self, write: InDoubt) -> Noted:
        """Notes a write that will be sent soon: the journal takes time that no connection should wait for."""
        at = self._clock()
        seconds = self._call_limit + _AHEAD
        return Noted(self._ledger.sending(seconds, stored_traces(write.traces), write.records), at)

    def sending(self, write: InDoubt, noted: Noted | None = None) -> int:
        """Notes a write that is sent now, or corrects its note; returns the number to settle it by."""
        number, at = noted or self.note(write)
        if self._clock() - at > _AHEAD:
            self._ledger.restate(number, self._longest)
        return number

    def undone(self, number: int, items: Iterable[Item]) -> None:
        """Notes that the write was certainly not executed; earlier writes of its records stay unanswered."""
        self._ledger.settle(Settled(writes=[number], kept=kept(items)))

    def lose(self, number: int, write: InDoubt) -> None:
        """Notes that the answer to a write is lost: the journal keeps it until the org must have ended it."""
        with self._lock:
            self._lost.append(_Doubt(number, self._clock() + self._call_limit, frozenset(write.traces)))
            for key, sent in write.records:
                before = self._unanswered.get(key)
                self._unanswered[key] = replace(sent, write=number, losses=before.losses + 1 if before else 1)

    def answered(self, keys: Iterable[RecordKey]) -> None:
        """Notes that the writes of these records were answered."""
        with self._lock:
            for key in keys:
                self._unanswered.pop(key, None)

    def unanswered(self, key: RecordKey) -> Unanswered | None:
        """The earlier unanswered write of the record, by this run or one that was killed."""
        if not self._unanswered:
            return None
        with self._lock:
            if key not in self._unanswered and (sent := self._earlier.take(key)):
                self._ledger.claim(sent, key)
                self._unanswered[key] = self._unanswered.pop(sent)
            return self._unanswered.get(key)

    def hold(self, traces: Iterable[Trace]) -> None:
        """Adds the traces of held records, which make others wait."""
        self._held.update(traces)

    def release(self) -> None:
        """Removes the traces of all held records."""
        self._held.clear()

    def traces(self) -> Disjoint:
        """The traces that no record may meet."""
        with self._lock:
            known = frozenset(self._held).union(*(doubt.traces for doubt in self._lost))
            return AnyOf([one for one in (known, *self._also) if one])

    def writes(self) -> frozenset[int]:
        """The numbers of the writes in doubt."""
        with self._lock:
            return frozenset(doubt.write for doubt in self._lost)

    def have_ended(self) -> bool:
        """Whether a doubt has ended that is not dropped yet."""
        now = self._clock()
        with self._lock:
            return any(doubt.until <= now for doubt in self._lost)

    def drop_ended(self) -> bool:
        """Drops the doubts that have ended; returns whether there were any."""
        now = self._clock()
        with self._lock:
            before = len(self._lost)
            self._lost = [doubt for doubt in self._lost if doubt.until > now]
            return len(self._lost) < before

    def next_end(self) -> float:
        """Seconds until the next doubt ends; 0 if there is none."""
        with self._lock:
            return max(0.0, min((doubt.until for doubt in self._lost), default=0.0) - self._clock())

    def __bool__(self) -> bool:
        with self._lock:
            return bool(self._lost)


def kept(items: Iterable[Item]) -> list[tuple[RecordKey, Unanswered]]:
    """The earlier unanswered writes of the items, which stay unknown until these have an outcome."""
    return [(item.key, item.unanswered) for item in items if item.unanswered]
