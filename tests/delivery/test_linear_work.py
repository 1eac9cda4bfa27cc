"""Twice the events of one identity take about twice the work, counted in steps of the interpreter."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from sfmap.engine import delivery
from sfmap.engine.mapping.values.record import Event

from ..steps import steps
from .test_folding import ERASURES, GROUPS, WRITES, deliver

FOLDER = str(Path(delivery.__file__).parent)


def same_person(number: int) -> list[Event]:
    traits: list[Event] = [{"email": "a@b.co", "last": "Lee", "fax": str(count)} for count in range(number)]
    return [{"type": "identify", "traits": dict(one)} for one in traits]


def made_and_erased(number: int) -> list[Event]:
    """Each waits for the one before; with fewer than go together at least, the work is still the square."""
    kinds = ("identify", "screen")
    return [
        {"type": kinds[count % 2], "traits": {"email": "a@b.co", "last": "Lee"}} for count in range(number // 5)
    ]


def pointed_at(number: int) -> list[Event]:
    people: list[Event] = [
        {"type": "identify", "traits": {"email": f"p{count}@b.co", "last": f"L{count}", "group": "g1"}}
        for count in range(number // 2)
    ]
    groups: list[Event] = [
        {"type": "group", "groupId": "g1", "traits": {"name": str(n)}} for n in range(number // 2)
    ]
    return [*people, *groups]


@pytest.mark.parametrize(
    ("events", "lost", "window"),
    [
        (same_person, "", 800),
        pytest.param(same_person, "create", 800, marks=pytest.mark.soak),
        pytest.param(made_and_erased, "", 800, marks=pytest.mark.soak),
        (made_and_erased, "", 40),
        (pointed_at, "", 800),
    ],
    ids=[
        "same person",
        "same person whose create is lost",
        "made and erased",
        "made and erased in several windows",
        "pointed at",
    ],
)
def test_work_grows_linearly_with_the_events(
    tmp_path: Path, events: Callable[[int], list[Event]], lost: str, window: int
) -> None:
    taken = []
    for number in (200, 800):
        folder = tmp_path / str(number)
        folder.mkdir()
        stream = events(number)
        work = partial(deliver, folder, stream, window, WRITES, GROUPS, ERASURES, lost=lost)
        taken.append(steps(work, kind="opcode", folder=FOLDER))
    assert taken[1] < 6 * taken[0], taken  # 4 times the events: 16 would be the square
