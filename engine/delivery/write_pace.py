"""How many writes are sent at once: a fixed number, or as many as the org bears."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

MOST_CONNECTIONS = 25
"""As many calls that take long as an org takes at once (app-limits, "Concurrent API Request Limits")."""
Connections = int | Literal["auto"]
_FIRST = 4
_CALLS_PER_ROUND = 4
"""For each connection: that many calls are measured before their number changes."""
_WORTH_IT = 1.1
"""How many times as many records a second more connections must bring to be kept."""
_ROUNDS_BETWEEN_TRIALS = 8
"""After more connections did not help."""


@dataclass(slots=True)
class _Round:
    """The calls with one number of connections."""

    began: float
    calls: int = 0
    records: int = 0


class WritePace:
    """Lets so many writes be sent at once. Thread-safe.

    With `auto` their number grows while that delivers more records a second, and falls when the org refuses calls
    or records because too many are sent at once.
    """

    def __init__(self, connections: Connections, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._is_fixed = connections != "auto"
        self.most = MOST_CONNECTIONS if connections == "auto" else connections
        """The most writes that are ever sent at once."""
        self.limit = _FIRST if connections == "auto" else connections
        """The number of writes that may be sent at once now."""
        self._changed = threading.Condition()
        self._prepared = 0
        """The batches that are under way, or will be as soon as a connection is free."""
        self._under_way = 0
        self._before = 0
        """The number of connections before the last change; 0 before the first."""
        self._best = 0.0
        """The records a second with that number; 0 if it is to be measured again."""
        self._rounds_left = 0
        """The rounds before more connections are tried again."""
        self._round = _Round(self._clock())
        self._highest = 0
        """The most writes that were under way at once."""
        self._why = ""

    @contextmanager
    def one_batch(self, is_stopped: Callable[[], bool]) -> Iterator[None]:
        """Waits until one more batch may be prepared: as many wait for a connection as there are.

        One that is stopped waits no longer.
        """
        with self._changed:
            self._changed.wait_for(lambda: is_stopped() or self._prepared < 2 * self.limit)
            self._prepared += 1
        try:
            yield
        finally:
            with self._changed:
                self._prepared -= 1
                self._changed.notify_all()

    @contextmanager
    def one_write(self, records: int, is_stopped: Callable[[], bool]) -> Iterator[bool]:
        """Waits until one more write of so many records may be sent, and measures it.

        Gives whether it may be: not if it is stopped, which ends the wait.
        """
        with self._changed:
            self._changed.wait_for(lambda: is_stopped() or self._under_way < self.limit)
            may_send = not is_stopped()
            if may_send:
                self._under_way += 1
                self._highest = max(self._highest, self._under_way)
            is_full = self._under_way == self.limit
        if not may_send:
            yield False
            return
        try:
            yield True
        finally:
            with self._changed:
                self._under_way -= 1
                self._measure(records, is_full)
                self._changed.notify_all()

    def look_again(self) -> None:
        """Has those that wait look whether they are stopped."""
        with self._changed:
            self._changed.notify_all()

    def too_many(self, why: str) -> None:
        """Notes that the org has refused something because too much was sent at once."""
        if self._is_fixed:
            return
        with self._changed:
            if self.limit > 1:
                self._why = why
                self._set(max(1, self.limit * 3 // 4))
            self._rounds_left = _ROUNDS_BETWEEN_TRIALS

    def found(self) -> str:
        """What has been found about the number of connections; empty if nothing has."""
        if self._is_fixed or not (self._before or self._why):
            return ""
        why = self._why or ("the most that is tried" if self.limit == self.most else "")
        return f"{self.limit}, up to {self._highest}{f': {why}' if why else ''}"

    def _measure(self, records: int, is_full: bool) -> None:
        """Counts a write, and changes the number of connections at the end of a round."""
        if self._is_fixed:
            return
        if not is_full:  # there was too little to send
            self._round = _Round(self._clock())
            return
        self._round.calls += 1
        self._round.records += records
        if self._round.calls < _CALLS_PER_ROUND * self.limit:
            return
        speed = self._round.records / max(self._clock() - self._round.began, 1e-6)
        self._change(speed)

    def _change(self, speed: float) -> None:
        """Tries more connections, or goes back to those before if they deliver no more records a second."""
        if self._rounds_left:
            self._rounds_left -= 1
            self._set(self.limit)
        elif speed >= _WORTH_IT * self._best:
            self._best, self._before, self._why = speed, self.limit, ""
            self._set(min(self.most, self.limit + max(1, self.limit // 2)))
        else:
            self._why = "more did not deliver more records a second"
            self._best, self._rounds_left = 0.0, _ROUNDS_BETWEEN_TRIALS
            self._set(self._before)

    def _set(self, limit: int) -> None:
        self.limit = limit
        self._round = _Round(self._clock())
