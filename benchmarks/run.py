"""`make bench`: each measure beside its goal, all in one run, since only ratios of one run can be compared.

Mapping, rendering and starting take turns with what they are compared with; what takes long is measured once.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import delivering
import formats
import local_org
import mapping
import rendering
import segment
import sending
import starting

from sfmap.engine.inspect.rendering import usable_cores

_SFMAP = Path(sys.executable).parent / "sfmap"


class Row(NamedTuple):
    what: str
    measured: str
    goal: str
    is_reached: bool | None
    """None where it could not be measured."""


def rows() -> Iterator[Row]:
    yield from _mapping()
    yield from _rendering()
    yield from _starting()
    yield from _formats()
    cost = sending.main()
    yield Row("SOAP create of 200 x 20, client CPU", f"{cost:.0f} us a record", "60 us", cost <= 60)
    speed = local_org.main()
    measured = f"{speed:,.0f} records a second of its CPU"
    yield Row("local org, creates of 200 x 20, its CPU", measured, "5,000", speed >= 5_000)
    speed, client, _ = delivering.main()
    measured = f"{speed:,.0f} events/s, client {client:.0f} us"
    yield Row("run 50,000 people into the local org", measured, "5,000/s", speed >= 5_000)
    yield from _scaling()


def _mapping() -> Iterator[Row]:
    ours, by_hand = mapping.main()
    ratio = ours / by_hand
    measured = f"{ours:.1f} us / {by_hand:.1f} us = {ratio:.2f} x"
    yield Row("map one event, against by hand", measured, "1.3 x", ratio <= 1.3)
    found = segment.main(_SFMAP)
    if found is None:
        yield Row("render, against Segment's mapping language", "no Node.js here", "3 x", None)
        return
    ours, theirs = found
    measured = f"{ours:,.0f}/s / {theirs:,.0f}/s = {ours / theirs:.1f} x"
    yield Row("render, against Segment's mapping language", measured, "3 x", ours >= 3 * theirs)


def _rendering() -> Iterator[Row]:
    """The loop that ours is measured against is one process, so both verdicts are said."""
    one, ours, loop = rendering.main()
    for how, seconds in (("in one process", one), (f"on {usable_cores()} cores", ours)):
        measured = f"{seconds:.1f} s / {loop:.1f} s = {seconds / loop:.2f} x"
        yield Row(f"render {how}, against read and write in one", measured, "2.5 x", seconds / loop <= 2.5)
    measured = f"{one:.1f} s / {ours:.1f} s = {one / ours:.2f} x"
    yield Row(f"render on {usable_cores()} cores, against one process", measured, "1.7 x", one / ours >= 1.7)


def _starting() -> Iterator[Row]:
    help_text, render, nothing = starting.main()
    for what, seconds, goal in (("sfmap --help", help_text, 6), ("render one event", render, 12)):
        ratio = seconds / nothing
        measured = f"{seconds:.2f} s = {ratio:.1f} x"
        yield Row(f"{what}, against an empty interpreter", measured, f"{goal} x", ratio <= goal)


def _formats() -> Iterator[Row]:
    """Reading and parsing alone, against NDJSON of the same events or rows."""
    goals = {"gzip": 0.8, "zstd": 0.85, "array": 0.4, "csv": 0.5, "parquet": 0.15}
    for shape, speed, ratio, memory in formats.main():
        if shape in goals:
            measured = f"{speed:,.0f}/s = {ratio:.2f} x, {memory:.0f} MB"
            is_reached = ratio >= goals[shape] and memory < 250
            yield Row(f"read {shape}, against plain NDJSON", measured, f"{goals[shape]} x", is_reached)


def _scaling() -> Iterator[Row]:
    """Ten times the events of ten times the people: what each more takes, start-up aside, and no more memory."""
    numbers = (10_000, 100_000, 1_000_000)
    speeds, memories = zip(
        *((speed, memory) for speed, _, memory in map(_in_a_fresh_process, numbers)), strict=True
    )
    first, second, third = (number / speed for number, speed in zip(numbers, speeds, strict=True))
    slowdown = ((third - second) / 900_000) / ((second - first) / 90_000)
    growth = max(memories) / min(memories)
    measured = " ".join(f"{speed:,.0f}/s {memory:.0f} MB;" for speed, memory in zip(speeds, memories, strict=True))
    measured = f"{measured} time {slowdown:.2f} x, memory {growth:.2f} x"
    yield Row("run 10k, 100k, 1M people", measured, "15 %", slowdown <= 1.15 and growth <= 1.15)


def _in_a_fresh_process(number: int) -> list[float]:
    """A process counts the memory of the one that it was forked from as its own."""
    command = [sys.executable, delivering.__file__, str(number)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):  # of containers: they slow starts and writes
        os.environ.pop(name, None)
    for what, measured, goal, is_reached in rows():
        verdict = {True: "reached", False: "missed", None: "not measured"}[is_reached]
        sys.stdout.write(f"{what:<54} {measured:<46} goal {goal:<8} {verdict}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
