"""`make bench`: each measure beside its goal, printed and written into docs/performance.md.

    python benchmarks/run.py [MEASURE...]

Each measure has a process of its own, so that one that fails loses no other, and none counts memory of another.
With names, only these are measured, and the page stays as it is.
"""

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer

import limits
from goals import MEASURES, Row

from sfmap.engine.inspect.rendering import usable_cores

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
_MEASURES = ("<!-- measures: written by make bench -->\n", "<!-- end of measures -->\n")
_LIMITS = ("<!-- limits: computed by make bench -->\n", "<!-- end of limits -->\n")
_HEAD = "| what | measured | goal | |\n|---|---|---|---|\n"
_LONGEST = 1_800
"""Seconds for a measure; one that takes longer is ended."""


def measured(name: str) -> Iterator[Row]:
    """The rows of a measure, as it has them; where it fails, a row that says so."""
    command = [sys.executable, __file__, "--in-this-process", name]
    with (
        TemporaryFile("w+") as said,
        subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True
        ) as process,
    ):
        assert process.stdout
        timer = Timer(_LONGEST, os.killpg, (process.pid, signal.SIGKILL))
        timer.start()
        try:
            for line in process.stdout:
                yield Row(*json.loads(line))
            process.wait()
        finally:
            timer.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        if process.returncode:
            said.seek(0)
            wrong = said.read().strip() or f"ended after {_LONGEST} s at most"
            sys.stderr.write(f"{wrong}\n")
            yield Row(name, f"failed: {wrong.splitlines()[-1][:100]}", "", None)


def shown(row: Row) -> str:
    """A row of the page's table."""
    verdict = {True: "reached", False: "**missed**", None: "not measured" if row.goal else ""}[row.is_reached]
    return f"| {row.what} | {row.measured} | {row.goal} | {verdict} |"


def machine() -> str:
    versions = f"Python {platform.python_version()}, load before {os.getloadavg()[0]:.1f}"
    return f"{datetime.now(UTC):%-d %B %Y}, {usable_cores()} cores of {_processor()}, {versions}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, "") or platform.machine()


def write_page(rows: list[str], where: str) -> None:
    """Puts both tables into the page; the second one stays where what it is computed from has failed."""
    table = _HEAD + "".join(f"{row}\n" for row in rows)
    page = _with(PAGE.read_text("utf-8"), _MEASURES, f"Measured on {where}.\n\n{table}")
    with suppress(limits.NotMeasured):
        page = _with(page, _LIMITS, limits.table_of(table))
    PAGE.write_text(page, "utf-8")


def _with(page: str, marks: tuple[str, str], text: str) -> str:
    start, end = marks
    before, _, rest = page.partition(start)
    _, _, after = rest.partition(end)
    return f"{before}{start}{text}{end}{after}"


def main(names: list[str]) -> None:
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):  # of containers: they slow starts and writes
        os.environ.pop(name, None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which ends the measure, too
    if unknown := set(names) - set(MEASURES):
        sys.exit(f"no such measure: {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    where, rows = machine(), list[str]()
    for name in names or MEASURES:
        for row in measured(name):
            rows.append(shown(row))
            sys.stdout.write(f"{rows[-1]}\n")
            sys.stdout.flush()
    if not names:
        write_page(rows, where)


def in_this_process(name: str) -> None:
    for row in MEASURES[name]():
        sys.stdout.write(f"{json.dumps(row)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--in-this-process"]:
        in_this_process(sys.argv[2])
    else:
        main(sys.argv[1:])
