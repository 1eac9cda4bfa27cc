"""How long delivery bears with an org that does not answer: backoff with full jitter, and an end to it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from sfmap.engine.org.port import OrgError, OrgUnavailable

_POLL_SECONDS = 0.1

Answer = TypeVar("Answer")


class StopRequested(Exception):
    """The person wants the run to end; what is under way is finished, nothing new is begun."""


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds."""

    outage: float = 900.0
    """How long an org that has answered before may be unavailable."""
    first_contact: float = 20.0
    """How long one that has never answered may be."""
    first_wait: float = 0.5
    longest_wait: float = 30.0


USUAL_PATIENCE = Patience()


def nothing_said(_text: str) -> None:
    """For who has nobody to tell."""


class Waiter:
    """Waits, tells so, and stops when asked to. Threads share it: the outage is everybody's."""

    def __init__(
        self,
        patience: Patience = USUAL_PATIENCE,
        should_stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], object] = nothing_said,
    ) -> None:
        self._patience = patience
        self._should_stop = should_stop
        self._say = say
        self._random = Random()  # noqa: S311 - spreads load, keeps no secret
        self._lock = threading.Lock()
        self._has_answered = False
        self._down_since: float | None = None
        self._tries = 0

    def check_stop(self) -> None:
        """Raises `StopRequested`."""
        if self._should_stop():
            raise StopRequested

    def ask(self, call: Callable[[], Answer]) -> Answer:
        """The answer of a call that changes nothing, tried until the org answers. Raises `OrgError`."""
        while True:
            self.check_stop()
            try:
                answer = call()
            except OrgUnavailable as error:
                self.bear(error)
            else:
                self.answered()
                return answer

    def answered(self) -> None:
        """The org works."""
        with self._lock:
            was_down = self._down_since is not None and self._tries > 1
            self._has_answered = True
            self._down_since = None
            self._tries = 0
        if was_down:
            self._say("The org answers again.")

    def bear(self, error: OrgUnavailable) -> None:
        """Waits after a call that the org did not answer. Raises the error where patience has come to its end."""
        with self._lock:
            now = time.monotonic()
            if self._down_since is None:
                self._down_since = now
            allowed = self._patience.outage if self._has_answered else self._patience.first_contact
            left = self._down_since + min(allowed, self._patience.outage) - now
            if left <= 0:
                raise error
            self._tries += 1
            tries = self._tries
            seconds = min(self._wait(tries), left)
        if tries == 2:
            self._say(f"{_sentence(error)} Trying again until {until(left)}; Ctrl-C stops.")
        self.sleep(seconds)

    def pause(self, attempts: int) -> None:
        """Waits before something that was locked is tried again."""
        self.sleep(self._wait(attempts))

    def sleep(self, seconds: float) -> None:
        """Raises `StopRequested` as soon as a stop is asked for."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check_stop()
            time.sleep(min(left, _POLL_SECONDS))

    def say(self, text: str) -> None:
        self._say(text)

    def _wait(self, tries: int) -> float:
        most = min(self._patience.longest_wait, self._patience.first_wait * 2 ** (tries - 1))
        return self._random.uniform(0, most)


def until(seconds: float) -> str:
    """The time of day so many seconds from now, for a person."""
    return datetime.fromtimestamp(time.time() + seconds).strftime("%H:%M:%S")


def _sentence(error: OrgError) -> str:
    return error.message if error.message.endswith(".") else f"{error.message}."
