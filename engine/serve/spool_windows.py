"""Takes events from the spool in windows, as soon as they fill one or the first has waited long enough."""

import time

from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.delivery.windows import WINDOW_BYTES, WINDOW_SIZE
from sfmap.engine.journal.spool import Spool, Spooled
from sfmap.engine.serve.delivery_requests import DeliveryRequests

_LOOK_AT_OTHERS_SECONDS = 0.1
"""How often to look for events that other nodes have accepted."""
_LOOK_SECONDS = 0.5
"""How often records that wait for a write in doubt are looked at while no events arrive."""


class SpoolWindows:
    def __init__(self, spool: Spool, requests: DeliveryRequests, linger: float) -> None:
        """`linger` is how many seconds the first event of a window waits for others."""
        self._spool = spool
        self._requests = requests
        self._linger = linger

    def next(self, after: int, most: int) -> list[Spooled]:
        """The next window; an empty one after a while without events, or for a request. Raises `StopRequested`."""
        spool = self._spool
        began = time.monotonic()
        while not self._requests.is_stopping():
            self._requests.forget_news()
            spool.look()
            waits = spool.events > 0
            # The spool's age uses the wall clock, which can be set back: the wait must end all the same.
            waited = time.monotonic() - began
            left = self._linger - max(spool.age, waited) if waits else _LOOK_SECONDS - waited
            if self._requests.are_waiting:
                return []
            if spool.events >= WINDOW_SIZE or spool.size >= WINDOW_BYTES or left <= 0:
                return spool.after(after, most, WINDOW_BYTES) if waits else []
            self._requests.wait_for_news(min(left, _LOOK_AT_OTHERS_SECONDS) if spool.is_shared else left)
        raise StopRequested
