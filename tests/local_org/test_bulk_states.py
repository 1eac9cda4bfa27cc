"""The life of a bulk job: one upload, closed or aborted once, listed, deleted, and there after a restart."""

import gzip
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .bulk import Bulk, plan, token
from .test_faults import wait_until

DATA = "LastName,Company\nLee,x\nRay,\n"
SLOW = {"kind": "slow", "calls": "processBatch", "seconds": 15}


@pytest.fixture
def bulk(org: LocalOrg) -> Iterator[Bulk]:
    yield Bulk(org.url, token(org))
    plan(org)


def code(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()[0]["errorCode"]


def opened(bulk: Bulk) -> str:
    return bulk.create("insert")


def uploaded(bulk: Bulk) -> str:
    job = bulk.create("insert")
    assert bulk.upload(job, DATA).status_code == 201
    return job


def in_progress(bulk: Bulk) -> str:
    requests.put(f"{bulk.url}/faults", json={"faults": [SLOW]}, timeout=10)
    job = uploaded(bulk)
    bulk.change(job, "UploadComplete")
    wait_until(lambda: bulk.info(job)["state"] == "InProgress")
    return job


def complete(bulk: Bulk) -> str:
    return bulk.run("insert", DATA)


def failed(bulk: Bulk) -> str:
    return bulk.run("insert", "Foo\n1\n")


def aborted(bulk: Bulk) -> str:
    job = uploaded(bulk)
    assert bulk.change(job, "Aborted").status_code == 200
    return job


JOBS = {
    "Open": opened,
    "Uploaded": uploaded,
    "JobComplete": complete,
    "Failed": failed,
    "Aborted": aborted,
    "InProgress": in_progress,  # last, since the next job waits for it
}
# By what is asked: the states in which the org does it, and what it answers otherwise.
ALLOWED = {
    "close": ("Open", "Uploaded"),
    "abort": ("Open", "Uploaded", "InProgress"),
    "upload": ("Open",),
    "results": ("JobComplete", "Failed", "Aborted"),
    "delete": ("JobComplete", "Failed", "Aborted"),
}
REFUSED = {("upload", "Uploaded"): "INVALIDJOB"}
ASKED = {
    "close": lambda bulk, job: bulk.change(job, "UploadComplete"),
    "abort": lambda bulk, job: bulk.change(job, "Aborted"),
    "upload": lambda bulk, job: bulk.upload(job, DATA),
    "results": lambda bulk, job: bulk.ask("GET", f"/jobs/ingest/{job}/successfulResults"),
    "delete": lambda bulk, job: bulk.ask("DELETE", f"/jobs/ingest/{job}"),
}


@pytest.mark.parametrize("state", JOBS)
@pytest.mark.parametrize("asked", ASKED)
def test_each_request_is_allowed_in_its_states(bulk: Bulk, asked: str, state: str) -> None:
    job = JOBS[state](bulk)
    answer = ASKED[asked](bulk, job)
    if state in ALLOWED[asked]:
        assert answer.status_code in (200, 201, 204), answer.text
    else:
        assert code(answer) == (400, REFUSED.get((asked, state), "INVALIDJOBSTATE"))
    bulk.change(job, "Aborted")


def test_a_second_upload_spoils_the_job(bulk: Bulk) -> None:
    job = uploaded(bulk)
    second = bulk.upload(job, DATA)
    assert "Found multiple contents" in second.json()[0]["message"]
    assert code(bulk.change(job, "UploadComplete")) == (400, "INVALIDJOB")
    assert bulk.change(job, "Aborted").json()["state"] == "Aborted"


def test_an_aborted_job_returns_its_rows_as_unprocessed(bulk: Bulk) -> None:
    job = aborted(bulk)
    head, *rows = bulk.result(job, "unprocessedrecords").splitlines()
    assert (head, sorted(rows)) == ("LastName,Company", ['"Lee","x"', '"Ray",""'])
    assert bulk.rows(job, "successfulResults") == bulk.rows(job, "failedResults") == []
    assert (bulk.info(job)["numberRecordsProcessed"], bulk.info(job)["numberRecordsFailed"]) == (0, 0)


def test_results_have_another_order_than_the_upload(bulk: Bulk) -> None:
    rows = [f'"Name {number}","x"' for number in range(300)]
    job = bulk.run("insert", "LastName,Company\n" + "\n".join(rows) + "\n")
    _, *results = bulk.result(job, "successfulResults").splitlines()
    sent = [row.split(",", 2)[2] for row in results]
    assert sorted(sent) == sorted(rows)
    assert sent != rows
    assert bulk.result(job, "successfulResults").splitlines()[1:] == results


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"object": "Foo", "operation": "insert"}, "INVALIDENTITY"),
        ({"object": "Lead", "operation": "merge"}, "INVALIDOPERATION"),
        ({"object": "Lead", "operation": "upsert"}, "INVALIDJOB"),
        ({"object": "Lead", "operation": "upsert", "externalIdFieldName": "City"}, "INVALIDJOB"),
        ({"object": "Lead", "operation": "insert", "label": "mine"}, "JSON_PARSER_ERROR"),
        ({"object": "Lead", "operation": "insert", "columnDelimiter": "SPACE"}, "JSON_PARSER_ERROR"),
        ({"object": "Lead", "operation": "insert", "contentType": "XML"}, "JSON_PARSER_ERROR"),
        ({"object": "Lead", "operation": 1}, "JSON_PARSER_ERROR"),
        ([], "JSON_PARSER_ERROR"),
    ],
)
def test_a_wrong_job_is_not_created(bulk: Bulk, body: object, expected: str) -> None:
    assert code(bulk.ask("POST", "/jobs/ingest", json=body)) == (400, expected)


