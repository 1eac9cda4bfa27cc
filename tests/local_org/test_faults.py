"""Faults: each kind hits the calls that it is meant for, and does what it says."""

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.faults.fault_plan import OPERATIONS, read_fault_plan
from sfmap.engine.local_org.process import LocalOrg, LocalOrgFailed, start_local_org
from sfmap.engine.yaml_files.diagnostics import Source

from .conftest import Client, record, sign_in

LEADS = record("Lead", LastName="Ann", Company="x") + record("Lead", LastName="Bob", Company="x")
CREATE = f"<create>{LEADS}</create>"


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("faulty") / "org.db") as running:
        yield running


def plan(local: LocalOrg, *faults: dict[str, object], seed: int = 1) -> None:
    answer = requests.put(f"{local.url}/faults", json={"seed": seed, "faults": faults}, timeout=10)
    assert answer.status_code == 200, answer.text


def leads(client: Client) -> int:
    answer = client.call("<query><queryString>SELECT COUNT() FROM Lead</queryString></query>")
    return int("".join(re.findall("<size>(.*?)</size>", answer)))


ANSWERED = [
    ("expired_session", "sf:INVALID_SESSION_ID", 0),
    ("server_unavailable", "sf:SERVER_UNAVAILABLE", 0),
    ("lock_row", "sf:UNABLE_TO_LOCK_ROW", 0),
    ("day_limit", "TotalRequests Limit exceeded", 0),
    ("concurrent_limit", "ConcurrentPerOrgLongTxn Limit exceeded", 0),
    ("http_error", "Unavailable", 0),
    ("html", "Scheduled maintenance", 0),
    ("truncated", "<LimitInfoHeader>", 2),
    ("slow", "<success>true</success>", 2),
    ("record_lock", "<statusCode>UNABLE_TO_LOCK_ROW</statusCode>", 0),
    ("record_lock_wrapped", "caused by: UNABLE_TO_LOCK_ROW", 0),
    ("record_error", "<statusCode>FIELD_CUSTOM_VALIDATION_EXCEPTION</statusCode>", 0),
    ("created_between", "<success>true</success>", 4),
]


@pytest.mark.parametrize(("kind", "words", "created"), ANSWERED)
def test_a_fault_answers_the_call(faulty: LocalOrg, kind: str, words: str, created: int) -> None:
    client = sign_in(faulty)
    before = leads(client)
    plan(faulty, {"kind": kind, "calls": "create", "at": 1, "seconds": 0.2})
    answer = client.call(CREATE)
    assert words in answer
    assert ("</soapenv:Envelope>" in answer) == (kind not in ("truncated", "http_error", "html"))
    assert leads(sign_in(faulty)) == before + created


BROKEN_OFF = [("reset", 0), ("timeout", 0), ("reset_after", 2), ("late_commit", 2)]


@pytest.mark.parametrize(("kind", "created"), BROKEN_OFF)
def test_a_fault_breaks_the_connection(faulty: LocalOrg, kind: str, created: int) -> None:
    client = sign_in(faulty)
    before = leads(client)
    plan(faulty, {"kind": kind, "calls": "create", "times": 1, "seconds": 2})
    with pytest.raises(requests.ConnectionError):
        client.call(CREATE)
    if kind == "late_commit":
        assert leads(client) == before
        wait_until(lambda: leads(client) != before)
    assert leads(client) == before + created


def test_a_late_call_is_done_although_its_session_has_ended_meanwhile(faulty: LocalOrg) -> None:
    client = sign_in(faulty)
    before = leads(client)
    late = {"kind": "late_commit", "calls": "create", "times": 1, "seconds": 1}
    plan(faulty, late, {"kind": "expired_session", "calls": "query", "times": 1})
    with pytest.raises(requests.ConnectionError):
        client.call(CREATE)
    assert "INVALID_SESSION_ID" in client.call("<query><queryString>SELECT Id FROM Lead</queryString></query>")
    again = sign_in(faulty)
    wait_until(lambda: leads(again) == before + 2)


def test_the_org_is_down_for_a_while(faulty: LocalOrg) -> None:
    client = sign_in(faulty)
    plan(faulty, {"kind": "down", "seconds": 3, "times": 1})
    with pytest.raises(requests.ConnectionError):
        client.call(CREATE)
    with pytest.raises(requests.ConnectionError, match="refused"):
        client.call(CREATE)
    wait_until(lambda: answers(client))
    assert "<success>true</success>" in client.call(CREATE)


