"""The whole `sfmap run` into a local org beside it, and what its own side of the work costs."""

import sys
from typing import NamedTuple

from beside import project_beside


class Delivery(NamedTuple):
    speed: float
    """Events a second."""
    cpu: float
    """Microseconds of the client's own CPU for an event."""
    memory: float
    """Of the client, at most, in megabytes."""


def main(number: int = 50_000, identities: int | None = None, padding: int = 0) -> Delivery:
    """Of events as in `samples.py`."""
    with project_beside(number, identities, padding=padding) as project:
        done = project.deliver()
        report = project.report()
    people = identities or number
    assert (report["created"], report["updated"], report["failed"]) == (people, number - people, 0), report
    return Delivery(number / done.seconds, done.cpu / number * 1e6, done.memory)


if __name__ == "__main__":
    delivery = main(*map(int, sys.argv[1:]))
    sys.stdout.write(
        f"{delivery.speed:,.0f} events/s, {delivery.cpu:.0f} us of CPU an event, {delivery.memory:.0f} MB\n"
    )
