"""Twice the events of one identity take about twice the work, counted in steps of the interpreter."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from sfmap.engine import delivery
from sfmap.engine.mapping.values.record import Event

from .test_folding import ERASURES, GROUPS, WRITES, deliver

FOLDER = str(Path(delivery.__file__).parent)


def steps(work: Callable[[], object]) -> int:
    """How many steps of the interpreter the work takes within the delivery's modules."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(FOLDER):
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(None)
    return count


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
    ("events", "lost"),
    [(same_person, ""), (same_person, "create"), (made_and_erased, ""), (pointed_at, "")],
    ids=["same person", "same person whose create is lost", "made and erased", "pointed at"],
)
def test_work_grows_linearly_with_the_events(
    tmp_path: Path, events: Callable[[int], list[Event]], lost: str
) -> None:
    taken = []
    for number in (200, 800):
        folder = tmp_path / str(number)
        folder.mkdir()
        stream = events(number)
        taken.append(steps(lambda: deliver(folder, stream, len(stream), WRITES, GROUPS, ERASURES, lost=lost)))  # noqa: B023
    assert taken[1] < 6 * taken[0], taken  # 4 times the events: 16 would be the square
