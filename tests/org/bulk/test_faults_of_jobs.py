"""What fails at each step of a job, and what the org says then: each row is written once in the end."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.org.budget import Budget
from sfmap.engine.org.bulk.ingest_jobs import IngestJobs
from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_port import JobLook, Load, Unprocessed
from sfmap.engine.org.port import (
    CallRefused,
    LimitReached,
    OrgError,
    OrgUnavailable,
    Refused,
    SignInRefused,
    Written,
)
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

from ...local_org.bulk import plan
from .conftest import SCHEMA, Desk, desk_of, lead

LOAD = Load(operation="create", object_name="Lead")
WRITES = [lead(Title=f"T {number}", LastName="a, b") for number in range(450)]

STEPS: dict[str, Callable[[Desk, str, BulkData], object]] = {
    "createJob": lambda desk, _job, _data: desk.jobs.open(LOAD),
    "uploadJob": lambda desk, job, data: desk.jobs.upload(job, data),
    "closeJob": lambda desk, job, _data: desk.jobs.close(job),
    "jobInfo": lambda desk, job, _data: desk.jobs.look(job),
    "jobResults": lambda desk, job, data: list(desk.jobs.results(desk.ended(job), data.rows)),
    "abortJob": lambda desk, job, _data: desk.jobs.abort(job),
    "deleteJob": lambda desk, job, _data: desk.jobs.delete(job),
}
CHANGES = ("createJob", "uploadJob", "closeJob", "abortJob", "deleteJob")
BEFORE = {
    "createJob": (),
    "uploadJob": (),
    "closeJob": ("uploadJob",),
    "jobInfo": (),
    "jobResults": ("uploadJob", "closeJob"),
    "abortJob": (),
    "deleteJob": ("abortJob",),
}


@pytest.fixture(scope="module")
def own_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("faults")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield desk_of(running)


@pytest.fixture
def faulty(own_desk: Desk) -> Iterator[Desk]:
    yield own_desk
    plan(own_desk.local)
    ids = [str(record) for (record,) in own_desk.stored("Id")]
    if ids:
        own_desk.raw.run("hardDelete", "Id\n" + "\n".join(ids))


FAULTS = [
    # kind of the fault, the error, and whether the request may have been executed
    ({"kind": "server_unavailable"}, OrgUnavailable, False),
    ({"kind": "concurrent_limit"}, OrgUnavailable, False),
    ({"kind": "day_limit"}, LimitReached, False),
    ({"kind": "fault", "code": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred"}, OrgError, True),
    ({"kind": "http_error"}, OrgUnavailable, True),
    ({"kind": "html", "status": 200}, OrgUnavailable, True),
    ({"kind": "html", "status": 502}, OrgUnavailable, True),
    ({"kind": "reset"}, OrgUnavailable, True),
    ({"kind": "reset_after"}, OrgUnavailable, True),
]


@pytest.mark.parametrize("operation", STEPS)
@pytest.mark.parametrize(("fault", "error", "lost"), FAULTS)
def test_a_request_that_fails_says_whether_it_may_have_been_executed(
    faulty: Desk, operation: str, fault: dict[str, object], error: type[OrgError], lost: bool
) -> None:
    with faulty.data(LOAD, WRITES[:2]) as data:
        job = faulty.jobs.open(LOAD)
        for step in BEFORE[operation]:
            STEPS[step](faulty, job, data)
        plan(faulty.local, {**fault, "calls": operation})
        with pytest.raises(error) as raised:
            STEPS[operation](faulty, job, data)
    assert raised.value.maybe_applied == (lost and operation in CHANGES)
    assert faulty.local.password not in str(raised.value)
    assert operation in str(raised.value) or "127.0.0.1" in str(raised.value)


@pytest.mark.parametrize("operation", ["createJob", "closeJob", "jobInfo", "abortJob"])
def test_half_an_answer_is_none(faulty: Desk, operation: str) -> None:
    with faulty.data(LOAD, WRITES[:2]) as data:
        job = faulty.jobs.open(LOAD)
        for step in BEFORE[operation]:
            STEPS[step](faulty, job, data)
        plan(faulty.local, {"kind": "truncated", "calls": operation})
        with pytest.raises(OrgUnavailable) as raised:
            STEPS[operation](faulty, job, data)
    assert raised.value.maybe_applied == (operation in CHANGES)


def test_an_answer_that_takes_too_long_counts_as_lost(faulty: Desk) -> None:
    local = faulty.local
    login = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
    soap = SoapOrg(SoapSettings(local.url, login, read_timeout=0.5))
    plan(local, {"kind": "timeout", "calls": "closeJob", "seconds": 3})
    with faulty.data(LOAD, WRITES[:2]) as data:
        job = faulty.jobs.open(LOAD)
        faulty.jobs.upload(job, data)
        with pytest.raises(OrgUnavailable, match="did not answer the closeJob call in time") as raised:
            IngestJobs(soap.access()).close(job)
    assert raised.value.maybe_applied


def test_jobs_count_as_calls_of_the_budget(faulty: Desk) -> None:
    local = faulty.local
    login = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
    jobs = IngestJobs(SoapOrg(SoapSettings(local.url, login, budget=Budget(max_calls=3))).access())
    jobs.look(jobs.open(LOAD))
    with pytest.raises(LimitReached, match="All 3 API calls"):
        jobs.open(LOAD)


@pytest.mark.parametrize("operation", STEPS)
def test_a_session_that_has_ended_is_renewed_once(faulty: Desk, operation: str) -> None:
    with faulty.data(LOAD, WRITES[:2]) as data:
        job = faulty.jobs.open(LOAD)
        for step in BEFORE[operation]:
            STEPS[step](faulty, job, data)
        before = faulty.soap.calls()["login"]
        plan(faulty.local, {"kind": "expired_session", "calls": operation, "times": 1})
        STEPS[operation](faulty, job, data)
        assert faulty.soap.calls()["login"] == before + 1


def test_a_session_that_ends_again_and_again_is_not_renewed_for_ever(own_desk: Desk) -> None:
    desk = desk_of(own_desk.local)
    plan(desk.local, {"kind": "expired_session", "calls": "createJob"})
    with pytest.raises(SignInRefused):
        desk.jobs.open(LOAD)
    assert desk.soap.calls() == {"login": 2, "createJob": 2}
    plan(desk.local)


def delivered(desk: Desk, lost: str) -> tuple[JobLook, dict[int, object]]:
    """The job and its outcomes, with the answer of each step `lost` once, as the port says how to go on."""
    faults = [{"kind": lost, "calls": operation, "times": 1, "seconds": 0.2} for operation in CHANGES[:3]]
    with desk.data(LOAD, WRITES) as data:
        plan(desk.local, *faults)
        with pytest.raises(OrgUnavailable):
            desk.jobs.open(LOAD)
        first = desk.jobs.open(LOAD)
        with pytest.raises(OrgUnavailable):
            desk.jobs.upload(first, data)
        desk.jobs.abort(first)
        job = desk.jobs.open(LOAD)
        desk.jobs.upload(job, data)
        with pytest.raises(OrgUnavailable):
            desk.jobs.close(job)
        plan(desk.local)
        ended = closed(desk, job)
        return ended, dict(desk.outcomes(LOAD, data, ended))


def closed(desk: Desk, job: str) -> JobLook:
    """The job, closed again for as long as the org shows it as open."""
    while (look := desk.jobs.look(job)) and look.state == "Open":
        with suppress(CallRefused):  # if it was closed late
            desk.jobs.close(job)
    return desk.ended(job)


@pytest.mark.parametrize("lost", ["reset", "reset_after", "http_error", "late_commit"])
def test_lost_answers_neither_lose_nor_double_a_record(faulty: Desk, lost: str) -> None:
    job, outcomes = delivered(faulty, lost)
    assert job.state == "JobComplete"
    assert sorted(faulty.stored("Id")) == sorted((getattr(one, "id", ""),) for one in outcomes.values())
    assert {title for (title,) in faulty.stored("Title")} == {f"T {number}" for number in range(450)}


RESULTS = [
    {"kind": "answer_counts", "records": 1},
    {"kind": "answer_counts", "records": 1_000},
    {"kind": "answer_counts", "extra": 1},
    {"kind": "truncated"},
    {"kind": "reset_after"},
    {"kind": "html", "status": 200},
]


@pytest.mark.parametrize("fault", RESULTS)
def test_results_that_are_not_complete_are_not_given_in_part(faulty: Desk, fault: dict[str, object]) -> None:
    with faulty.data(LOAD, WRITES) as data:
        job = faulty.ended(faulty.begun(LOAD, data))
        plan(faulty.local, {**fault, "calls": "jobResults", "times": 3})
        with pytest.raises(OrgUnavailable):
            next(faulty.jobs.results(job, data.rows))
        plan(faulty.local)
        assert all(isinstance(one, Written) for one in faulty.outcomes(LOAD, data, job).values())


@pytest.mark.parametrize(
    ("fault", "state", "counts"),
    [
        ({"kind": "job_failed", "at": 2}, "Failed", (200, 0, 250)),
        ({"kind": "job_aborted", "at": 3}, "Aborted", (400, 0, 50)),
        ({"kind": "job_failed", "at": 1}, "Failed", (0, 0, 450)),
        ({"kind": "record_lock", "calls": "processBatch", "at": 2}, "JobComplete", (250, 200, 0)),
        ({"kind": "record_error", "calls": "processBatch"}, "JobComplete", (0, 450, 0)),
    ],
)
def test_each_row_is_written_refused_or_unprocessed(
    faulty: Desk, fault: dict[str, object], state: str, counts: tuple[int, int, int]
) -> None:
    with faulty.data(LOAD, WRITES) as data:
        plan(faulty.local, fault)
        job = faulty.ended(faulty.begun(LOAD, data))
        outcomes = faulty.outcomes(LOAD, data, job)
    assert job.state == state
    kinds = [type(one) for one in outcomes.values()]
    assert tuple(kinds.count(kind) for kind in (Written, Refused, Unprocessed)) == counts
    titles = {f"T {number}" for number, one in outcomes.items() if isinstance(one, Written)}
    assert {title for (title,) in faulty.stored("Title")} == titles


def test_files_that_are_not_needed_are_not_asked_for(faulty: Desk) -> None:
    asked = []
    for fault in ({"kind": "record_error", "calls": "processBatch"}, {"kind": "job_failed"}):
        with faulty.data(LOAD, WRITES) as data:
            plan(faulty.local, fault)
            job = faulty.ended(faulty.begun(LOAD, data))
            before = faulty.soap.calls().get("jobResults", 0)
            list(faulty.jobs.results(job, data.rows))
            asked.append(faulty.soap.calls()["jobResults"] - before)
    assert asked == [1, 3]
