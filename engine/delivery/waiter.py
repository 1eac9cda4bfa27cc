"""Retries while the org does not answer: backoff with full jitter, up to a limit."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.org.port import OrgError, OrgUnavailable

_POLL_SECONDS = 0.1

Answer = TypeVar("Answer")


class StopRequested(SfmapError):
    """The user wants the run to stop: calls in flight are finished, no new ones are started."""

    exit_code = ExitCode.INTERRUPTED

    def __init__(self) -> None:
        super().__init__("Stopped.")


@dataclass(frozen=True, slots=True)
class Patience:
    """The limits of retrying, in seconds."""

    outage: float = 900.0
    """How long to retry an org that has answered before."""
    first_contact: float = 20.0
    """How long to retry an org that has never answered."""
    first_wait: float = 0.5
    longest_wait: float = 30.0


USUAL_PATIENCE = Patience()


def discard_message(_text: str) -> None:
    """Discards the message."""


class Waiter:
    """Waits during outages, reports them, and stops on request. Thread-safe: all threads share an outage."""

    def __init__(
        self,
        patience: Patience = USUAL_PATIENCE,
        should_stop: Callable[[], bool] = lambda: False,
        say: Callable[[str], object] = discard_message,
    ) -> None:
        self._patience = patience
        self._should_stop = should_stop
        self._say = say
        self._random = Random()  # noqa: S311 - spreads load, keeps no secret
        self._lock = threading.Lock()
        self._answered_at = 0.0
        self._down_since: float | None = None
        self._tries = 0
        self._is_stopped = False

    def stop(self) -> None:
        """Stops what waits, and what would be asked from now on."""
        self._is_stopped = True

    def check_stop(self) -> None:
        """Raises `StopRequested`."""
        if self._is_stopped or self._should_stop():
            raise StopRequested

    def ask(self, call: Callable[[], Answer]) -> Answer:
        """The result of a call that changes nothing, retried until the org answers. Raises `OrgError`."""
        while True:
            self.check_stop()
            try:
                answer = call()
            except OrgUnavailable as error:
                self.wait_after(error)
            else:
                self.answered()
                return answer

    def answered(self) -> None:
        """Notes that the org has answered."""
        with self._lock:
            was_down = self._down_since is not None and self._tries > 1
            self._answered_at = time.monotonic()
            self._down_since = None
            self._tries = 0
        if was_down:
            self._say("The org answers again.")

    def has_answered_since(self, moment: float) -> bool:
        """Whether the org has answered a call since then, by the monotonic clock."""
        return self._answered_at > moment

    def wait_after(self, error: OrgUnavailable) -> None:
        """Waits after a call that the org did not answer. Raises the error once the limit is reached."""
        with self._lock:
            now = time.monotonic()
            if self._down_since is None:
                self._down_since = now
            allowed = self._patience.outage if self._answered_at else self._patience.first_contact
            left = self._down_since + min(allowed, self._patience.outage) - now
            if left <= 0:
                raise error
            self._tries += 1
            tries = self._tries
            seconds = min(self._wait(tries), left)
        if tries == 2:
            self._say(f"{_sentence(error)} Retrying until {until(left)}; Ctrl-C stops.")
        self.sleep(seconds)

    def pause(self, attempts: int) -> float:
        """Seconds to wait before retrying a locked record."""
        return self._wait(attempts)

    def sleep(self, seconds: float) -> None:
        """Sleeps. Raises `StopRequested` as soon as a stop is requested."""
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
    """The time of day in that many seconds, for messages."""
    return datetime.fromtimestamp(time.time() + seconds).strftime("%H:%M:%S")


def _sentence(error: OrgError) -> str:
    return error.message if error.message.endswith(".") else f"{error.message}."
