"""Random trials end as the model says: the records field by field, and one correct outcome for each event."""

import pytest

from ..examples import mostly_soak
from .drawing import KINDS, draw_trial, shrink
from .harness import Stage
from .trial import LOSSES, story

SEEDS = 4 * len(KINDS)
UNDISTURBED = 40


def check(stage: Stage, seed: int, kind: str) -> None:
    trial = draw_trial(seed, kind)
    if stage.play(trial):
        smallest = shrink(trial, lambda smaller: bool(stage.play(smaller)))
        wrong = stage.play(smallest) or ["it passed when it was played again"]
        pytest.fail(f"seed {seed}, {kind or 'undisturbed'}:\n" + "\n".join(wrong) + "\n\n" + story(smallest))


@pytest.mark.parametrize("seed", mostly_soak(range(len(KINDS)), quick=len(LOSSES)))
def test_with_its_state_in_postgresql_a_disturbed_run_ends_the_same(shared_stage: Stage, seed: int) -> None:
    check(shared_stage, 2_000 + seed, KINDS[seed])


@pytest.mark.parametrize("seed", mostly_soak(range(UNDISTURBED), quick=8))
def test_an_undisturbed_run_ends_as_the_model_says(the_stage: Stage, seed: int) -> None:
    check(the_stage, seed, "")


@pytest.mark.parametrize("seed", mostly_soak(range(SEEDS), quick=len(KINDS)))
def test_a_disturbed_run_ends_as_the_model_says(the_stage: Stage, seed: int) -> None:
    check(the_stage, 1_000 + seed, KINDS[seed % len(KINDS)])
