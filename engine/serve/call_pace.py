"""How fast the org's daily API calls are spent, as the org has reported them over the last hour."""

import threading
import time
from collections import deque
from collections.abc import Callable

from sfmap.engine.org.port import ApiUsage

_HOUR = 3_600.0
_APART = 30.0
"""Seconds between two reports that are kept."""
_LEAST = 300.0
"""From reports over a shorter time nothing is said of a day."""


class CallPace:
    """Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reports: deque[tuple[float, int]] = deque()
        """When the org reported how many calls were used."""

    def note(self, usage: ApiUsage | None) -> None:
        if usage is None:
            return
        now = self._clock()
        with self._lock:
            if self._reports and usage.used < self._reports[-1][1]:  # a new day has begun
                self._reports.clear()
            if not self._reports or now - self._reports[-1][0] >= _APART:
                self._reports.append((now, usage.used))
            while now - self._reports[0][0] > _HOUR:
                self._reports.popleft()

    def a_day(self, usage: ApiUsage) -> int | None:
        """The calls of a whole day at the pace of the last hour; None if too little is known."""
        now = self._clock()
        with self._lock:
            first = self._reports[0] if self._reports else None
        if first is None or now - first[0] < _LEAST or usage.used < first[1]:
            return None
        return round((usage.used - first[1]) / (now - first[0]) * 86_400)