def multipart(bulk: Bulk, job: dict[str, str], content: str) -> requests.Response:
    files = {
        "job": (None, json.dumps(job), "application/json"),
        "content": ("content", content, "text/csv"),
    }
    return bulk.ask("POST", "/jobs/ingest", files=files)


def test_a_multipart_request_creates_uploads_and_closes(bulk: Bulk) -> None:
    job = {"object": "Lead", "operation": "insert", "lineEnding": "CRLF"}
    created = multipart(bulk, job, 'LastName,Company\r\n"Lee\r\n",x\r\n').json()
    assert created["state"] == "UploadComplete"
    assert bulk.ended(created["id"])["numberRecordsProcessed"] == 1
    assert bulk.rows(created["id"], "successfulResults")[0]["LastName"] == "Lee\r\n"
    assert code(multipart(bulk, job, "x" * 100_001)) == (400, "INVALIDJOB")
    assert code(bulk.ask("POST", "/jobs/ingest", files={"job": (None, "{}")})) == (400, "INVALIDJOB")


def test_unknown_jobs_are_not_found(bulk: Bulk) -> None:
    for job in ("750000000009999AAA", "nothing", "00Q000000000001AAA"):
        assert code(bulk.ask("GET", f"/jobs/ingest/{job}")) == (404, "NOT_FOUND")
        assert code(bulk.upload(job, DATA)) == (404, "NOT_FOUND")
    job = complete(bulk)
    assert bulk.info(job[:15])["id"] == job
    assert bulk.ask("GET", f"/jobs/ingest/{job}/other").status_code == 404
    assert code(bulk.ask("PATCH", f"/jobs/ingest/{job}", json={"state": "Open"})) == (400, "INVALIDJOBSTATE")
    bulk.ask("DELETE", f"/jobs/ingest/{job}/")
    assert code(bulk.ask("GET", f"/jobs/ingest/{job}/")) == (404, "NOT_FOUND")


def test_an_upload_may_be_compressed(bulk: Bulk) -> None:
    job = bulk.create("insert")
    headers = {"Content-Type": "text/csv; charset=UTF-8", "Content-Encoding": "gzip"}
    path = f"/jobs/ingest/{job}/batches/"
    assert bulk.ask("PUT", path, data=gzip.compress(DATA.encode()), headers=headers).status_code == 201
    bulk.change(job, "UploadComplete")
    assert bulk.ended(job)["numberRecordsProcessed"] == 2


def test_an_upload_over_the_limit_is_refused(bulk: Bulk) -> None:
    job = bulk.create("insert")
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    largest = gzip.compress(bytes(113 * 1024 * 1024), 1)
    answer = bulk.ask("PUT", f"/jobs/ingest/{job}/batches", data=largest, headers=headers)
    assert answer.status_code == 413
    assert bulk.upload(job, DATA).status_code == 201


def test_results_are_compressed_for_those_who_accept_it(bulk: Bulk) -> None:
    rows = "".join(f"Name {number},x\n" for number in range(100))
    job = bulk.run("insert", f"LastName,Company\n{rows}")
    path = f"/jobs/ingest/{job}/successfulResults"
    small, plain = (
        bulk.ask("GET", path, headers={"Accept-Encoding": accepted}) for accepted in ("gzip", "identity")
    )
    assert "Content-Encoding" not in plain.headers
    assert (small.headers["Content-Encoding"], small.content) == ("gzip", plain.content)


def test_older_versions_have_no_such_jobs(bulk: Bulk) -> None:
    job = {"object": "Lead", "operation": "insert"}
    made = bulk.create("insert")
    old, older = Bulk(bulk.url, bulk.token, "46.0"), Bulk(bulk.url, bulk.token, "40.0")
    assert older.ask("POST", "/jobs/ingest", json=job).status_code == 404
    assert older.ask("GET", "/jobs/ingest").status_code == 404
    assert older.ask("GET", f"/jobs/ingest/{made}").status_code == 404
    assert old.ask("GET", f"/jobs/ingest/{made}").status_code == 200
    assert old.ask("GET", "/jobs/query").status_code == 404
    query = {"operation": "query", "query": "SELECT Id FROM Lead"}
    assert old.ask("POST", "/jobs/query", json=query).status_code == 404


