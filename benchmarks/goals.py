"""The measures of `make bench`, each as rows beside the goal that the project has set itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import bulk_load
import connections
import delivering
import formats
import local_org
import mapping
import rendering
import segment
import segment_destination
import sending
import serving
import starting

from sfmap.engine.inspect.rendering import usable_cores


class Row(NamedTuple):
    what: str
    measured: str
    goal: str
    is_reached: bool | None
    """None where it could not be measured."""


def _mapping() -> Iterator[Row]:
    ours, by_hand = mapping.main()
    ratio = ours / by_hand
    measured = f"{ours:.1f} µs / {by_hand:.1f} µs = {ratio:.2f} ×"
    yield Row("map one event / by hand", measured, "1.15 ×", ratio <= 1.15)


def _segment() -> Iterator[Row]:
    what = "`render` in one process / Segment's mapping kit, events/s"
    found = segment.main()
    if found is None:
        yield Row(what, "no Node.js here", "5 ×", None)
        return
    ours, theirs = found
    yield Row(what, f"{ours:,.0f}/s / {theirs:,.0f}/s = {ours / theirs:.1f} ×", "5 ×", ours >= 5 * theirs)


def _destination() -> Iterator[Row]:
    what = "5,000 identifies into the local org / Segment's destination, events/s"
    found = segment_destination.main()
    if found is None:
        yield Row(what, "no Node.js here", "10 ×", None)
        return
    ours, theirs = found
    ratio = ours.speed / theirs.speed
    measured = f"{ours.speed:,.0f}/s / {theirs.speed:,.0f}/s = {ratio:.1f} ×"
    yield Row(what, measured, "10 ×", ratio >= 10)
    yield Row("calls for that / those of Segment's", f"{ours.calls:,} / {theirs.calls:,}", "", None)


def _rendering() -> Iterator[Row]:
    """The loop that ours is measured against is one process."""
    one, ours, loop = rendering.main()
    cores = usable_cores()
    for how, seconds, goal in (("in one process", one, 2.0), (f"on {cores} cores", ours, 1.1)):
        measured = f"{seconds:.1f} s / {loop:.1f} s = {seconds / loop:.2f} ×"
        yield Row(f"`render` {how} / orjson loads and dumps in one", measured, f"{goal} ×", seconds / loop <= goal)
    measured = f"{one:.1f} s / {ours:.1f} s = {one / ours:.2f} ×"
    yield Row(f"`render` on {cores} cores / in one process, speed", measured, "1.8 ×", one / ours >= 1.8)


def _starting() -> Iterator[Row]:
    help_text, render, nothing = starting.main()
    for what, seconds in (("`sfmap --help`", help_text), ("`render` of one event", render)):
        ratio = seconds / nothing
        measured = f"{seconds:.2f} s / {nothing:.3f} s = {ratio:.1f} ×"
        yield Row(f"{what} / empty interpreter", measured, "6 ×", ratio <= 6)


def _formats() -> Iterator[Row]:
    goals = {"gzip": 0.8, "zstd": 0.85, "array": 0.4, "csv": 0.5, "parquet": 0.15}
    for shape, speed, ratio, memory in formats.main():
        if shape in goals:
            measured = f"{speed:,.0f}/s = {ratio:.2f} ×, {memory:.0f} MB"
            is_reached = ratio >= goals[shape] and memory < 250
            yield Row(f"read {shape} / NDJSON, speed", measured, f"{goals[shape]} ×, 250 MB", is_reached)


def _sending() -> Iterator[Row]:
    cost = sending.main()
    yield Row("SOAP create of 200 × 20 fields, CPU of the client", f"{cost:.0f} µs a record", "40 µs", cost <= 40)


def _local_org() -> Iterator[Row]:
    speed = local_org.main()
    measured = f"{speed:,.0f} records for a second of CPU"
    yield Row("local org, creates of 200 × 20 fields", measured, "5,000", speed >= 5_000)


def _delivering() -> Iterator[Row]:
    done = delivering.main()
    measured = f"{done.speed:,.0f}/s, client {done.cpu:.0f} µs of CPU an event"
    yield Row("`run` of 50,000 people into the local org, events/s", measured, "8,000/s", done.speed >= 8_000)


def _serving() -> Iterator[Row]:
    durable, bare = serving.main()
    measured = f"{durable:,.0f}/s / {bare:,.0f}/s = {durable / bare:.2f} ×"
    what = "`serve`, single events on disk / the same server storing nothing, requests/s"
    yield Row(what, measured, "0.6 ×", durable >= 0.6 * bare)


def _scaling() -> Iterator[Row]:
    """Ten times the events of ten times the people: what each more takes, start-up aside, and no more memory."""
    numbers = (10_000, 100_000, 1_000_000)
    speeds, _, memories = zip(*map(delivering.main, numbers), strict=True)
    first, second, third = (number / speed for number, speed in zip(numbers, speeds, strict=True))
    slowdown = ((third - second) / 900_000) / ((second - first) / 90_000)
    measured = ", ".join(f"{speed:,.0f}/s" for speed in speeds)
    what = "`run` of 10,000, 100,000, 1,000,000 people"
    yield Row(
        f"{what}: time of a later event / an earlier one",
        f"{measured}: {slowdown:.2f} ×",
        "1.15 ×",
        slowdown <= 1.15,
    )
    growth = max(memories) / min(memories)
    measured = f"{', '.join(f'{memory:.0f}' for memory in memories)} MB: {growth:.2f} ×"
    yield Row(f"{what}: memory", measured, "1.15 ×, 200 MB", growth <= 1.15 and max(memories) < 200)


def _memory() -> Iterator[Row]:
    few = delivering.main(1_000_000, 10)
    measured = f"{few.memory:.0f} MB, {few.speed:,.0f}/s"
    yield Row("`run` of 1,000,000 events of 10 people: memory", measured, "200 MB", few.memory < 200)
    long = delivering.main(500, padding=1_000_000)
    measured = f"{long.memory:.0f} MB, {long.speed:,.0f}/s"
    yield Row("`run` of 500 lines of 1 MB: memory", measured, "200 MB", long.memory < 200)


def _connections() -> Iterator[Row]:
    for use in connections.main():
        time = " to ".join(use.seconds.strip("[]").split(", "))
        ceiling = "the org's" if use.org <= use.machine else "this machine's"
        measured = (
            f"{use.speed:,.0f}/s / {ceiling} {min(use.org, use.machine):,.0f}/s = {use.share:.0%}"
            f" (org {use.org:,.0f}/s, machine {use.machine:,.0f}/s)"
        )
        yield Row(f"`run` on {use.connections} connections, {time} s a call", measured, "95 %", use.share >= 0.95)


def _bulk() -> Iterator[Row]:
    what = f"calls for {bulk_load.PEOPLE:,} new people by `--bulk always`"
    load = bulk_load.main()
    if load is None:
        yield Row(what, "this version of `run` has no `--bulk`", "60", None)
        return
    calls = load.calls.total()
    measured = f"{calls:,}; {load.speed:,.0f}/s, client {load.cpu:.0f} µs of CPU an event, {load.memory:.0f} MB"
    yield Row(what, measured, "60, 200 MB", calls <= 60 and load.memory < 200)


MEASURES: Mapping[str, Callable[[], Iterator[Row]]] = {
    "mapping": _mapping,
    "rendering": _rendering,
    "segment": _segment,
    "starting": _starting,
    "formats": _formats,
    "sending": _sending,
    "local_org": _local_org,
    "delivering": _delivering,
    "serving": _serving,
    "destination": _destination,
    "connections": _connections,
    "bulk": _bulk,
    "scaling": _scaling,
    "memory": _memory,
}
