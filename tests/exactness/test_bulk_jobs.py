"""Bulk jobs that an org refuses, or whose results are gone: nothing is written twice or lost, and it is told."""

import signal
from collections.abc import Callable

import pytest

from ..local_org.test_faults import wait_until
from .harness import DONE, Stage
from .model import Event, Rule, Table
from .oracle import UNKNOWN, shown
from .trial import Leg, Trial

SEAT = Table("seat", "screen", "Seat__c", (Rule("Key__c", "key"), Rule("Phone__c", "phone")), external_id="Key__c")
LOG = Table("log", "alias", "Log__c", (Rule("Text__c", "text"),), operation="create")
CLOSED = ("after call", 6, signal.SIGKILL)
"""The sixth call closes the first job: before it are a sign-in, two that describe, the job and its rows."""


def seat(key: str) -> Event:
    return {"type": "screen", "event": "Something", "properties": {"key": key, "phone": key}}


def log(text: str) -> Event:
    return {"type": "alias", "traits": {"text": text}}


def forget_jobs(stage: Stage) -> None:
    """As if somebody had deleted them in Setup."""
    with stage.database() as connection:
        for table in ("jobs", "batches", "chunks"):
            connection.execute(f"DELETE FROM sfmap_bulk_{table}")


def forget_results(stage: Stage) -> None:
    with stage.database() as connection:
        connection.execute("UPDATE sfmap_bulk_chunks SET results = json_remove(results, '$[1]')")


def has_processed_all(stage: Stage) -> bool:
    with stage.database() as connection:
        return connection.execute("SELECT DISTINCT state FROM sfmap_bulk_jobs").fetchall() == [("JobComplete",)]


def deliver(stage: Stage, trial: Trial, lose: Callable[[Stage], None]) -> list[tuple[object, object]]:
    """Delivers all, with a kill after the job is closed and its results lost; the outcomes with their reasons."""
    stage.reset()
    forget_jobs(stage)
    stage.project(trial)
    assert stage.run(trial, Leg(plug=CLOSED)) == -signal.SIGKILL
    wait_until(lambda: has_processed_all(stage))
    lose(stage)
    assert stage.run(trial, Leg()) in DONE
    return sorted((one["outcome"], one["reason"]) for one in stage.told("a"))


def held_by(stage: Stage, name: str) -> list[str]:
    return sorted(shown(one) for one in stage.records()[name])


@pytest.mark.parametrize("lose", [forget_jobs, forget_results])
def test_upserts_whose_result_is_lost_are_sent_again(the_stage: Stage, lose: Callable[[Stage], None]) -> None:
    trial = Trial((SEAT,), (seat("k1"), seat("k2")), bulk="always")
    told = deliver(the_stage, trial, lose)
    assert {outcome for outcome, _ in told} <= {"created", "updated"}
    assert len(told) == len(held_by(the_stage, "Seat__c")) == 2


@pytest.mark.parametrize(("lose", "lost"), [(forget_jobs, 2), (forget_results, 1)])
def test_creates_whose_result_is_lost_are_dead_letters_that_say_so(
    the_stage: Stage, lose: Callable[[Stage], None], lost: int
) -> None:
    told = deliver(the_stage, Trial((LOG,), (log("a"), log("b")), bulk="always"), lose)
    assert [UNKNOWN in str(reason) for outcome, reason in told if outcome == "failed"] == [True] * lost
    assert len(told) == len(held_by(the_stage, "Log__c")) == 2
    assert ("the outcomes of 1 row where the job has 2" in the_stage.said()) == (lose is forget_results)


REFUSALS = ("FEATURENOTENABLED", "FUNCTIONALITY_NOT_ENABLED", "API_DISABLED_FOR_ORG", "EXCEEDEDQUOTA")


@pytest.mark.parametrize("code", REFUSALS)
def test_an_org_without_bulk_jobs_is_written_to_by_calls(the_stage: Stage, code: str) -> None:
    trial = Trial((SEAT, LOG), (seat("k1"), log("a"), seat("k2"), seat("k1"), log("a")), bulk="always")
    the_stage.reset()
    the_stage.project(trial)
    refused = {"kind": "fault", "calls": "createJob", "code": code, "message": "no", "times": 100}
    assert the_stage.run(trial, Leg(faults=(refused,))) == 0
    assert len(held_by(the_stage, "Seat__c")) == len(held_by(the_stage, "Log__c")) == 2
    assert the_stage.said().count("Goes on without bulk jobs: ") == 1
