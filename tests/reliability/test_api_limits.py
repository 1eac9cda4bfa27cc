"""API calls: how few they are, how they are counted, and the limits that end a run."""

import pytest

from ..examples import mostly_soak
from ..scene import Scene
from .people import LEAD, PEOPLE, person


def test_the_daily_limit_ends_the_run(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults({"kind": "day_limit", "calls": "create", "times": 1})
    said = scene.run(*PEOPLE, code=3)
    assert "used up its API requests" in said
    assert scene.calls()["create"] == 1
    scene.again()
    assert scene.rows("SELECT count(*) FROM Lead") == [(12,)]


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_max_calls_is_never_exceeded(scene: Scene, most: int) -> None:
    scene.mapping(LEAD)
    said = scene.run(*PEOPLE, code=3 if most < 5 else 0, arguments=("--max-calls", str(most)))
    assert scene.calls().total() == min(most, 5)
    assert ("--max-calls are used" in said) == (most < 5)
    scene.again()
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(12, 12)]


def test_reserved_calls_are_not_used(scene: Scene) -> None:
    scene.mapping(LEAD, "reserve: 99.997%")
    said = scene.run(*PEOPLE, code=3)
    assert "99" in said
    assert "are reserved" in said
    # The sign-in is no API request for the org, and before its first answer nothing is known.
    assert scene.calls().total() - scene.calls()["login"] == 3


def test_calls_are_counted_as_the_org_counts_them(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults(
        {"kind": "reset", "probability": 0.1},
        {"kind": "truncated", "probability": 0.1},
        {"kind": "server_unavailable", "probability": 0.1},
    )
    scene.run(*[person(f"r{number % 700}", city=f"c{number}") for number in range(3_000)])
    assert scene.folder.report()["api_calls"] == dict(scene.calls())


CALLS = [(LEAD.replace("  LeadSource: {value: Web, write: create}\n", ""), 1 / 200), (LEAD, 1 / 200 + 1 / 1_000)]


@pytest.mark.parametrize("count", mostly_soak((4_000, 20_000), quick=1))
@pytest.mark.parametrize(("mapping", "calls"), CALLS, ids=["upsert", "lookup"])
def test_many_people_take_few_calls(scene: Scene, mapping: str, calls: float, count: int) -> None:
    """Counted by the org's own log, for so many new ones, and once more for the same."""
    scene.mapping(mapping)
    people = [person(f"n{number}", city="Rome") for number in range(count)]
    scene.run(*people)
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(count, count)]
    most = calls * count + 10
    first = scene.calls().total()
    scene.again()
    assert (first <= most, scene.calls().total() - first <= most) == (True, True), scene.calls()
