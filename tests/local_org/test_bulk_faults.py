"""Faults of bulk jobs: lost answers at each step, chunks that fail, and jobs that end in the middle."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .bulk import ENDED, Bulk, plan, token, written
from .test_faults import wait_until

ROWS = [[f"Name {number}", "x", f"c{number}"] for number in range(450)]
DATA = "LastName,Company,Title\n" + "".join(f"{','.join(row)}\n" for row in ROWS)


@pytest.fixture
def bulk(org: LocalOrg) -> Iterator[Bulk]:
    bulk = Bulk(org.url, token(org))
    yield bulk
    plan(org)
    ids = [str(one["Id"]) for one in bulk.query("SELECT Id FROM Lead")]
    bulk.run("hardDelete", "Id\n" + "\n".join(ids))


def leads(bulk: Bulk) -> int:
    (counted,) = bulk.query("SELECT COUNT(Id) n FROM Lead")
    return int(str(counted["n"]))


def returned(bulk: Bulk, job: str) -> Counter[tuple[str, ...]]:
    """The rows that the three files return, without what the org adds."""
    files = ("successfulResults", "failedResults", "unprocessedrecords")
    rows = [row for name in files for row in bulk.rows(job, name)]
    return Counter((row["LastName"], row["Company"], row["Title"]) for row in rows)


CHUNKS = [
    # kind and numbers of the fault, the state of the job, rows written, refused and not processed
    ({"kind": "job_failed", "at": 2}, "Failed", (200, 0, 250)),
    ({"kind": "job_aborted", "at": 3}, "Aborted", (400, 0, 50)),
    ({"kind": "job_failed", "at": 1}, "Failed", (0, 0, 450)),
    ({"kind": "record_lock", "calls": "processBatch", "at": 2}, "JobComplete", (250, 200, 0)),
    ({"kind": "governor_limit", "records": 100}, "JobComplete", (50, 400, 0)),
    ({"kind": "server_unavailable", "calls": "processBatch", "at": 1}, "JobComplete", (450, 0, 0)),
    ({"kind": "reset", "calls": "processBatch"}, "Failed", (0, 0, 450)),
    ({"kind": "slow", "calls": "processBatch", "seconds": 0.1}, "JobComplete", (450, 0, 0)),
]


@pytest.mark.parametrize(("fault", "state", "counted"), CHUNKS)
def test_rows_are_written_refused_or_not_processed(
    org: LocalOrg, bulk: Bulk, fault: dict[str, object], state: str, counted: tuple[int, int, int]
) -> None:
    plan(org, fault)
    job = bulk.run("insert", DATA)
    info = bulk.info(job)
    files = ("successfulResults", "failedResults", "unprocessedrecords")
    assert info["state"] == state
    assert bool(info.get("errorMessage")) == (state == "Failed")
    assert tuple(len(bulk.rows(job, name)) for name in files) == counted
    assert returned(bulk, job) == Counter(map(tuple, ROWS))
    done, refused, _ = counted
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (done + refused, refused)
    assert leads(bulk) == done


def test_the_rows_of_a_long_job_are_not_processed_in_their_order(org: LocalOrg, bulk: Bulk) -> None:
    rows = [[f"Name {number}", "x", f"c{number}"] for number in range(20_400)]
    plan(org, {"kind": "job_failed", "at": 2})
    job = bulk.run("insert", "LastName,Company,Title\n" + "".join(f"{','.join(row)}\n" for row in rows))
    assert returned(bulk, job) == Counter(map(tuple, rows))
    done = sorted(int(row["Title"][1:]) for row in bulk.rows(job, "successfulResults"))
    assert len(done) == leads(bulk) == 200
    assert done[0] in (0, 10_000, 20_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_sent_again_until_none_is_left_are_written_once(org: LocalOrg, bulk: Bulk, seed: int) -> None:
    plan(
        org,
        {"kind": "job_failed", "probability": 0.2},
        {"kind": "job_aborted", "probability": 0.1},
        {"kind": "record_lock", "calls": "processBatch", "share": 0.4, "probability": 0.5},
        {"kind": "server_unavailable", "calls": "processBatch", "probability": 0.2},
        seed=seed,
    )
    left, jobs = DATA, 0
    while left.count("\n") > 1:
        jobs += 1
        job = bulk.run("insert", left)
        again = [*bulk.rows(job, "failedResults"), *bulk.rows(job, "unprocessedrecords")]
        rows = [[row["LastName"], row["Company"], row["Title"]] for row in again]
        left = written([["LastName", "Company", "Title"], *rows])
    assert jobs > 1
    plan(org)
    titles = Counter(str(one["Title"]) for one in bulk.query("SELECT Title FROM Lead"))
    assert titles == Counter(row[2] for row in ROWS)


def test_a_share_of_the_records_is_refused_with_its_own_message(org: LocalOrg, bulk: Bulk) -> None:
    plan(
        org, {"kind": "record_error", "share": 0.3, "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "a: b"}
    )
    job = bulk.run("insert", DATA)
    errors = Counter(row["sf__Error"] for row in bulk.rows(job, "failedResults"))
    assert errors.keys() == {"FIELD_CUSTOM_VALIDATION_EXCEPTION:a: b:--"}
    assert 90 <= errors.total() <= 180
    assert leads(bulk) == 450 - errors.total()
    assert returned(bulk, job) == Counter(map(tuple, ROWS))


def test_a_job_says_why_it_failed(org: LocalOrg, bulk: Bulk) -> None:
    plan(org, {"kind": "job_failed", "code": "InternalServerError", "message": "unable to lock"})
    assert bulk.info(bulk.run("insert", DATA))["errorMessage"] == "InternalServerError : unable to lock"


def test_the_page_of_jobs_shows_what_became_of_them(org: LocalOrg, bulk: Bulk) -> None:
    plan(org, {"kind": "job_failed", "message": "<no>", "at": 2})
    job = bulk.run("insert", DATA)
    page = requests.get(f"{org.url}/jobs", timeout=10).text
    row = page[page.index(job) :].partition("</tr>")[0]
    for shown in ("V2Ingest", "insert", "Lead", ">Failed<", ">200<", ">0<", "InternalServerError : &lt;no&gt;"):
        assert shown in row
    logged = requests.get(f"{org.url}/calls?q=processBatch", timeout=10).text
    assert "processBatch insert" in logged
    number = logged.partition('<tr id="')[2].partition('"')[0]
    call = requests.get(f"{org.url}/calls/{number}", timeout=10).text
    assert "Copy as curl" not in call
    assert "Name 0" in call


def test_somebody_aborts_a_job_while_it_is_processed(org: LocalOrg, bulk: Bulk) -> None:
    plan(org, {"kind": "slow", "calls": "processBatch", "at": 2, "seconds": 60})
    job = bulk.create("insert")
    bulk.upload(job, DATA)
    bulk.change(job, "UploadComplete")
    wait_until(lambda: bulk.info(job)["numberRecordsProcessed"] == 200)
    assert bulk.change(job, "Aborted").json()["state"] == "Aborted"
    assert returned(bulk, job) == Counter(map(tuple, ROWS))
    assert (leads(bulk), len(bulk.rows(job, "unprocessedrecords"))) == (200, 250)


def created(bulk: Bulk) -> int:
    return len(bulk.ask("GET", "/jobs/ingest").json()["records"])


def step(operation: str, bulk: Bulk) -> tuple[Callable[[], object], Callable[[], object]]:
    """A request of the operation, and what it changes."""
    if operation == "createJob":
        return lambda: bulk.create("insert"), lambda: created(bulk)
    job = bulk.create("insert")
    if operation == "uploadJob":
        # Whether the data arrived is seen when the job is closed.
        return lambda: bulk.upload(job, DATA).raise_for_status(), lambda: bulk.upload(job, DATA).status_code
    bulk.upload(job, "LastName,Company\n")
    if operation == "closeJob":
        return lambda: bulk.change(
            job, "UploadComplete"
        ).raise_for_status(), lambda: bulk.info(job)["state"] == "Open"
    if operation == "abortJob":
        return lambda: bulk.change(job, "Aborted").raise_for_status(), lambda: bulk.info(job)["state"]
    bulk.change(job, "Aborted")
    gone = f"/jobs/ingest/{job}"
    return lambda: bulk.ask("DELETE", gone).raise_for_status(), lambda: bulk.ask("GET", gone).status_code


LOST = [("reset", False), ("reset_after", True), ("http_error", False), ("expired_session", False)]


@pytest.mark.parametrize(("kind", "is_done"), LOST)
@pytest.mark.parametrize("operation", ["createJob", "closeJob", "abortJob", "deleteJob"])
def test_a_step_is_done_or_not_when_its_answer_is_lost(
    org: LocalOrg, bulk: Bulk, operation: str, kind: str, is_done: bool
) -> None:
    ask, look = step(operation, bulk)
    before = look()
    plan(org, {"kind": kind, "calls": operation, "times": 1})
    with pytest.raises((requests.ConnectionError, requests.HTTPError, AssertionError)):
        ask()
    again = Bulk(org.url, token(org))
    object.__setattr__(bulk, "token", again.token)
    assert (look() != before) == is_done


@pytest.mark.parametrize(("kind", "status"), [("reset", 201), ("reset_after", 400)])
def test_an_upload_whose_answer_is_lost_may_have_arrived(
    org: LocalOrg, bulk: Bulk, kind: str, status: int
) -> None:
    job = bulk.create("insert")
    plan(org, {"kind": kind, "calls": "uploadJob", "times": 1})
    with pytest.raises(requests.ConnectionError):
        bulk.upload(job, DATA)
    assert bulk.upload(job, DATA).status_code == status


def test_a_job_that_was_created_with_its_data_runs_although_the_answer_is_lost(org: LocalOrg, bulk: Bulk) -> None:
    plan(org, {"kind": "reset_after", "calls": "createJob", "times": 1})
    files = {
        "job": (None, '{"object": "Lead", "operation": "insert"}', "application/json"),
        "content": ("content", "LastName,Company\nLee,x\n", "text/csv"),
    }
    with pytest.raises(requests.ConnectionError):
        bulk.ask("POST", "/jobs/ingest", files=files)
    wait_until(lambda: leads(bulk) == 1)


def test_a_job_is_closed_later_than_its_answer_is_lost(org: LocalOrg, bulk: Bulk) -> None:
    job = bulk.create("insert")
    bulk.upload(job, DATA)
    plan(org, {"kind": "late_commit", "calls": "closeJob", "seconds": 0.5})
    with pytest.raises(requests.ConnectionError):
        bulk.change(job, "UploadComplete")
    assert bulk.info(job)["state"] == "Open"
    assert bulk.ended(job)["numberRecordsProcessed"] == 450


def test_results_are_cut_or_have_too_few_or_many_rows(org: LocalOrg, bulk: Bulk) -> None:
    job = bulk.run("insert", DATA)
    whole = bulk.result(job, "successfulResults")
    plan(org, {"kind": "truncated", "calls": "jobResults"})
    path, plain = f"/jobs/ingest/{job}/successfulResults", {"Accept-Encoding": "identity"}
    assert bulk.ask("GET", path, headers=plain).content.decode() == whole[: len(whole) // 2]
    for numbers, rows in (({"records": 3}, 447), ({"extra": 2}, 452)):
        plan(org, {"kind": "answer_counts", "calls": "jobResults", **numbers})
        assert len(bulk.rows(job, "successfulResults")) == rows
    plan(org, {"kind": "html", "calls": "jobResults", "status": 200})
    assert "maintenance" in bulk.result(job, "failedResults")


def test_a_query_job_fails_or_is_late(org: LocalOrg, bulk: Bulk) -> None:
    def ended(fault: dict[str, object]) -> str:
        plan(org, fault)
        answer = bulk.ask("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Lead"})
        path = f"/jobs/query/{answer.json()['id']}"
        wait_until(lambda: bulk.ask("GET", path).json()["state"] not in ("UploadComplete", "InProgress"))
        return str(bulk.ask("GET", path).json()["state"])

    assert ended({"kind": "job_failed"}) == "Failed"
    assert ended({"kind": "job_aborted"}) == "Aborted"
    assert ended({"kind": "slow", "calls": "processBatch", "seconds": 0.1}) == "JobComplete"


def test_a_job_fails_when_the_database_refuses_its_query(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db") as running:
        bulk = Bulk(running.url, token(running))
        connection = sqlite3.connect(tmp_path / "org.db")
        connection.execute("DROP TABLE Lead")
        connection.close()
        answer = bulk.ask("POST", "/jobs/query", json={"operation": "query", "query": "SELECT Id FROM Lead"})
        path = f"/jobs/query/{answer.json()['id']}"
        wait_until(lambda: bulk.ask("GET", path).json()["state"] == "Failed")
        assert "no such table" in bulk.ask("GET", path).json()["errorMessage"]


def test_calls_are_answered_between_the_chunks_of_jobs(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db", log=tmp_path / "calls.log") as running:
        bulk = Bulk(running.url, token(running))
        data = "LastName,Company\n" + "".join(f"Name {number},x\n" for number in range(2_000))
        jobs = [bulk.create("insert") for _ in range(6)]
        for job in jobs:
            assert bulk.upload(job, data).status_code == 201
        for job in jobs:
            bulk.change(job, "UploadComplete")
        looks = [bulk.info(job) for job in jobs]
        seen = list(looks)
        while looks := [bulk.info(str(look["id"])) for look in looks if look["state"] not in ENDED]:
            seen += looks
    assert [look for look in seen if 0 < int(str(look["numberRecordsProcessed"])) < 2_000]
