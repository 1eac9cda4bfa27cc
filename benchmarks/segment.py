"""`sfmap render` in one process beside Segment's own mapping language (`@segment/actions-core`): the same fields.

Both are whole commands that read the same file, write the fields to standard output, and end; they take turns.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import orjson
from samples import lines

_HERE = Path(__file__).parent
_ROUNDS = 5


def main(sfmap: Path, number: int = 100_000) -> tuple[float, float] | None:
    """Events a second, by sfmap and by Segment's, start-up included; None where there is no Node.js."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json", "segment.cjs"):
            shutil.copy(_HERE / file, folder / file)
        install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(install, cwd=folder, capture_output=True, check=True)  # noqa: S603
        (folder / "events.ndjson").write_bytes(b"\n".join(lines(number)) + b"\n")
        ours, theirs = [], []
        for _ in range(_ROUNDS):
            ours.append(_seconds([str(sfmap), "render", "--jobs", "1", "events.ndjson"], folder / "ours.ndjson"))
            theirs.append(_seconds(["node", "segment.cjs", "events.ndjson"], folder / "theirs.ndjson"))
        _check_same(folder / "ours.ndjson", folder / "theirs.ndjson")
    return number / median(ours), number / median(theirs)


def _seconds(command: list[str], out: Path) -> float:
    with out.open("wb") as stream:
        started = perf_counter()
        subprocess.run(command, cwd=out.parent, stdout=stream, check=True)  # noqa: S603
        return perf_counter() - started


def _check_same(ours: Path, theirs: Path) -> None:
    with ours.open("rb") as one, theirs.open("rb") as other:
        for left, right in zip(one, other, strict=True):
            assert orjson.loads(left)["fields"] == orjson.loads(right)


if __name__ == "__main__":
    found = main(Path(sys.executable).parent / "sfmap")
    if found:
        sys.stdout.write(f"{found[0]:,.0f}/s / {found[1]:,.0f}/s = {found[0] / found[1]:.2f} x\n")
