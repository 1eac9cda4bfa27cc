"""Record types: which a record may have, which it gets, and what they mean for its picklists."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.local_org.records.record_types import record_type_infos
from sfmap.engine.local_org.records.schema_file import load_schema
from sfmap.engine.local_org.records.store import Store
from sfmap.engine.yaml_files.diagnostics import Mistakes
from sfmap.tests.local_org.conftest import Client, created, sign_in

SCHEMA = """\
objects:
  Case:
    fields:
      Plan__c: {type: picklist, restricted: true, values: [Free, Team, Large]}
      Also__c: {type: multipicklist, restricted: true, values: [Free, Team, Large]}
    record_types:
      Small: {label: Small customers, default: true, values: {Plan__c: [Free], Also__c: [Free, Team]}}
      Old: {active: false}
  Lead:
    record_types:
      Partner: {description: From partners}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("record_types")
    (folder / "schema.yaml").write_text(SCHEMA)
    return folder


@pytest.fixture(scope="module")
def org(folder: Path) -> Iterator[Client]:
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield sign_in(running)


@pytest.fixture(scope="module")
def types(org: Client) -> dict[str, str]:
    """The ids of the record types by developer name."""
    answer = org.call("<query><queryString>SELECT Id, DeveloperName FROM RecordType</queryString></query>")
    found = re.findall(r"<sf:Id>(\w{18})</sf:Id><sf:DeveloperName>(\w+)<", answer)
    return {name: record_id for record_id, name in found}


NOT_VALID = "INVALID_CROSS_REFERENCE_KEY: Record Type ID: this ID value isn't valid for the user: {}"


@pytest.mark.parametrize("name", ["Old", "Partner"])
def test_inactive_and_foreign_record_types_are_refused(org: Client, types: dict[str, str], name: str) -> None:
    assert created(org, "Case", RecordTypeId=types[name]) == NOT_VALID.format(types[name][:15])


def test_a_record_gets_the_default_record_type(org: Client, types: dict[str, str]) -> None:
    query = "SELECT RecordTypeId FROM {} WHERE Id = '{}'"
    assert org.query(query.format("Case", created(org, "Case"))) == [types["Small"]]
    lead = {"LastName": "x", "Company": "y"}
    assert org.query(query.format("Lead", created(org, "Lead", **lead))) == []
    named = created(org, "Lead", **lead, RecordTypeId=types["Partner"])
    assert org.query(query.format("Lead", named)) == [types["Partner"]]


def test_the_master_record_type_stands_for_none(org: Client) -> None:
    account = created(org, "Account", Name="a", RecordTypeId="012000000000000AAA")
    assert org.query(f"SELECT Name, RecordTypeId FROM Account WHERE Id = '{account}'") == ["a"]
    assert created(org, "Case", RecordTypeId="012000000000000AAA").startswith("INVALID_CROSS_REFERENCE_KEY")


@pytest.mark.parametrize(
    ("fields", "refused"),
    [
        ({"Plan__c": "Free"}, ""),
        ({"Plan__c": "Team"}, "Plan: bad value for restricted picklist field: Team"),
        ({"Also__c": "Free;Team"}, ""),
        ({"Also__c": "Free;Large"}, "Also: bad value for restricted picklist field: Free;Large"),
    ],
)
def test_a_record_type_limits_restricted_picklists(org: Client, fields: dict[str, str], refused: str) -> None:
    expected = f"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: {refused}" if refused else "500"
    assert created(org, "Case", **fields).startswith(expected)


def test_describes_list_record_types_with_the_master(folder: Path) -> None:
    schema = load_schema(folder / "schema.yaml")
    with closing(Store(folder / "infos.db", schema)) as store:
        infos = record_type_infos(store, schema, schema.objects["Case"])
        assert [(one.name, one.developer_name, one.active, one.default, one.master) for one in infos] == [
            ("Small customers", "Small", True, True, False),
            ("Old", "Old", False, False, False),
            ("Master", "Master", True, False, True),
        ]
        (master,) = record_type_infos(store, schema, schema.objects["Contact"])
        assert (master.id, master.default) == ("012000000000000AAA", True)


def test_record_types_of_a_later_schema_file_are_added(tmp_path: Path) -> None:
    schema = load_schema(None)
    Store(tmp_path / "org.db", schema).close()
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    for _ in range(2):
        schema = load_schema(tmp_path / "schema.yaml")
        with closing(Store(tmp_path / "org.db", schema)) as store:
            assert schema.record_type_object
            assert store.count(schema.record_type_object) == 3


def test_an_unknown_picklist_value_of_a_record_type_is_reported(tmp_path: Path) -> None:
    text = "objects: {Lead: {record_types: {A: {values: {Rating: [Hott]}}}}}"
    (tmp_path / "schema.yaml").write_text(text)
    with pytest.raises(Mistakes, match='"Hott" is not a value of the picklist Rating'):
        load_schema(tmp_path / "schema.yaml")
