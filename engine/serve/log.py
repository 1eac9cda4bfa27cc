"""What the service says as it runs: a line of words or of JSON; no trait, no key, no secret is ever in it."""

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
