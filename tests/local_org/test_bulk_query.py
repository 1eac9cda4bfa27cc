"""Query jobs of Bulk API 2.0: their results page by page, and what they cannot query."""

import base64
from collections.abc import Iterator

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .bulk import ENDED, Bulk, token
from .test_faults import wait_until


@pytest.fixture(scope="module")
def bulk(org: LocalOrg) -> Bulk:
    bulk = Bulk(org.url, token(org))
    leads = "".join(f'Lead {number},"a ""b"", c",{number}.5,true,\n' for number in range(5))
    bulk.run("insert", f"LastName,Company,Score__c,Vip__c,City\n{leads}")
    account = bulk.run("insert", "Name\nAcme\n", "Account")
    account_id = bulk.rows(account, "successfulResults")[0]["sf__Id"]
    bulk.run("insert", f"LastName,AccountId\nLee,{account_id}\nRay,\n", "Contact")
    return bulk


@pytest.fixture(scope="module")
def long_query(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bulk, str]]:
    """A query job with rows in several chunks."""
    with start_local_org(tmp_path_factory.mktemp("long") / "org.db") as running:
        bulk = Bulk(running.url, token(running))
        bulk.run("insert", "LastName,Company\n" + "".join(f"{number:04},x\n" for number in range(2_500)))
        yield bulk, run(bulk, "SELECT LastName FROM Lead ORDER BY LastName")


def create(bulk: Bulk, query: str, **more: str) -> requests.Response:
    return bulk.ask("POST", "/jobs/query", json={"operation": "query", "query": query, **more})


def run(bulk: Bulk, query: str, **more: str) -> str:
    created = create(bulk, query, **more)
    assert created.status_code == 200, created.text
    job = str(created.json()["id"])
    wait_until(lambda: bulk.ask("GET", f"/jobs/query/{job}").json()["state"] in ENDED)
    return job


def results(bulk: Bulk, job: str, **query: object) -> requests.Response:
    return bulk.ask("GET", f"/jobs/query/{job}/results", params=query)


def test_a_query_job_gives_its_rows_as_csv(bulk: Bulk) -> None:
    created = create(bulk, "SELECT Name FROM Lead").json()
    assert (created["id"][:3], created["state"], created["object"]) == ("750", "UploadComplete", "Lead")
    job = run(bulk, "SELECT LastName, Company, Score__c, Vip__c, City FROM Lead ORDER BY LastName LIMIT 2")
    info = bulk.ask("GET", f"/jobs/query/{job}").json()
    assert (info["state"], info["numberRecordsProcessed"], info["jobType"]) == ("JobComplete", 2, "V2Query")
    answer = results(bulk, job)
    assert answer.text == (
        '"LastName","Company","Score__c","Vip__c","City"\n'
        '"Lead 0","a ""b"", c","0.5","true",""\n'
        '"Lead 1","a ""b"", c","1.5","true",""\n'
    )
    assert answer.headers["Sforce-NumberOfRecords"] == "2"
    assert answer.headers["Sforce-Locator"] == "null"
    assert answer.headers["Content-Type"] == "text/csv"


def test_parents_are_columns_in_the_dialect_of_the_job(bulk: Bulk) -> None:
    job = run(
        bulk,
        "SELECT LastName, Account.Name FROM Contact ORDER BY LastName",
        columnDelimiter="PIPE",
        lineEnding="CRLF",
    )
    assert results(bulk, job).content == b'"LastName"|"Account.Name"\r\n"Lee"|"Acme"\r\n"Ray"|""\r\n'


def test_results_are_fetched_in_pages(bulk: Bulk) -> None:
    job = run(bulk, "SELECT LastName FROM Lead ORDER BY LastName")
    pages, locator = [], ""
    while locator != "null":
        page = results(bulk, job, maxRecords=2, **({"locator": locator} if locator else {}))
        header, *rows = page.text.splitlines()
        assert header == '"LastName"'
        assert len(rows) == int(page.headers["Sforce-NumberOfRecords"])
        pages.append(rows)
        locator = page.headers["Sforce-Locator"]
    assert pages == [['"Lead 0"', '"Lead 1"'], ['"Lead 2"', '"Lead 3"'], ['"Lead 4"']]
    assert results(bulk, job, locator="?").json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert results(bulk, job, maxRecords="none").status_code == 400


