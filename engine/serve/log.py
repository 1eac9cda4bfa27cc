"""What the service says as it runs: a line of words or of JSON; no trait, no key, no secret is ever in it."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

import orjson

Level = Literal["info", "warning", "error"]
Log = Callable[[Level, str], None]


def make_log(as_json: bool) -> Log:
    """Writes to stderr, each line at once."""

    def log(level: Level, message: str) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if as_json:
            line = orjson.dumps({"time": at, "level": level, "message": message}).decode()
        else:
            line = f"{at} {level:<7} {message}"
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    return log


class Forwarding(logging.Handler):
    """Says in our way what libraries log: the web server speaks of requests that are no HTTP."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info and record.exc_info[1]:
            said = f"{said.splitlines()[0]} {type(record.exc_info[1]).__name__}"
        self._log("error" if record.levelno >= logging.ERROR else "warning", said)
