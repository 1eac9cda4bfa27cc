"""What the service says as it runs: a line of words or of JSON; no trait, no key, no secret is ever in it."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

import orjson

from sfmap.engine.delivery.mistake import mistake_of_ours

Level = Literal["info", "warning", "error"]
Log = Callable[[Level, str], None]

_QUIET_SECONDS = 60.0


def make_log(as_json: bool) -> Log:
    """Writes to stderr, each line at once."""

    def log(level: Level, message: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if as_json:
            line = orjson.dumps({"time": at, "level": level, "message": message}).decode()
        else:
            line = f"{at} {level:<7} {message}"
        with suppress(OSError, ValueError):  # nobody reads it any more, or its disk is full: the service goes on
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    return log


class Sparing:
    """A log for what repeats itself: said at once, and then once a minute with how often it happened."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, int]] = {}
        """By what happened: until when it is not said again, and how often it would have been."""

    def __call__(self, level: Level, what: str, message: str) -> None:
        """Of the messages on `what` one a minute is said."""
        now = self._clock()
        with self._lock:
            until, missed = self._said.get(what, (0.0, 0))
            if now < until:
                self._said[what] = until, missed + 1
                return
            self._said[what] = now + _QUIET_SECONDS, 0
        self._log(level, f"{message} ({missed:,} times more since this was said)" if missed else message)


class Forwarding(logging.Handler):
    """Says in our way what libraries log: the web server speaks of requests that are no HTTP."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = Sparing(log)

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            said = f"{said.splitlines()[0]} {mistake_of_ours(record.exc_info[1])}"
        self._log("error" if record.levelno >= logging.ERROR else "warning", str(record.msg), said)
