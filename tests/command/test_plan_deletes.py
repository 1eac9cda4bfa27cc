"""`sfmap plan` of deletes: what goes along with a deleted record, or keeps it from being deleted."""

from collections.abc import Mapping

import pytest

from ..contacts_of_accounts import ACCOUNT, ANN, CLOSED, CONTACT
from ..folder import Event, track
from ..scene import Scene, also

ROLE = """\
sfmap: 1
event: {type: track, name: Role}
object: Role__c
match: Kind__c
fields:
  Kind__c: properties.kind
  Account__c: {object: Account, by: AccountNumber, from: properties.account}
  Contact__c: {object: Contact, by: Email, from: properties.email}
"""
CASE = """\
event: {type: track, name: Case}
object: Case
match: Subject
fields:
  Subject: properties.subject
  AccountId: {object: Account, by: AccountNumber, from: properties.account}
"""


@pytest.fixture(name="accounts")
def accounts_fixture(scene: Scene) -> Scene:
    scene.mapping(CASE)
    for name, mapping in {"account": ACCOUNT, "closed": CLOSED, "contact": CONTACT, "role": ROLE}.items():
        also(scene, name, mapping)
    return scene


def planned(scene: Scene, *events: Event, code: int = 0) -> list[str]:
    """What the plan says of each record: its object, what happens to it, and what changes."""
    scene.sfmap("plan", scene.folder.write("e.ndjson", list(events)), "--out", "out.ndjson", code=code)
    lines = (line for line in scene.folder.lines("out.ndjson") if "change" in line)
    return sorted(" ".join([str(line["object"]), str(line["change"]), *sorted(fields_of(line))]) for line in lines)


def fields_of(line: Mapping[str, object]) -> Mapping[str, object]:
    fields = line["fields"]
    assert isinstance(fields, dict)
    return fields


def test_records_that_are_deleted_along_are_planned(accounts: Scene) -> None:
    accounts.run(track("Account", account="1"), track("Contact", email=ANN, account="1"))
    assert planned(accounts, track("Closed", account="1")) == ["Account deleted", "Contact deleted"]
    accounts.run(track("Closed", account="1"))
    assert accounts.rows("SELECT IsDeleted FROM Account UNION ALL SELECT IsDeleted FROM Contact") == [(1,), (1,)]


def test_references_that_are_emptied_are_planned(accounts: Scene) -> None:
    accounts.run(
        track("Account", account="1"),
        track("Contact", email=ANN, account="1"),
        track("Role", kind="boss", email=ANN, account="1"),
    )
    assert planned(accounts, track("Closed", account="1")) == [
        "Account deleted",
        "Contact deleted",
        "Role__c changed Account__c Contact__c",
    ]
    accounts.run(track("Closed", account="1"))
    assert accounts.rows("SELECT IsDeleted, Account__c, Contact__c FROM Role__c") == [(0, None, None)]


def test_a_record_that_was_deleted_along_is_made_again(accounts: Scene) -> None:
    accounts.run(track("Account", account="1"), track("Contact", email=ANN, account="1"))
    events = [track("Closed", account="1"), track("Contact", email=ANN)]
    assert planned(accounts, *events) == ["Account deleted", "Contact created Email LastName", "Contact deleted"]
    accounts.run(*events)
    assert accounts.rows("SELECT IsDeleted FROM Contact ORDER BY Id") == [(1,), (0,)]


def test_records_are_deleted_along_with_the_one_that_they_would_refer_to(accounts: Scene) -> None:
    """A planned record refers to another one than in the org, or is not there yet."""
    accounts.run(
        track("Account", account="1"), track("Account", account="2"), track("Contact", email=ANN, account="1")
    )
    events = [
        track("Contact", email=ANN, account="2"),
        track("Contact", email="bob@b.co", account="1"),
        track("Closed", account="1"),
    ]
    assert planned(accounts, *events) == ["Account deleted", "Contact changed AccountId"]
    accounts.run(*events)
    assert accounts.rows("SELECT Email, IsDeleted FROM Contact ORDER BY Id") == [(ANN, 0), ("bob@b.co", 1)]


def test_records_that_keep_one_from_being_deleted_are_planned(accounts: Scene) -> None:
    accounts.run(
        track("Account", account="1"),
        track("Account", account="2"),
        track("Contact", email=ANN, account="1"),
        track("Case", subject="Help", account="1"),
    )
    events = [track("Closed", account="1"), track("Closed", account="2")]
    assert planned(accounts, *events, code=1) == ["Account deleted"]
    accounts.run(*events, code=1)
    assert accounts.rows("SELECT IsDeleted FROM Account ORDER BY Id") == [(0,), (1,)]
