"""Takes events from the spool in windows, as soon as they fill one or the first has waited long enough."""

import time
from collections import deque
from collections.abc import Callable
from math import inf

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.windows import WINDOW_BYTES, WINDOW_SIZE
from sfmap.engine.journal.spool import Spool, Spooled


class SpoolWindows:
    """For the delivery thread. Every method may raise `JournalFailed`."""

    def __init__(
        self,
        spool: Spool,
        after: int,
        linger: float,
        allowance: CallAllowance,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Events up to the number `after` have been delivered.

        `linger` is how many seconds the first event of a window waits for others; longer until calls may be made.
        """
        self._spool = spool
        self._linger = linger
        self._allowance = allowance
        self._clock = clock
        self._taken: deque[tuple[int, int]] = deque()
        """The number and size of each event that was taken and is still in the spool."""
        self._taken_size = 0
        self._since: float | None = None
        """When the first of those that wait to be taken was seen, or accepted if none is being delivered."""
        self.last = after
        """The number of the last event that was taken."""
        self.remove(after)

    @property
    def _events(self) -> int:
        """How many wait to be taken."""
        return self._spool.events - len(self._taken)

    def look(self) -> None:
        """Notes since when events wait."""
        self._spool.look()
        if self._events <= 0:
            self._since = None
        elif self._since is None:
            # The spool's age uses the wall clock, which can be set back: the wait must end all the same.
            self._since = self._clock() - (0.0 if self._taken else self._spool.age)

    def next(self, most: int) -> list[Spooled]:
        """What is to be delivered now: a full window, or what has waited long enough; otherwise nothing."""
        is_full = self._events >= WINDOW_SIZE or self._spool.size - self._taken_size >= WINDOW_BYTES
        if not is_full and self.due_in:
            return []
        window = self._spool.after(self.last, most, WINDOW_BYTES)
        if window:
            self.last = window[-1].number
            self._taken += ((one.number, len(one.event)) for one in window)
            self._taken_size += sum(len(one.event) for one in window)
        if not window or self._events <= 0:  # what is left has come later: it waits on, no longer than others
            self._since = None
        return window

    @property
    def due_in(self) -> float:
        """How many seconds those that wait go on waiting, if no more come; infinite if none waits."""
        if self._since is None:
            return inf
        return max(self._since + self._linger - self._clock(), self._allowance.due_in())

    def remove(self, up_to: int) -> None:
        """Removes delivered events from the spool."""
        self._spool.remove(up_to)
        while self._taken and self._taken[0][0] <= up_to:
            self._taken_size -= self._taken.popleft()[1]
