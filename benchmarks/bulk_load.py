"""How many calls it takes to create many people by the Bulk API, by the org's own log.

python benchmarks/bulk_load.py [PEOPLE]
"""

import sys
from collections import Counter
from typing import NamedTuple

from beside import has_bulk, project_beside

PEOPLE = 1_000_000


class Load(NamedTuple):
    calls: Counter[str]
    """By operation."""
    speed: float
    """Events a second."""
    cpu: float
    """Microseconds of the client's own CPU for an event."""
    memory: float
    """Of the client, at most, in megabytes."""


def main(people: int = PEOPLE) -> Load | None:
    """None where `sfmap run` has no option for it."""
    if not has_bulk():
        return None
    with project_beside(people) as project:
        done = project.deliver("--bulk", "always")
        report = project.report()
        calls = Counter(str(call["operation"]) for call in project.calls())
    assert (report["created"], report["failed"]) == (people, 0), report
    return Load(calls, people / done.seconds, done.cpu / people * 1e6, done.memory)


if __name__ == "__main__":
    load = main(*map(int, sys.argv[1:]))
    if load is None:
        sys.exit("sfmap run has no option --bulk yet")
    counts = ", ".join(f"{operation} {count:,}" for operation, count in load.calls.most_common())
    sys.stdout.write(
        f"{load.calls.total():,} calls ({counts}), {load.speed:,.0f} events/s, {load.cpu:.0f} us of CPU an event,"
        f" {load.memory:.0f} MB\n"
    )
