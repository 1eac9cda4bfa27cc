"""What other threads ask of the delivery thread: to stop, to use another mapper, to deliver dead letters again."""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.wiring.org_opening import OpenOrg

OpenOrgIn = Callable[[ExitStack], OpenOrg]

ALL = 0
"""Stands for all dead letters in place of the number of one."""


class DeliveryRequests:
    """The requests that wait. Thread-safe, except for the methods that only the delivery thread calls."""

    def __init__(self, mapper: Mapper, open_org: OpenOrgIn, revision: str = "") -> None:
        self.mapper = mapper
        self.revision = revision
        """The revision of the mappings in git; empty if it is not known."""
        self.open_org = open_org
        self._is_new_mapper = False
        self._retries: dict[int, None] = {}
        """The dead letters to deliver again."""
        self._later: dict[int, None] = {}
        """Dead letters to deliver again once their writes are no longer in doubt."""
        self._later_at = 0.0
        self._stop = threading.Event()
        self._news = threading.Event()
        """Set when events have arrived, a call has finished, or something was requested."""
        self._reloaded = threading.Event()
        """Set when the project is read again."""

    def stop(self) -> None:
        self._stop.set()
        self._news.set()
        self._reloaded.set()

    def is_stopping(self) -> bool:
        return self._stop.is_set()

    def take(self, mapper: Mapper, open_org: OpenOrgIn, revision: str = "") -> None:
        """Uses this mapper from the next window on, and this function the next time the org is opened."""
        self.mapper, self.open_org, self.revision = mapper, open_org, revision
        self._is_new_mapper = True
        self._news.set()
        self._reloaded.set()

    def retry(self, *numbers: int) -> None:
        """Delivers dead letters again before the next window, together."""
        self._retries |= dict.fromkeys(numbers)
        self._news.set()

    def note_news(self) -> None:
        """Notes that events have arrived, or that a call of delivery has finished."""
        self._news.set()

    @property
    def retries(self) -> int:
        """How many requested retries are waiting."""
        return len(self._retries)

    @property
    def are_waiting(self) -> bool:
        """Whether something comes before the next window."""
        return self._is_new_mapper or bool(self._retries)

    def current_mapper(self) -> Mapper:
        """The mapper for the next windows. For the delivery thread."""
        self._is_new_mapper = False
        return self.mapper

    def take_retries(self) -> list[int]:
        """Takes the dead letters to deliver again. For the delivery thread."""
        waiting = list(self._retries)  # atomic: other threads add to it
        for number in waiting:
            del self._retries[number]
        return waiting

    def retry_later(self, numbers: Iterable[int], seconds: float) -> None:
        """Delivers dead letters again after a while. For the delivery thread."""
        self._later |= dict.fromkeys(numbers)
        self._later_at = time.monotonic() + seconds

    def retry_what_is_due(self) -> None:
        """Requests the retries whose time has come. For the delivery thread."""
        if self._later and time.monotonic() > self._later_at:
            self._retries |= self._later
            self._later = {}

    def wait_for_news(self, seconds: float) -> None:
        """Waits until there has been news since it returned last, or for so long. For the delivery thread."""
        self._news.wait(seconds)
        self._news.clear()

    def forget_reload(self) -> None:
        """Makes `wait_for_reload` wait for a reload from now on. For the delivery thread."""
        self._reloaded.clear()

    def wait_for_reload(self, seconds: float | None) -> None:
        """Waits until the project is read again, or for so long."""
        if not self._stop.is_set():
            self._reloaded.wait(seconds)
