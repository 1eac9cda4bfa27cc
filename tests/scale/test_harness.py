"""The trials see what goes wrong: nodes that share nothing write records twice, and one node alone does not."""

from collections import Counter

import pytest

from ..exactness.harness import Stage
from ..exactness.soak import classes
from .playing import draw_cluster_trial, play

_MOST_TRIALS = 20
pytestmark = pytest.mark.soak


def test_nodes_with_a_journal_each_write_records_twice(the_stage: Stage) -> None:
    seen: Counter[str] = Counter()
    for seed in range(_MOST_TRIALS):
        wrong, _ = play(the_stage, draw_cluster_trial(seed, 2, ["slow"]), state="")
        seen.update(classes(wrong))
        if seen["doubled"]:
            return
    raise AssertionError(seen)


def test_one_node_alone_ends_as_the_model_does(the_stage: Stage) -> None:
    trial = draw_cluster_trial(2, 1, ["kill", "slow", "kill"])
    wrong, done = play(the_stage, trial, state="")
    assert wrong == []
    assert done["kills"] >= 1
