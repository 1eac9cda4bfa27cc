"""How many API calls may be made now, so that those of the day last all day where events never pause."""

import time
from collections.abc import Callable
from math import inf

from sfmap.engine.org.port import Org

_DAY = 86_400.0
_SAVED_SECONDS = 3_600.0
_SAVED_CALLS = 50
"""The calls of that many seconds, and at least that many calls, are saved up while few are made."""
_LONGEST = 300.0
"""Seconds that events wait for calls, at most."""


class CallAllowance:
    """Calls for windows that are not full, which save calls by waiting for more events.

    The calls that the org has left for 24 hours are spread over 24 hours. Those of full windows count, too.
    """

    def __init__(self, org: Org, clock: Callable[[], float] = time.monotonic) -> None:
        self._org = org
        self._clock = clock
        self._calls = inf
        """The calls that may be made now, or below zero, those that were made too soon."""
        self._then = clock()
        self._made = sum(org.calls().values())

    def due_in(self) -> float:
        """Seconds until a window that is not full may begin; 0 also if the org's limit is unknown."""
        usage = self._org.usage()
        now, made = self._clock(), sum(self._org.calls().values())
        if usage is None:
            return 0.0
        a_second = max(1, usage.limit - usage.reserved - usage.used) / _DAY
        saved = min(self._calls + (now - self._then) * a_second, max(_SAVED_CALLS, _SAVED_SECONDS * a_second))
        self._calls = max(-_LONGEST * a_second, saved - (made - self._made))
        self._then, self._made = now, made
        return max(0.0, -self._calls / a_second)
