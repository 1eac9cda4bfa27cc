"""Writes in doubt: whose answer is lost, and which the org may yet do; nothing that meets them is touched.

The org ends every call after a limit of its own (ten minutes), so no doubt is older than that.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from threading import Lock

import orjson

from sfmap.engine.delivery.coalesce import Trace
from sfmap.engine.journal.ledger import Ledger, RecordKey

CALL_LIMIT = 600.0
"""Seconds after which an org ends a call (app-limits, "API Usage Metrics")."""


class Doubts:
    """What is in flight, in the journal before it is sent; threads share it."""

    def __init__(
        self, ledger: Ledger, call_limit: float = CALL_LIMIT, clock: Callable[[], float] = time.time
    ) -> None:
        self._ledger = ledger
        self._call_limit = call_limit
        self._clock = clock
        self._lock = Lock()
        self._lost: list[tuple[float, frozenset[Trace]]] = []
        self._records: set[RecordKey] = set()
        for write in ledger.in_flight():
            if write.until > clock():
                self._lost.append((write.until, frozenset(map(_trace, orjson.loads(write.traces)))))
            if ledger.is_own(write):
                self._records.update(
                    (event, mapping, item) for event, mapping, item in orjson.loads(write.records)
                )
        self._held: set[Trace] = set()

    def sending(self, traces: Iterable[Trace], records: Sequence[RecordKey]) -> int:
        """Notes a write that is about to be sent; the number by which it is settled."""
        until = self._clock() + self._call_limit
        return self._ledger.sending(until, orjson.dumps(list(traces)), orjson.dumps(records))

    def settle(self, numbers: Sequence[int]) -> None:
        """Writes that were surely not done."""
        self._ledger.settle(numbers, ())

    def lose(self, traces: Iterable[Trace]) -> None:
        """The answer to a write is lost: the journal keeps it until the org must have ended it."""
        with self._lock:
            self._lost.append((self._clock() + self._call_limit, frozenset(traces)))

    def hold(self, traces: Iterable[Trace]) -> None:
        """What waits for a doubt makes others wait."""
        self._held.update(traces)

    def release(self) -> None:
        """All that was held goes its way again."""
        self._held.clear()

    def traces(self) -> frozenset[Trace]:
        """What nobody may meet."""
        with self._lock:
            return frozenset(self._held).union(*(traces for _, traces in self._lost))

    def was_sent(self, key: RecordKey) -> bool:
        """Whether a run that was killed had sent this record, and got no answer."""
        return key in self._records

    def settled(self) -> bool:
        """Whether some doubt has come to its end since this was last asked; it counts no more."""
        now = self._clock()
        with self._lock:
            before = len(self._lost)
            self._lost = [lost for lost in self._lost if lost[0] > now]
            return len(self._lost) < before

    def next_end(self) -> float:
        """Seconds until the next doubt ends; 0 where there is none."""
        with self._lock:
            return max(0.0, min((until for until, _ in self._lost), default=0.0) - self._clock())

    def __bool__(self) -> bool:
        with self._lock:
            return bool(self._lost)


def _trace(stored: object) -> Trace:
    """What JSON has made of a trace, as it was."""
    return stored if isinstance(stored, str) else tuple(_part(part) for part in stored)  # type: ignore[attr-defined]


def _part(stored: object) -> object:
    return tuple(map(_part, stored)) if isinstance(stored, list) else stored
