"""`sfmap render` in one process beside Segment's own mapping language (`@segment/actions-core`): the same fields.

Both are whole commands that read the same file, write the fields to standard output, and end; they take turns.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson
from samples import lines

from sfmap.tests.npm_packages import installed

_HERE = Path(__file__).parent
_ROUNDS = 3
_SFMAP = str(Path(sys.executable).parent / "sfmap")


def main(number: int = 100_000) -> tuple[float, float] | None:
    """Events a second, by sfmap and by Segment's, start-up included; None where there is no Node.js."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    modules = installed(_HERE) / "node_modules"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events.ndjson").write_bytes(b"\n".join(lines(number)) + b"\n")
        kit = ["node", str(_HERE / "segment.cjs"), "events.ndjson"]
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(_seconds([_SFMAP, "render", "--jobs", "1", "events.ndjson"], folder / "ours.ndjson"))
            theirs.append(_seconds(kit, folder / "theirs.ndjson", {**os.environ, "NODE_PATH": str(modules)}))
        _check_same(folder / "ours.ndjson", folder / "theirs.ndjson")
    return number / median(ours), number / median(theirs)


def _seconds(command: list[str], out: Path, environment: Mapping[str, str] | None = None) -> float:
    with out.open("wb") as stream:
        started = perf_counter()
        subprocess.run(command, cwd=out.parent, stdout=stream, env=environment, check=True)  # noqa: S603
        return perf_counter() - started


def _check_same(ours: Path, theirs: Path) -> None:
    with ours.open("rb") as one, theirs.open("rb") as other:
        for left, right in zip(one, other, strict=True):
            assert orjson.loads(left)["fields"] == orjson.loads(right)


if __name__ == "__main__":
    found = main()
    if found:
        sys.stdout.write(f"{found[0]:,.0f}/s / {found[1]:,.0f}/s = {found[0] / found[1]:.2f} x\n")
