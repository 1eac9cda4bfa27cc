"""A back-fill on Spark beside the same stages in one process: CPU, memory and events a second.

    python benchmarks/backfill.py EVENTS [--spark-only]

It needs sfmap[spark], and Linux.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from samples import events

TICK = os.sysconf("SC_CLK_TCK")
ON_ONE = """\
import resource
from pathlib import Path
from sfmap.tests.backfill.without_spark import make_records

made = make_records(Path("."), ["events.ndjson"], "one", split_size=32 * 1024 * 1024)
used = resource.getrusage(resource.RUSAGE_SELF)
print(f"CPU {used.ru_utime + used.ru_stime:.1f} s, {used.ru_maxrss // 1024:,} MB, {len(made):,} records")
"""


def write_events(path: Path, number: int) -> None:
    """Events of a tenth as many people."""
    with path.open("wb") as lines:
        for event in events(number, max(100, number // 10)):
            # An id of many digits takes JSON a slower way.
            lines.write(orjson.dumps({**event, "messageId": str(event["messageId"])[-8:]}) + b"\n")


def watched(command: list[str], folder: Path) -> str:
    """CPU seconds of a command with all its descendants, their most memory together, and seconds."""
    started, cpu, most = time.monotonic(), dict[int, float](), 0
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    while process.poll() is None:
        memory = 0
        for pid in descendants(process.pid):
            try:
                values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                kept = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            cpu[pid] = (int(values[11]) + int(values[12])) / TICK
            memory += int(kept.partition("\nPss:")[2].split()[0])
        most = max(most, memory // 1024)
        time.sleep(0.25)
    assert process.returncode == 0, process.returncode
    return f"CPU {sum(cpu.values()):.1f} s, {most:,} MB, {time.monotonic() - started:.0f} s"


def descendants(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from descendants(child)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    number = int(sys.argv[1])
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_events(folder / "events.ndjson", number)
        if "--spark-only" not in sys.argv:
            one = subprocess.run(  # noqa: S603
                [sys.executable, "-c", ON_ONE], cwd=folder, capture_output=True, text=True, check=True
            )
            say(f"{number:,} events in one process: {one.stdout.strip()}")
        sfmap = str(Path(sys.executable).parent / "sfmap")
        found = watched([sfmap, "backfill", "events.ndjson", "--out", "out", "--master", "local[2]"], folder)
        say(f"{number:,} events with Spark: {found}")


if __name__ == "__main__":
    main()
