"""The service's log: lines of text or JSON that never contain traits, keys or secrets."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal, Protocol

import orjson

from sfmap.engine.delivery.internal_error import internal_error

Level = Literal["info", "warning", "error"]
Facts = Callable[[], Mapping[str, object]]


class Log(Protocol):
    """Where the service says what happens."""

    def __call__(self, level: Level, message: str, facts: Facts = dict) -> None:
        """Writes a line; `facts` are for programs: only a log of JSON asks for them."""


_QUIET_SECONDS = 60.0


def make_log(as_json: bool) -> Log:
    """A log that writes each line to stderr at once."""

    def log(level: Level, message: str, facts: Facts = dict) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if as_json:
            line = orjson.dumps({"time": at, "level": level, "message": message, **facts()}).decode()
        else:
            line = f"{at} {level:<7} {message}"
        with suppress(OSError, ValueError):  # nobody reads it any more, or the disk is full: the service continues
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    return log


class SparingLog:
    """A log for repeated messages: the first appears at once, then one a minute with the number left out."""

    def __init__(self, log: Log, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, int]] = {}
        """By topic: until when it is not logged again, and how many messages were left out."""

    def __call__(self, level: Level, what: str, message: str) -> None:
        """Logs at most one message a minute on `what`."""
        now = self._clock()
        with self._lock:
            until, missed = self._said.get(what, (0.0, 0))
            if now < until:
                self._said[what] = until, missed + 1
                return
            self._said[what] = now + _QUIET_SECONDS, 0
        self._log(level, f"{message} ({missed:,} more since the last message)" if missed else message)


class ForwardingHandler(logging.Handler):
    """Forwards the log messages of libraries, such as the web server's on requests that are not HTTP."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = SparingLog(log)

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            said = f"{said.splitlines()[0]} {internal_error(record.exc_info[1])}"
        self._log("error" if record.levelno >= logging.ERROR else "warning", str(record.msg), said)