@contextmanager
def killed_at_the_end(database: Path) -> Iterator[LocalOrg]:
    command = [sys.executable, "-P", "-m", "sfmap.engine.local_org", "--db", str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield LocalOrg(json.loads(process.stdout.readline())["url"])
        finally:
            process.kill()


def test_jobs_are_there_after_a_restart_and_old_ones_are_cleaned_up(tmp_path: Path) -> None:
    database = tmp_path / "org.db"
    with killed_at_the_end(database) as org:
        bulk = Bulk(org.url, token(org))
        requests.put(f"{bulk.url}/faults", json={"faults": [{**SLOW, "at": 2}]}, timeout=10)
        rows = "".join(f"Name {number},x\n" for number in range(450))
        running = bulk.create("insert")
        bulk.upload(running, f"LastName,Company\n{rows}")
        bulk.change(running, "UploadComplete")
        wait_until(lambda: bulk.info(running)["numberRecordsProcessed"] == 200)
        jobs = [opened(bulk), opened(bulk), opened(bulk)]
    connection = sqlite3.connect(database)
    for job, hours in zip(jobs, (23, 25, 24 * 8), strict=True):
        number = "SELECT number FROM sfmap_bulk_jobs ORDER BY number LIMIT 1 OFFSET ?"
        moment = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now', ?)"
        change = f"UPDATE sfmap_bulk_jobs SET created = {moment} WHERE number = ({number})"
        connection.execute(change, [f"-{hours} hours", 1 + jobs.index(job)])
    usage = [("DailyBulkApiBatches",)] * 15_000 + [("DailyBulkV2QueryJobs",)] * 10_000
    at = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-23 hours')"
    connection.executemany(f"INSERT INTO sfmap_bulk_usage VALUES ({at}, ?)", usage)
    connection.commit()
    connection.close()
    with start_local_org(database) as org:
        bulk = Bulk(org.url, token(org))
        assert bulk.ended(running)["numberRecordsProcessed"] == 450
        assert len(bulk.rows(running, "successfulResults")) == 450
        assert bulk.query("SELECT COUNT(Id) n FROM Lead") == [{"n": 450}]
        assert [bulk.info(job).get("state") for job in jobs[:2]] == ["Open", "Aborted"]
        assert bulk.ask("GET", f"/jobs/ingest/{jobs[2]}").status_code == 404
        over = bulk.run("insert", DATA)
        assert str(bulk.info(over)["errorMessage"]).startswith("ExceededQuota : ")
        assert len(bulk.rows(over, "unprocessedrecords")) == 2
        query = {"operation": "query", "query": "SELECT Id FROM Lead"}
        assert code(bulk.ask("POST", "/jobs/query", json=query)) == (400, "EXCEEDEDQUOTA")


def test_jobs_are_listed_page_by_page(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db") as org:
        bulk = Bulk(org.url, token(org))
        first = bulk.create("upsert", externalIdFieldName="Id")
    connection = sqlite3.connect(tmp_path / "org.db")
    columns = [row[1] for row in connection.execute("PRAGMA table_info(sfmap_bulk_jobs)")][1:]
    names = ", ".join(columns)
    for _ in range(11):
        copy = f"INSERT INTO sfmap_bulk_jobs ({names}) SELECT {names} FROM sfmap_bulk_jobs LIMIT 1000"
        connection.execute(copy)
    connection.commit()
    (total,) = connection.execute("SELECT count(*) FROM sfmap_bulk_jobs").fetchone()
    connection.close()
    with start_local_org(tmp_path / "org.db") as org:
        bulk = Bulk(org.url, token(org))
        page = bulk.ask("GET", "/jobs/ingest", params={"jobType": "V2Ingest"}).json()
        entries = list(page["records"])
        assert (len(entries), page["done"]) == (1000, False)
        while not page["done"]:
            following = requests.get(
                bulk.url + page["nextRecordsUrl"], headers={"Authorization": f"Bearer {bulk.token}"}, timeout=30
            )
            page = following.json()
            entries += page["records"]
        ids = [entry["id"] for entry in entries]
        assert len(set(ids)) == len(ids) == total
        assert ids != sorted(ids)
        (own,) = (entry for entry in entries if entry["id"] == first)
        assert "externalIdFieldName" not in own
        assert (own["state"], own["object"], own["operation"]) == ("Open", "Lead", "upsert")
        none = bulk.ask("GET", "/jobs/ingest", params={"jobType": "Classic"}).json()
        assert (none["records"], none["done"], none["nextRecordsUrl"]) == ([], True, None)
