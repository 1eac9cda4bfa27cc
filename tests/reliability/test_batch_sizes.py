"""The size of batches: as set, and smaller where a trigger of the org needs it."""

from collections import Counter

import pytest

from ..scene import Scene
from .people import ACCOUNT, PEOPLE, person


def test_batches_shrink_to_the_size_that_a_trigger_accepts(scene: Scene) -> None:
    """The size that went through is kept; a larger one is tried less and less often."""
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "governor_limit", "calls": "create", "records": 50})
    said = scene.run(*(person(f"p{number}") for number in range(400)), arguments=("--connections", "1"))
    assert "Account create: the org refused more than 50 at a time: LeadTrigger" in said
    assert scene.rows("SELECT count(*), count(DISTINCT AccountNumber) FROM Account") == [(400, 400)]
    assert scene.calls()["create"] < 20
    assert scene.sfmap("dead-letters") == "There are no dead letters.\n"


def test_batches_grow_again_after_success(scene: Scene) -> None:
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "governor_limit", "calls": "create", "times": 3})
    scene.run(*(person(f"p{number}") for number in range(2_200)), arguments=("--connections", "1"))
    assert Counter(fate for fate, _ in scene.outcomes()) == {"created": 2_200}
    assert scene.calls()["create"] < 20  # 11 would do without the limit


def test_a_single_record_that_a_trigger_refuses_fails(scene: Scene) -> None:
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "governor_limit", "calls": "create"})
    scene.run(person("a"), code=1)
    assert scene.calls()["create"] == 1


@pytest.mark.parametrize("where", ["the mapping", "the org"])
def test_batch_size_is_obeyed(scene: Scene, where: str) -> None:
    size = "batch_size: 5"
    scene.mapping(ACCOUNT + (size if where == "the mapping" else ""), "" if where == "the mapping" else size)
    scene.run(*PEOPLE)
    assert scene.calls()["create"] == 3