@pytest.mark.parametrize(("start", "most"), [(0, 999), (998, 5), (1000, 1), (1999, 1000), (2400, 500), (9, 9999)])
def test_a_page_has_the_rows_that_it_names(long_query: tuple[Bulk, str], start: int, most: int) -> None:
    bulk, job = long_query
    locator = base64.b64encode(str(start).encode()).decode()
    page = results(bulk, job, locator=locator, maxRecords=most)
    expected = [f'"{number:04}"' for number in range(2_500)][start : start + most]
    assert page.text.splitlines()[1:] == expected
    end = start + len(expected)
    following = page.headers["Sforce-Locator"]
    assert (following == "null") == (end == 2_500)
    assert results(bulk, job, locator=following, maxRecords=1).status_code == (400 if following == "null" else 200)


def test_a_query_of_nothing_has_a_header(bulk: Bulk) -> None:
    job = run(bulk, "SELECT Id FROM Lead WHERE LastName = 'GROUP BY'")
    assert results(bulk, job).text == '"Id"\n'


DIGITS = "9" * 5_000
WRONG_PLACES = [
    ("results", {"locator": base64.b64encode(b"-5").decode()}, "INVALID_QUERY_LOCATOR"),
    ("results", {"locator": base64.b64encode(DIGITS.encode()).decode()}, "INVALID_QUERY_LOCATOR"),
    ("results", {"locator": base64.b64encode(b"\xff").decode()}, "INVALID_QUERY_LOCATOR"),
    ("results", {"maxRecords": DIGITS}, "API_ERROR"),
    ("results", {"maxRecords": "0"}, "API_ERROR"),
    ("", {"queryLocator": DIGITS}, "INVALID_QUERY_LOCATOR"),
    ("", {"queryLocator": str(2**70)}, "INVALID_QUERY_LOCATOR"),
    ("", {"queryLocator": "-1"}, "INVALID_QUERY_LOCATOR"),
]


@pytest.mark.parametrize(("what", "asked", "code"), WRONG_PLACES)
def test_a_page_has_a_place_and_a_size(bulk: Bulk, what: str, asked: dict[str, str], code: str) -> None:
    path = f"/jobs/query/{run(bulk, 'SELECT Id FROM Lead')}/results" if what else "/jobs/query"
    answer = bulk.ask("GET", path, params=asked)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code), answer.text


@pytest.mark.parametrize("job", ["750zzzzzzzzzzzz", "750000000009999AAA", "001000000000001", "x"])
def test_an_unknown_job_is_not_found(bulk: Bulk, job: str) -> None:
    assert bulk.ask("GET", f"/jobs/query/{job}").status_code == 404


REFUSED = [
    ("SELECT City FROM Lead GROUP BY City", "API_ERROR"),
    ("SELECT COUNT() FROM Lead", "API_ERROR"),
    ("SELECT MAX(Score__c) FROM Lead", "API_ERROR"),
    ("SELECT Name FROM Lead LIMIT 1 OFFSET 2", "API_ERROR"),
    ("SELECT Name, (SELECT LastName FROM Contacts) FROM Account", "API_ERROR"),
    ("SELECT TYPEOF Who WHEN Lead THEN Company END FROM Task", "API_ERROR"),
    ("SELECT FIELDS(ALL) FROM Lead LIMIT 200", "API_ERROR"),
    ("SELECT Foo FROM Lead", "INVALID_FIELD"),
    ("SELECT FROM Lead", "MALFORMED_QUERY"),
    ("SELECT Id FROM Foo", "INVALID_TYPE"),
]


@pytest.mark.parametrize(("query", "code"), REFUSED)
def test_a_query_is_refused(bulk: Bulk, query: str, code: str) -> None:
    answer = create(bulk, query)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, code)


def test_query_jobs_are_listed_and_deleted(bulk: Bulk) -> None:
    job = run(bulk, "SELECT Id FROM Lead")
    assert bulk.ask("PATCH", f"/jobs/query/{job}", json={"state": "Aborted"}).status_code == 400
    listed = bulk.ask("GET", "/jobs/query").json()
    assert job in [one["id"] for one in listed["records"]]
    assert {one["jobType"] for one in listed["records"]} == {"V2Query"}
    assert bulk.ask("GET", f"/jobs/ingest/{job}").status_code == 404
    assert bulk.ask("DELETE", f"/jobs/query/{job}").status_code == 204
    assert bulk.ask("GET", f"/jobs/query/{job}").status_code == 404


def test_deleted_records_are_queried_by_query_all(bulk: Bulk) -> None:
    made = bulk.run("insert", "LastName,Company\nGone,x\n")
    bulk.run("delete", f"Id\n{bulk.rows(made, 'successfulResults')[0]['sf__Id']}\n")
    query = "SELECT LastName FROM Lead WHERE LastName = 'Gone'"
    assert results(bulk, run(bulk, query)).text == '"LastName"\n'
    assert results(bulk, run(bulk, query, operation="queryAll")).text == '"LastName"\n"Gone"\n'
