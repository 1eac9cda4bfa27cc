"""Unusual queries, values, schemas and settings of the local org."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg, LocalOrgFailed, start_local_org

from .conftest import ENVELOPE, Client, post, record, sign_in

GOOD = {"LastName": "Edge", "Company": "Initech"}


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("edges")
    (folder / "schema.yaml").write_text(
        "objects:\n  Lead:\n    fields:\n      Seen__c: {type: datetime}\n      Flag__c: {type: boolean}\n"
        "      Score__c: {type: double}\n      Home__c: {type: reference, to: Account}\n"
    )
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        client = sign_in(running)
        records = record("Lead", **GOOD, Seen__c="2026-01-02T03:04:05+02:00", FirstName="\U0001f600", Title="a")
        assert client.call(f"<create>{records}{record('Lead', **GOOD)}</create>").count("<success>true<") == 2
        yield client


def counted(client: Client, condition: str) -> str:
    escaped = condition.replace("<", "&lt;")
    answer = client.call(f"<query><queryString>SELECT COUNT() FROM Lead WHERE {escaped}</queryString></query>")
    return "".join(re.findall("<size>(.*?)</size>|<faultcode>sf:(.*?)</faultcode>", answer)[0])


PAIRS = " OR ".join(f"(FirstName = 'a{number}' AND Company = 'b')" for number in range(2_000))

CONDITIONS = [
    ("Seen__c = 2026-01-02T01:04:05Z", "1"),
    ("Seen__c = 2026-01-02T03:04:05.000+02:00", "1"),
    ("Title = ''", "1"),
    ("Title IN ('b', null)", "1"),
    ("Title NOT IN ('b', null)", "1"),
    ("NOT Title = 'b'", "2"),
    (r"FirstName = '\uD83D\uDE00'", "1"),
    (r"FirstName = '\uD83D'", "0"),
    (r"Title IN ('a\u0000')", "0"),
    (PAIRS, "0"),
    (f"{'(' * 40}Title = 'a'{')' * 40}", "1"),
    ("Company = 'Initech' LIMIT 1", "1"),
    (f"{'(' * 9_000}Title = 'a'{')' * 9_000}", "QUERY_TOO_COMPLICATED"),
    (f"{'NOT ' * 9_000}Title = 'a'", "QUERY_TOO_COMPLICATED"),
    ("Title = 'a' AND Title = 'b' OR Title = 'c'", "MALFORMED_QUERY"),
    ("Title = 'a' LIMIT -5", "MALFORMED_QUERY"),
    (f"Title = 'a' LIMIT {'9' * 30}", "MALFORMED_QUERY"),
    ("Seen__c = 2026-13-45T00:00:00Z", "MALFORMED_QUERY"),
    (f"Score__c = {'9' * 400}", "MALFORMED_QUERY"),
    ("Seen__c = 2026-01-02", "INVALID_FIELD"),
    ("Score__c = '4'", "INVALID_FIELD"),
    ("Title = true", "INVALID_FIELD"),
]


@pytest.mark.parametrize(("condition", "answer"), CONDITIONS, ids=[text[:40] for text, _ in CONDITIONS])
def test_query_conditions_are_evaluated(edges: Client, condition: str, answer: str) -> None:
    assert counted(edges, condition) == answer


def test_a_backslash_escapes_wildcards_in_like(edges: Client) -> None:
    edges.call(f"<create>{record('Lead', **GOOD, City=chr(92) + 'x')}</create>")
    assert counted(edges, r"City LIKE '\\_'") == "1"
    assert counted(edges, r"City LIKE '\_'") == "0"


REFUSED = [
    ({"OwnerId": "005000000000009"}, "INVALID_CROSS_REFERENCE_KEY"),
    ({"Home__c": "001000000000009"}, "INVALID_CROSS_REFERENCE_KEY"),
    ({"Home__c": "00Q000000000001"}, "FIELD_INTEGRITY_EXCEPTION"),
    ({"fieldsToNull": "Flag__c"}, "REQUIRED_FIELD_MISSING"),
    ({"fieldsToNull": "Status"}, "REQUIRED_FIELD_MISSING"),
    ({"LastName": "  "}, "REQUIRED_FIELD_MISSING"),
    ({"Seen__c": "0001-01-01T00:00:00+10:00"}, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
]


@pytest.mark.parametrize(("fields", "code"), REFUSED, ids=[f"{fields}" for fields, _ in REFUSED])
def test_invalid_records_are_refused(edges: Client, fields: dict[str, str], code: str) -> None:
    answer = edges.call(f"<create>{record('Lead', **{**GOOD, **fields})}</create>")
    assert re.findall("<statusCode>(.*?)</statusCode>", answer) == [code]


@pytest.mark.parametrize(
    ("text", "accepted"), [("2026-01-02", True), ("2026-01-02Z", True), ("2026-01-02x", False)]
)
def test_dates_are_accepted_with_a_time_zone(edges: Client, text: str, accepted: bool) -> None:
    answer = edges.call(f"<create>{record('Contact', LastName='Day', Birthdate=text)}</create>")
    assert f"<success>{str(accepted).lower()}</success>" in answer


def test_a_reference_to_an_existing_record_is_accepted(edges: Client) -> None:
    answer = edges.call(f"<create>{record('Account', Name='Home')}</create>")
    account = "".join(re.findall("<id>(.*)</id>", answer))
    assert "<success>true<" in edges.call(f"<create>{record('Lead', **GOOD, Home__c=account)}</create>")


def test_text_is_truncated_in_utf_16_units(edges: Client) -> None:
    allow = "<allowFieldTruncation>true</allowFieldTruncation>"
    header = f"<AllowFieldTruncationHeader>{allow}</AllowFieldTruncationHeader>"
    cut = {"LastName": "\U0001f600" * 50, "Company": "Cutting"}
    assert "<success>true<" in edges.call(f"<create>{record('Lead', **cut)}</create>", header)
    assert edges.query("SELECT LastName FROM Lead WHERE Company = 'Cutting'") == ["\U0001f600" * 40]


def test_a_failed_call_is_counted(edges: Client) -> None:
    def used() -> int:
        return int("".join(re.findall("<current>(.*?)</current>", edges.call("<getUserInfo/>"))))

    before = used()
    edges.call("<query><queryString>nonsense</queryString></query>")
    assert used() == before + 2


def test_an_invalid_batch_size_is_ignored(edges: Client) -> None:
    header = "<QueryOptions><batchSize>\u00b2</batchSize></QueryOptions>"
    assert "<done>" in edges.call("<query><queryString>SELECT Id FROM Lead</queryString></query>", header)


def test_requests_for_other_hosts_are_refused(local: LocalOrg) -> None:
    reply = post(f"{local.url}/services/Soap/u/64.0", ENVELOPE.encode(), Host="evil.example")
    assert reply.status_code == 400


def test_a_field_keeps_its_values_when_its_case_changes(tmp_path: Path) -> None:
    for name in ("testProp__c", "testprop__c"):
        schema = tmp_path / "schema.yaml"
        schema.write_text(f"objects:\n  Lead:\n    fields: {{{name}: {{type: string}}}}\n")
        with start_local_org(tmp_path / "org.db", schema) as local:
            client = sign_in(local)
            client.call(f"<create>{record('Lead', **GOOD, **{name: 'kept'})}</create>")
    with start_local_org(tmp_path / "org.db", schema) as local:
        assert sign_in(local).query("SELECT testprop__c FROM Lead") == ["kept", "kept"]


BROKEN = [
    ("{a__c: {type: string}, A__c: {type: string}}", "are the same field"),
    ('{"a b__c": {type: string}}', "is not an API name"),
    ("{a__c: {type: reference}}", 'needs the key "to"'),
    ("{a__c: {type: reference, to: Acount}}", 'there is no object "Acount"'),
    ("{a__c: {type: reference, to: [Account, 5]}}", "must be text"),
]


@pytest.mark.parametrize(("fields", "words"), BROKEN)
def test_an_invalid_schema_is_refused(tmp_path: Path, fields: str, words: str) -> None:
    (tmp_path / "schema.yaml").write_text(f"objects:\n  Lead:\n    fields: {fields}\n")
    with (
        pytest.raises(LocalOrgFailed, match=words) as caught,
        start_local_org(tmp_path / "org.db", tmp_path / "schema.yaml"),
    ):
        pass
    assert caught.value.exit_code == 2


def test_modules_in_the_current_folder_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent / "decoys")
    with start_local_org(tmp_path / "org.db") as local:
        assert sign_in(local).session_id


def test_an_invalid_port_is_reported(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sfmap.engine.local_org", "--db", str(tmp_path / "o.db"), "--port", "99999"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=os.environ)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