def wait_until(look: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not look():
        assert time.monotonic() < until
        time.sleep(0.05)


def answers(client: Client) -> bool:
    try:
        client.call("<getUserInfo/>")
    except requests.ConnectionError:
        return False
    return True


def test_a_record_is_deleted_before_its_update(faulty: LocalOrg) -> None:
    client = sign_in(faulty)
    (created,) = re.findall(
        "<id>(.*?)</id>", client.call(f"<create>{record('Lead', LastName='C', Company='x')}</create>")
    )
    plan(faulty, {"kind": "deleted_between", "calls": "update"})
    answer = client.call(f"<update>{record('Lead', Id=created, City='Rome')}</update>")
    assert "<statusCode>ENTITY_IS_DELETED</statusCode>" in answer


def test_a_fault_refuses_a_share_of_records_with_a_given_code(faulty: LocalOrg) -> None:
    client = sign_in(faulty)
    error = {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Budget first"}
    plan(faulty, {"kind": "record_error", "share": 0.3, **error})
    answer = client.call(f"<create>{LEADS * 50}</create>")
    assert 15 <= answer.count("<message>Budget first</message>") <= 45
    assert answer.count("<result>") == 100


def test_the_same_seed_hits_the_same_calls(faulty: LocalOrg) -> None:
    client = sign_in(faulty)

    def hits(seed: int) -> list[bool]:
        plan(faulty, {"kind": "server_unavailable", "calls": "getUserInfo", "probability": 0.5}, seed=seed)
        return ["SERVER_UNAVAILABLE" in client.call("<getUserInfo/>") for _ in range(40)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    plan(
        faulty,
        {"kind": "server_unavailable", "calls": "getUserInfo", "at": [2, 4]},
        {"kind": "slow", "seconds": 0},
    )
    assert ["SERVER_UNAVAILABLE" in client.call("<getUserInfo/>") for _ in range(5)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    counted = requests.get(f"{faulty.url}/faults", timeout=10).json()["faults"]
    assert counted == [
        {"kind": "server_unavailable", "calls": 5, "struck": 2},
        {"kind": "slow", "calls": 3, "struck": 3},
    ]
    cleared = requests.delete(f"{faulty.url}/faults", timeout=10).json()
    assert cleared == {"faults": []}


def times_of_calls(seconds: str, seed: int) -> list[float]:
    source = Source("faults.yaml", f"{{seed: {seed}, faults: [{{kind: slow, seconds: {seconds}}}]}}")
    faults = read_fault_plan(source)
    return [fault.seconds for _ in range(50) if (fault := faults.fault_for("create"))]


def test_a_fault_takes_another_time_for_each_call() -> None:
    times = times_of_calls("[0.2, 3]", seed=1)
    assert len(set(times)) == 50
    assert 0.2 <= min(times) < 1
    assert 2 < max(times) <= 3
    assert times == times_of_calls("[0.2, 3]", seed=1) != times_of_calls("[0.2, 3]", seed=2)
    assert times_of_calls("0.2", seed=1) == times_of_calls("[0.2, 0.2]", seed=1) == [0.2] * 50


def test_a_slow_call_takes_the_least_time_that_it_may_take(faulty: LocalOrg) -> None:
    client = sign_in(faulty)
    plan(faulty, {"kind": "slow", "calls": "getUserInfo", "seconds": [0.2, 0.3]})
    started = time.monotonic()
    assert "<userId>" in client.call("<getUserInfo/>")
    assert time.monotonic() - started >= 0.2


WRONG = [
    ("faults: [{kind: explode}]", "kind must be"),
    ("faults: [{kind: slow, probability: 2}]", "a number from 0 to 1"),
    ("faults: [{kind: slow, at: 0}]", "a whole number above 0"),
    ("faults: [{calls: create}]", 'needs the key "kind"'),
    ("faults: [{kind: slow, calls: craete}]", 'did you mean "create"'),
    ("faults: [{kind: http_error, status: 99}]", "from 400 to 599"),
    ("faults: [{kind: http_error, status: 204}]", "from 400 to 599"),
    ("faults: 7", "must be a table"),
    ("faults: [{kind: slow, seconds: long}]", "seconds must be a number from 0 to 86400, or two"),
    ("faults: [{kind: slow, seconds: [0, -1]}]", "a number from 0 to 86400, or two"),
    ("faults: [{kind: slow, seconds: true}]", "a number from 0 to 86400, or two"),
    ("faults: [{kind: slow, seconds: [3, 0.2]}]", "at least and at most"),
    ("faults: [{kind: slow, seconds: [1, 2, 3]}]", "at least and at most"),
    ("fault: []", 'has no key "fault"'),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_an_invalid_fault_plan_is_refused(faulty: LocalOrg, tmp_path: Path, text: str, words: str) -> None:
    answer = requests.put(f"{faulty.url}/faults", data=text.encode(), timeout=10)
    assert (answer.status_code, words in answer.text) == (400, True), answer.text
    (tmp_path / "faults.yaml").write_text(text)
    with (
        pytest.raises(LocalOrgFailed, match=re.escape(words)),
        start_local_org(tmp_path / "org.db", faults=tmp_path / "faults.yaml"),
    ):
        pass


def test_a_fault_plan_is_read_from_a_file_and_its_faults_are_logged(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("faults:\n  - {kind: reset, calls: [create, update], at: 2}\n")
    with start_local_org(
        tmp_path / "org.db", faults=tmp_path / "faults.yaml", log=tmp_path / "calls.log"
    ) as local:
        client = sign_in(local)
        client.call(CREATE)
        with pytest.raises(requests.ConnectionError):
            client.call(CREATE)
        assert leads(client) == 2
    logged = [json.loads(line) for line in (tmp_path / "calls.log").read_text().splitlines()]
    assert [(call["operation"], call["outcome"], call["fault"]) for call in logged] == [
        ("login", "ok", ""),
        ("create", "ok", ""),
        ("create", "not done", "reset"),
        ("query", "ok", ""),
    ]


def test_every_operation_of_soap_can_be_named(faulty: LocalOrg) -> None:
    wsdl = requests.get(f"{faulty.url}/services/Soap/u/64.0?wsdl", timeout=30).text
    named = set(re.findall(r'<(?:wsdl:)?operation name="(\w+)"', wsdl))
    assert len(named) > 20
    assert named <= set(OPERATIONS)
