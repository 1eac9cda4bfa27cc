"""Records that the org deletes or changes along with another one: their events keep their order."""

import pytest

from ..contacts_of_accounts import ACCOUNT, ANN, CLOSED, CONTACT
from ..folder import Event, Folder, track

CALLED = """\
sfmap: 1
event: {type: track, name: Called}
object: Contact
match: Email
fields: {Email: properties.email, LastName: {value: Lee}, Phone: properties.phone}
"""
LEFT = """\
sfmap: 1
event: {type: track, name: Left}
object: Contact
operation: delete
match: [{Email: properties.email}]
"""
REPORT = """\
sfmap: 1
event: {type: track, name: Assisted}
object: Contact
operation: create
fields:
  LastName: {value: Ray}
  ReportsToId: {object: Contact, by: Email, from: properties.email}
"""


@pytest.fixture(name="contacts")
def contacts_fixture(folder: Folder) -> Folder:
    """A Contact of an Account, which the mapping of phone calls does not know."""
    (folder.path / "sfmap.yaml").write_text("mappings: mappings\n")
    (folder.path / "mappings").mkdir()
    for name, mapping in {"account": ACCOUNT, "closed": CLOSED, "contact": CONTACT, "called": CALLED}.items():
        (folder.path / "mappings" / f"{name}.yaml").write_text(mapping)
    deliver(folder, track("Account", account="1"), track("Contact", email=ANN, account="1"))
    return folder


def deliver(folder: Folder, *events: Event) -> list[object]:
    """The outcomes."""
    name = folder.write("events.ndjson", list(events))
    done = folder.sfmap("run", name, "--results", "results")
    assert done.returncode == 0, done.stderr
    return [line["outcome"] for line in folder.lines("results")]


def test_a_record_is_made_again_after_it_was_deleted_along(contacts: Folder) -> None:
    events = [
        track("Called", email=ANN, phone="1"),
        track("Closed", account="1"),
        track("Called", email=ANN, phone="2"),
    ]
    assert deliver(contacts, *events) == ["updated", "deleted", "created"]
    rows = contacts.rows("SELECT Phone, IsDeleted FROM Contact ORDER BY Id")
    assert [tuple(row) for row in rows] == [("1", 1), ("2", 0)]


def test_a_record_that_would_be_deleted_along_is_deleted_first(contacts: Folder) -> None:
    (contacts.path / "mappings" / "left.yaml").write_text(LEFT)
    assert deliver(contacts, track("Left", email=ANN), track("Closed", account="1")) == ["deleted", "deleted"]
    assert deliver(contacts, track("Account", account="1"), track("Contact", email=ANN, account="1"))
    assert deliver(contacts, track("Closed", account="1"), track("Left", email=ANN)) == ["deleted", "skipped"]


def test_a_reference_does_not_find_a_record_that_was_deleted_along(contacts: Folder) -> None:
    (contacts.path / "mappings" / "report.yaml").write_text(REPORT)
    assert deliver(contacts, track("Closed", account="1"), track("Assisted", email=ANN)) == ["deleted", "created"]
    rows = contacts.rows("SELECT ReportsToId FROM Contact WHERE LastName = 'Ray'")
    assert [tuple(row) for row in rows] == [(None,)]
