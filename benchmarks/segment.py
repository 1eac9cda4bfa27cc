"""Segment's own mapping language (`@segment/actions-core`) beside `sfmap render`: the same fields."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from time import perf_counter

import orjson
from samples import lines

_HERE = Path(__file__).parent


def main(sfmap: Path, number: int = 100_000) -> tuple[float, float] | None:
    """Events a second: by sfmap with its start-up, by Segment's without; None where there is no Node.js."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("package.json", "package-lock.json", "segment.cjs"):
            shutil.copy(_HERE / file, folder / file)
        install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(install, cwd=folder, capture_output=True, check=True)  # noqa: S603
        (folder / "events.ndjson").write_bytes(b"\n".join(lines(number)) + b"\n")
        theirs = subprocess.run(
            ["node", "segment.cjs", "events.ndjson", "theirs.ndjson"],  # noqa: S607
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        started = perf_counter()
        with (folder / "ours.ndjson").open("wb") as out:
            subprocess.run([sfmap, "render", "--jobs", "1", "events.ndjson"], cwd=folder, stdout=out, check=True)  # noqa: S603
        seconds = perf_counter() - started
        _check_same(folder / "ours.ndjson", folder / "theirs.ndjson")
    return number / seconds, number / float(theirs.stdout)


def _check_same(ours: Path, theirs: Path) -> None:
    with ours.open("rb") as one, theirs.open("rb") as other:
        for left, right in zip(one, other, strict=True):
            assert orjson.loads(left)["fields"] == orjson.loads(right)
