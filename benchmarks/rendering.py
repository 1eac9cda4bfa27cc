"""`sfmap render` of many events into a file, against a loop that only reads and writes the same lines."""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from samples import lines

_ROUNDS = 3
_SFMAP = Path(sys.executable).parent / "sfmap"
_LOOP = """\
import sys, orjson
with open(sys.argv[1], "rb") as events, open(sys.argv[2], "wb") as out:
    for line in events:
        out.write(orjson.dumps(orjson.loads(line), option=orjson.OPT_APPEND_NEWLINE))
"""


def main(number: int = 200_000) -> tuple[float, float, float]:
    """Seconds for all events: by one process of sfmap, by sfmap as it is, by the loop; medians of rounds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events.ndjson").write_bytes(b"\n".join(lines(number)) + b"\n")
        one, ours, loop = [], [], []
        for _ in range(_ROUNDS):
            one.append(_seconds([str(_SFMAP), "render", "--jobs", "1", "events.ndjson"], folder))
            ours.append(_seconds([str(_SFMAP), "render", "events.ndjson"], folder))
            loop.append(_seconds([sys.executable, "-c", _LOOP, "events.ndjson", "copy.ndjson"], folder))
    return median(one), median(ours), median(loop)


def _seconds(command: list[str], folder: Path) -> float:
    with (folder / "out.ndjson").open("wb") as out:
        started = perf_counter()
        subprocess.run(command, cwd=folder, stdout=out, check=True)  # noqa: S603
        return perf_counter() - started
