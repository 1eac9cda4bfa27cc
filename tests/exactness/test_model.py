"""Random trials end as the model says: the records field by field, and one correct outcome for each event."""

from collections.abc import Callable

import pytest

from ..examples import mostly_soak
from .drawing import JOB_KINDS, KINDS, draw_bulk_trial, draw_trial, shrink
from .harness import Stage
from .trial import LOSSES, Trial, story

SEEDS = 4 * len(KINDS)
UNDISTURBED = 40


def check(stage: Stage, seed: int, kind: str, draw: Callable[[int, str], Trial] = draw_trial) -> None:
    trial = draw(seed, kind)
    if stage.play(trial):
        smallest = shrink(trial, lambda smaller: bool(stage.play(smaller)))
        wrong = stage.play(smallest) or ["it passed when it was played again"]
        pytest.fail(f"seed {seed}, {kind or 'undisturbed'}:\n" + "\n".join(wrong) + "\n\n" + story(smallest))


@pytest.mark.parametrize("seed", mostly_soak(range(len(KINDS)), quick=len(LOSSES)))
def test_with_its_state_in_postgresql_a_disturbed_run_ends_the_same(shared_stage: Stage, seed: int) -> None:
    check(shared_stage, 2_000 + seed, KINDS[seed])


@pytest.mark.parametrize("seed", mostly_soak(range(4 * len(JOB_KINDS)), quick=2))
def test_so_does_one_by_bulk_jobs_with_its_state_in_postgresql(shared_stage: Stage, seed: int) -> None:
    check(shared_stage, 5_000 + seed, JOB_KINDS[seed % len(JOB_KINDS)], draw_bulk_trial)


@pytest.mark.parametrize("seed", mostly_soak(range(UNDISTURBED), quick=8))
def test_an_undisturbed_run_ends_as_the_model_says(the_stage: Stage, seed: int) -> None:
    check(the_stage, seed, "")


@pytest.mark.parametrize("seed", mostly_soak(range(SEEDS), quick=len(KINDS)))
def test_a_disturbed_run_ends_as_the_model_says(the_stage: Stage, seed: int) -> None:
    check(the_stage, 1_000 + seed, KINDS[seed % len(KINDS)])


@pytest.mark.parametrize("seed", mostly_soak(range(SEEDS), quick=len(KINDS) // 2))
def test_so_does_one_that_writes_by_bulk_jobs(the_stage: Stage, seed: int) -> None:
    check(the_stage, 3_000 + seed, ("", *KINDS)[seed % (1 + len(KINDS))], draw_bulk_trial)


@pytest.mark.parametrize("seed", mostly_soak(range(60), quick=2 * len(JOB_KINDS)))
def test_so_does_one_whose_bulk_jobs_are_disturbed(the_stage: Stage, seed: int) -> None:
    check(the_stage, 4_000 + seed, JOB_KINDS[seed % len(JOB_KINDS)], draw_bulk_trial)
