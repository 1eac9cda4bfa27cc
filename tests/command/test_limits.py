"""`sfmap limits`: the daily limit of API calls."""

import json

from ..reliability.people import LEAD, PEOPLE
from ..scene import Scene


def test_the_daily_limit_is_printed_after_a_reserve_was_reached(scene: Scene) -> None:
    scene.mapping(LEAD, "reserve: 99.997%")
    scene.run(*PEOPLE, code=3)
    limits = scene.sfmap("limits", "--json", code=0)
    assert json.loads(limits)["limit"] == 100_000
