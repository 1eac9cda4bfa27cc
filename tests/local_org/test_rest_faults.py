"""Faults of the plan on REST calls: each kind in REST's own form."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .conftest import Rest, record, rest_client, sign_in

ROOT = "/services/data/v66.0"
LEAD = {"LastName": "Ann", "Company": "x"}


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("faulty") / "org.db") as running:
        yield running


@pytest.fixture
def rest(faulty: LocalOrg) -> Iterator[Rest]:
    requests.delete(f"{faulty.url}/faults", timeout=10)
    yield rest_client(faulty)
    requests.delete(f"{faulty.url}/faults", timeout=10)


def plan(local: LocalOrg, **fault: object) -> None:
    answer = requests.put(f"{local.url}/faults", json={"seed": 1, "faults": [fault]}, timeout=10)
    assert answer.status_code == 200, answer.text


def leads(rest: Rest) -> int:
    count: int = rest.get("/query?q=SELECT COUNT() FROM Lead").json()["totalSize"]
    return count


ANSWERED = [
    ("expired_session", 401, "INVALID_SESSION_ID", 0),
    ("server_unavailable", 503, "SERVER_UNAVAILABLE", 0),
    ("lock_row", 400, "UNABLE_TO_LOCK_ROW", 0),
    ("day_limit", 403, "REQUEST_LIMIT_EXCEEDED", 0),
    ("concurrent_limit", 403, "ConcurrentPerOrgLongTxn Limit exceeded", 0),
    ("fault", 500, "UNKNOWN_EXCEPTION", 0),
    ("http_error", 503, "Unavailable", 0),
    ("html", 503, "Scheduled maintenance", 0),
    ("truncated", 201, '{"id":"00Q', 1),
    ("slow", 201, '"success":true', 1),
    ("record_lock", 400, '"errorCode":"UNABLE_TO_LOCK_ROW"', 0),
    ("record_lock_wrapped", 400, "caused by: UNABLE_TO_LOCK_ROW", 0),
    ("record_error", 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", 0),
    ("governor_limit", 400, "Too many SOQL queries: 101", 0),
    ("created_between", 201, '"success":true', 2),
    ("answer_counts", 201, '"success":true', 1),
]


@pytest.mark.parametrize(("kind", "status", "words", "created"), ANSWERED)
def test_a_fault_answers_the_call(
    faulty: LocalOrg, rest: Rest, kind: str, status: int, words: str, created: int
) -> None:
    before = leads(rest)
    plan(faulty, kind=kind, calls="create", at=1, seconds=0.2)
    answer = rest.post("/sobjects/Lead", LEAD)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert leads(rest_client(faulty)) == before + created


BROKEN_OFF = [("reset", 0), ("timeout", 0), ("reset_after", 1), ("late_commit", 1)]


@pytest.mark.parametrize(("kind", "created"), BROKEN_OFF)
def test_a_fault_breaks_the_connection(faulty: LocalOrg, rest: Rest, kind: str, created: int) -> None:
    before = leads(rest)
    plan(faulty, kind=kind, calls="create", times=1, seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        rest.post("/sobjects/Lead", LEAD)
    for _ in range(1_000):
        if leads(rest) == before + created:
            break
    assert leads(rest) == before + created


def test_an_expired_session_stays_expired(faulty: LocalOrg, rest: Rest) -> None:
    plan(faulty, kind="expired_session", calls="query", times=1)
    codes = [rest.get("/query?q=SELECT COUNT() FROM Lead").status_code for _ in range(2)]
    assert codes == [401, 401]


SIGN_INS = [
    ("server_unavailable", 503, "server_unavailable"),
    ("fault", 400, "invalid_grant"),
    ("http_error", 503, "Unavailable"),
    ("html", 503, "Scheduled maintenance"),
    ("truncated", 200, '{"access_token"'),
    ("expired_session", 200, '"access_token"'),
]


@pytest.mark.parametrize(("kind", "status", "words"), SIGN_INS)
def test_a_fault_hits_a_sign_in_by_oauth(faulty: LocalOrg, rest: Rest, kind: str, status: int, words: str) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
    }
    plan(faulty, kind=kind, calls="login", code="INVALID_GRANT", message="authentication failure")
    answer = requests.post(f"{faulty.url}/services/oauth2/token", data=form, timeout=10)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    if kind == "fault":
        assert answer.json() == {"error": "invalid_grant", "error_description": "authentication failure"}


COUNTS = [({}, 2), ({"records": 2}, 1), ({"records": 9}, 0), ({"extra": 2}, 5)]


@pytest.mark.parametrize(("numbers", "results"), COUNTS)
def test_an_answer_has_fewer_or_more_results_than_records(
    faulty: LocalOrg, rest: Rest, numbers: dict[str, int], results: int
) -> None:
    before = leads(rest)
    plan(faulty, kind="answer_counts", calls="create", **numbers)
    sent = [{"attributes": {"type": "Lead"}, **LEAD}] * 3
    answer = rest.post("/composite/sobjects", {"records": sent})
    assert [one["success"] for one in answer.json()] == [True] * results
    soap = sign_in(faulty).call(f"<create>{record('Lead', **LEAD) * 3}</create>")
    assert soap.count("<success>true</success>") == results
    assert leads(rest) == before + 6


@pytest.mark.parametrize(("numbers", "results"), COUNTS)
def test_a_retrieve_finds_fewer_or_more_records_than_asked_for(
    faulty: LocalOrg, rest: Rest, numbers: dict[str, int], results: int
) -> None:
    made: str = rest.post("/sobjects/Lead", LEAD).json()["id"]
    plan(faulty, kind="answer_counts", calls="retrieve", **numbers)
    found = rest.post("/composite/sobjects/Lead", {"ids": [made] * 3, "fields": ["Id"]}).json()
    fields = f"<fieldList>Id</fieldList><sObjectType>Lead</sObjectType>{f'<ids>{made}</ids>' * 3}"
    soap = sign_in(faulty).call(f"<retrieve>{fields}</retrieve>")
    assert (len(found), soap.count("<result ")) == (results, results)


def test_a_governor_limit_refuses_whole_collections(faulty: LocalOrg, rest: Rest) -> None:
    plan(faulty, kind="governor_limit", calls="create", records=2)
    sent = [{"attributes": {"type": "Lead"}, **LEAD}] * 3
    refused = rest.post("/composite/sobjects", {"records": sent}).json()
    assert [one["errors"][0]["statusCode"] for one in refused] == ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"] * 3
    assert [one["success"] for one in rest.post("/composite/sobjects", {"records": sent[:2]}).json()] == [
        True,
        True,
    ]


POST = {"method": "POST", "referenceId": "a"}
COMPOSITES: list[tuple[str, object]] = [
    ("/composite", {"compositeRequest": [{**POST, "url": f"{ROOT}/sobjects/Lead", "body": LEAD}]}),
    ("/composite/batch", {"batchRequests": [{**POST, "url": "v66.0/sobjects/Lead", "richInput": LEAD}]}),
    ("/composite/tree/Lead", {"records": [{"attributes": {"type": "Lead", "referenceId": "a"}, **LEAD}]}),
]


@pytest.mark.parametrize(("path", "body"), COMPOSITES)
def test_the_records_of_a_composite_request_are_refused(
    faulty: LocalOrg, rest: Rest, path: str, body: object
) -> None:
    before = leads(rest)
    plan(faulty, kind="record_error", calls="composite", message="Budget first")
    assert "Budget first" in rest.post(path, body).text
    assert leads(rest) == before


OPERATIONS = [
    ("create", "POST", "/sobjects/Lead"),
    ("update", "PATCH", "/sobjects/Lead/00Q000000000001AAA"),
    ("delete", "DELETE", "/sobjects/Lead/00Q000000000001AAA"),
    ("retrieve", "GET", "/sobjects/Lead/00Q000000000001AAA"),
    ("upsert", "PATCH", "/sobjects/Lead/Email/a@b.test"),
    ("query", "GET", "/query?q=SELECT Id FROM Lead"),
    ("queryAll", "GET", "/queryAll?q=SELECT Id FROM Lead"),
    ("queryMore", "GET", "/query/01g000000000001-2000"),
    ("describeSObject", "GET", "/sobjects/Lead/describe"),
    ("describeGlobal", "GET", "/sobjects"),
]


@pytest.mark.parametrize(("operation", "method", "path"), OPERATIONS)
def test_calls_are_named_as_in_soap(faulty: LocalOrg, rest: Rest, operation: str, method: str, path: str) -> None:
    plan(faulty, kind="fault", calls=operation, code="UNABLE_TO_LOCK_ROW", message="hit")
    answer = rest.send(method, path, {} if method in ("POST", "PATCH") else None)
    assert answer.json() == [{"message": "hit", "errorCode": "UNABLE_TO_LOCK_ROW"}]


def test_calls_that_were_not_executed_are_logged(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db", log=tmp_path / "calls.log") as local:
        rest = rest_client(local)
        plan(local, kind="reset", calls="create", at=1)
        with pytest.raises(requests.ConnectionError):
            rest.post("/sobjects/Lead", LEAD)
        plan(local, kind="record_error", calls="create", at=1)
        rest.post("/sobjects/Lead", LEAD)
        sent = {"attributes": {"type": "Lead"}}
        rest.post("/composite/sobjects", {"records": [{**sent, **LEAD}, sent, {**sent, **LEAD}]})
    logged = [json.loads(line) for line in (tmp_path / "calls.log").read_text().splitlines()]
    found = [(call["operation"], call["outcome"], call["fault"], call["records"]) for call in logged]
    assert found[-3:] == [
        ("REST POST", "not done", "reset", 0),
        ("REST POST", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "record_error", 0),
        ("REST POST", "1 refused", "", 3),
    ]
    assert not re.search("Ann", (tmp_path / "calls.log").read_text())


def test_calls_that_the_database_refuses_are_logged_with_their_error(tmp_path: Path) -> None:
    with start_local_org(tmp_path / "org.db", log=tmp_path / "calls.log") as local:
        rest, client = rest_client(local), sign_in(local)
        connection = sqlite3.connect(tmp_path / "org.db")
        connection.execute("DROP TABLE Lead")
        connection.close()
        assert rest.post("/sobjects/Lead", LEAD).status_code == 503
        assert "SERVER_UNAVAILABLE" in client.call(f"<create>{record('Lead', **LEAD)}</create>")
    logged = [json.loads(line) for line in (tmp_path / "calls.log").read_text().splitlines()]
    found = [(call["operation"], call["outcome"]) for call in logged]
    assert found[-2:] == [("REST POST", "SERVER_UNAVAILABLE"), ("create", "SERVER_UNAVAILABLE")]
