"""`make bench`: each measure beside its goal, all in one run, since only ratios of one run can be compared."""

import sys
from collections.abc import Iterator

import delivering
import mapping
import rendering
import sending
import starting


def rows() -> Iterator[tuple[str, str, str, bool]]:
    """What, measured, goal, and whether it is reached."""
    ours, by_hand = mapping.main()
    ratio = ours / by_hand
    yield (
        "map one event, against by hand",
        f"{ours:.1f} us / {by_hand:.1f} us = {ratio:.2f} x",
        "1.3 x",
        ratio <= 1.3,
    )
    ours, loop = rendering.main()
    ratio = ours / loop
    yield (
        "render 200,000 events, against read and write",
        f"{ours:.1f} s / {loop:.1f} s = {ratio:.2f} x",
        "2.5 x",
        (ratio <= 2.5),
    )
    help_text, render, nothing = starting.main()
    for what, seconds, goal in (("sfmap --help", help_text, 6), ("render one event", render, 12)):
        ratio = seconds / nothing
        yield (
            f"{what}, against an empty interpreter",
            f"{seconds:.2f} s = {ratio:.1f} x",
            f"{goal} x",
            ratio <= goal,
        )
    cost = sending.main()
    yield "SOAP create of 200 x 20, client CPU", f"{cost:.0f} us a record", "60 us", cost <= 60
    speed, client = delivering.main()
    yield (
        "run 50,000 people into the local org",
        f"{speed:,.0f} events/s, client {client:.0f} us",
        "5,000/s",
        (speed >= 5_000),
    )


def main() -> None:
    for what, measured, goal, reached in rows():
        sys.stdout.write(f"{what:<48} {measured:<34} goal {goal:<8} {'reached' if reached else 'missed'}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
