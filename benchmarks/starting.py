"""How long commands take to start, against an interpreter that does nothing, in turns."""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from samples import lines

_ROUNDS = 9
_SFMAP = str(Path(sys.executable).parent / "sfmap")


def main() -> tuple[float, float, float]:
    """Seconds for `sfmap --help`, for `sfmap render` of one event, and for nothing."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "events.ndjson").write_bytes(lines(1)[0] + b"\n")
        commands = ([_SFMAP, "--help"], [_SFMAP, "render", "events.ndjson"], [sys.executable, "-c", "pass"])
        taken: list[list[float]] = [[], [], []]
        for _ in range(_ROUNDS):
            for command, seconds in zip(commands, taken, strict=True):
                started = perf_counter()
                subprocess.run(command, cwd=name, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
                seconds.append(perf_counter() - started)
    help_text, render, nothing = map(median, taken)
    return help_text, render, nothing
