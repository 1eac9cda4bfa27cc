"""The shipped mappings: their payloads, their schema, and their delivery to the local org."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft7Validator
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.language.json_schema import json_schema
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.engine.yaml_files.nodes import read_yaml

from ..cases import load_cases, plain, rendered_case
from ..folder import Folder

SHIPPED = sorted(path.name for path in files("sfmap.mappings").iterdir() if path.name.endswith(".yaml"))


@pytest.mark.parametrize("case", load_cases(Path(__file__).parent / "cases"))
def test_payload(case: dict[str, Json], case_file: SnapshotAssertion, tmp_path: Path) -> None:
    assert rendered_case(case, tmp_path) == case_file


def test_the_shipped_schema_is_up_to_date() -> None:
    shipped = (files("sfmap.mappings") / "mapping.schema.json").read_text("utf-8")
    assert json.loads(shipped) == json_schema(), "run: sfmap schema > mappings/mapping.schema.json"


@pytest.mark.parametrize("name", SHIPPED)
def test_each_mapping_names_the_schema_and_matches_it(name: str) -> None:
    text = (files("sfmap.mappings") / name).read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=mapping.schema.json\n")
    document = plain(read_yaml(Source(name, text))[0])
    assert [error.message for error in Draft7Validator(json_schema()).iter_errors(document)] == []


SCHEMA = """\
objects:
  Lead: {fields: {testProp__c: {type: string, length: 255}}}
  Subscription__c:
    fields:
      Subscription_Id__c: {type: string, length: 80, external_id: true, unique: true, required: true}
      Status__c: {type: string, length: 40}
      Plan__c: {type: string, length: 80}
      Seats__c: {type: double, precision: 6}
      Renews_On__c: {type: date}
      Account__c: {type: reference, to: Account}
"""
EVENTS = [
    {"type": "group", "groupId": "813", "traits": {"name": "Initech"}},
    {
        "type": "identify",
        "context": {"groupId": "813"},
        "traits": {"email": "p@initech.com", "name": "Peter Gibbons"},
    },
    {
        "type": "track",
        "event": "Order Completed",
        "timestamp": "2026-11-23T10:00:00Z",
        "context": {"groupId": 813},
        "properties": {"order_id": 17, "total": 99.5},
    },
    {
        "type": "track",
        "event": "Issue Submitted",
        "userId": "p@initech.com",
        "properties": {"subject": "PC load letter", "priority": "urgent"},
    },
    {
        "type": "track",
        "event": "Subscription Started",
        "context": {"groupId": "813"},
        "properties": {"id": "sub_1", "plan": "pro", "seats": 5, "renews_at": "2027-01-01"},
    },
    {
        "type": "track",
        "event": "Subscription Cancelled",
        "properties": {"id": "sub_1", "renews_at": None},
    },
]


def test_all_shipped_mappings_deliver_to_the_local_org(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (folder.path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "sfmap.yaml").write_text(
        "use: [account, contact, opportunity, case, subscription]\norgs: {local: {schema: schema.yaml}}\n"
    )
    folder.write("events.ndjson", [{**event, "integrations": {"Salesforce": True}} for event in EVENTS])
    assert folder.sfmap("check", "--org", "local").returncode == 0
    first = folder.sfmap("run", "events.ndjson", "--report", "report.json")
    assert first.returncode == 0, first.stderr
    assert folder.report()["created"] == 5
    assert folder.report()["notes"] == {}
    ((account,),) = folder.rows("SELECT Id FROM Account")
    ((contact,),) = folder.rows("SELECT Id FROM Contact")
    assert folder.rows("SELECT AccountId, LastName FROM Contact") == [(account, "Gibbons")]
    assert folder.rows("SELECT Name, AccountId, StageName, Amount FROM Opportunity") == [
        ("Order 17", account, "Closed Won", 99.5)
    ]
    assert folder.rows('SELECT ContactId, Subject, Priority FROM "Case"') == [(contact, "PC load letter", "High")]
    assert folder.rows("SELECT Status__c, Plan__c, Seats__c, Renews_On__c, Account__c FROM Subscription__c") == [
        ("Cancelled", "pro", 5.0, None, account)
    ]
    again = folder.sfmap("run", "events.ndjson", "--report", "report.json")
    assert again.returncode == 0, again.stderr
    assert (folder.report()["created"], folder.report()["updated"]) == (1, 5)  # a Case is always a new one
