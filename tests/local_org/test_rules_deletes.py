"""What a delete takes along, what keeps it from happening, and what an undelete brings back."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.local_org.records.object_schema import Schema
from sfmap.engine.local_org.records.record_writer import SentRecord, Writer
from sfmap.engine.local_org.records.schema_file import load_schema
from sfmap.engine.local_org.records.store import Store
from sfmap.tests.local_org.conftest import Client, record, sign_in

SCHEMA = """\
objects:
  Lead:
    fields:
      Friend__c: {type: reference, to: [Account]}
  Part__c:
    fields:
      Whole__c: {type: reference, to: [Account], required: true}
"""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder: Path = tmp_path_factory.mktemp("deletes")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield sign_in(running)


def created(org: Client, object_name: str, **fields: str) -> str:
    answer = org.call(f"<create>{record(object_name, **fields)}</create>")
    found = re.search(r"<id>(\w{18})</id>", answer)
    assert found, answer
    return found[1]


def written(org: Client, verb: str, record_id: str) -> str:
    """The error's code and message, or nothing."""
    answer = org.call(f"<{verb}><ids>{record_id}</ids></{verb}>")
    found = re.search(r"<message>(.*)</message><statusCode>(\w+)<", answer)
    assert found or "<success>true" in answer, answer
    return f"{found[2]}: {found[1]}" if found else ""


CHILDREN = [
    ("Contact", {"LastName": "Child"}, "AccountId", "deleted"),
    (
        "Opportunity",
        {"Name": "Child", "StageName": "Prospecting", "CloseDate": "2026-12-31"},
        "AccountId",
        "deleted",
    ),
    ("Task", {}, "WhatId", "deleted"),
    ("Part__c", {}, "Whole__c", "deleted"),
    ("Account", {"Name": "Child"}, "ParentId", "emptied"),
    ("Lead", {"LastName": "Child", "Company": "c"}, "Friend__c", "emptied"),
]


@pytest.mark.parametrize(("child", "fields", "reference", "fate"), CHILDREN)
def test_children_follow_a_deleted_parent_and_come_back_with_it(
    org: Client, child: str, fields: dict[str, str], reference: str, fate: str
) -> None:
    parent = created(org, "Account", Name="Parent")
    one = created(org, child, **fields, **{reference: parent})
    query = f"SELECT IsDeleted, {reference} FROM {child} WHERE Id = '{one}'"
    assert org.query(query) == ["false", parent]
    assert written(org, "delete", parent) == ""
    assert org.query(query) == ([] if fate == "deleted" else ["false"])
    assert written(org, "undelete", parent) == ""
    assert org.query(query) == ["false", parent]


def test_children_of_children_follow_too(org: Client) -> None:
    account = created(org, "Account", Name="Parent")
    contact = created(org, "Contact", LastName="Child", AccountId=account)
    task = created(org, "Task", WhoId=contact)
    assert written(org, "delete", account) == ""
    assert org.query(f"SELECT Id FROM Task WHERE Id = '{task}'") == []
    assert written(org, "undelete", account) == ""
    assert org.query(f"SELECT WhoId FROM Task WHERE Id = '{task}'") == [contact]


def test_a_reference_that_was_set_since_then_is_kept_by_an_undelete(org: Client) -> None:
    first, second = created(org, "Account", Name="First"), created(org, "Account", Name="Second")
    lead = created(org, "Lead", LastName="x", Company="y", Friend__c=first)
    written(org, "delete", first)
    org.call(
        f"<update><sObjects><type>Lead</type><Id>{lead}</Id><Friend__c>{second}</Friend__c></sObjects></update>"
    )
    assert written(org, "undelete", first) == ""
    assert org.query(f"SELECT Friend__c FROM Lead WHERE Id = '{lead}'") == [second]


@pytest.mark.parametrize("parent", ["Account", "Contact"])
def test_cases_keep_their_parents_from_being_deleted(org: Client, parent: str) -> None:
    named = {"Name": "Acme"} if parent == "Account" else {"LastName": "Acme"}
    kept = created(org, parent, **named)
    case = created(org, "Case", **{f"{parent}Id": kept})
    (number,) = org.query(f"SELECT CaseNumber FROM Case WHERE Id = '{case}'")
    assert written(org, "delete", kept) == (
        "DELETE_FAILED: Your attempt to delete Acme could not be completed because it is associated with the"
        f" following cases.: {number}"
    )
    assert written(org, "delete", case) == ""
    assert written(org, "delete", kept) == ""


def test_a_refused_delete_changes_nothing(org: Client) -> None:
    account = created(org, "Account", Name="Acme")
    contact = created(org, "Contact", LastName="Child", AccountId=account)
    created(org, "Case", ContactId=contact)
    assert written(org, "delete", account).startswith("DELETE_FAILED")
    assert org.query(f"SELECT AccountId FROM Contact WHERE Id = '{contact}'") == [account]
    assert org.query(f"SELECT Name FROM Account WHERE Id = '{account}'") == ["Acme"]


@pytest.fixture
def schema(tmp_path: Path) -> Schema:
    return load_schema(None)


def test_what_is_removed_for_good_does_not_come_back_and_its_id_is_not_given_again(
    schema: Schema, tmp_path: Path
) -> None:
    with closing(Store(tmp_path / "org.db", schema)) as store:

        def writer() -> Writer:
            return Writer(store, schema, "005000000000001AAA")

        def create(object_name: str, **fields: str) -> str:
            (saved,) = writer().create([SentRecord(object_name, fields)], all_or_none=False)
            assert saved.id, saved
            return saved.id

        account = create("Account", Name="a")
        contact = create("Contact", LastName="c", AccountId=account)
        last = create("Contact", LastName="d")
        assert not writer().delete([account], all_or_none=False)[0].errors
        assert not writer().empty_recycle_bin([account])[0].errors
        assert not writer().delete([last], all_or_none=False, for_good=True)[0].errors
        for gone in (account, contact, last):
            (refused,) = writer().undelete([gone], all_or_none=False)
            assert refused.errors[0].code == "INVALID_CROSS_REFERENCE_KEY"
        assert store.count(schema.objects["Contact"]) == 0
        assert create("Contact", LastName="e") > last
        (refused,) = writer().empty_recycle_bin([create("Account", Name="b")])
        assert refused.errors[0].code == "UNDELETE_FAILED"
