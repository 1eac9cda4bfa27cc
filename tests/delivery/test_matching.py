"""Records found by other values than those that are written."""

import pytest

from ..scene import Scene, also

MOVED = """\
event: identify
object: Lead
match: [{Email: traits.old}, Email]
fields:
  Email: traits.email
  LastName: {value: n/a}
  Company: {value: Initech}
  City: traits.city
"""
ADDRESSES = "SELECT Email, City FROM Lead WHERE NOT IsDeleted ORDER BY Email"


def lead(**traits: object) -> dict[str, object]:
    return {"type": "identify", "traits": traits}


@pytest.mark.parametrize("apart", [True, False], ids=["one by one", "together"])
def test_a_record_is_found_by_its_old_or_new_address(scene: Scene, apart: bool) -> None:
    """The record is found by the old address or the new one, whichever it has by then."""
    events = [
        lead(email="a@b.co", city="Rome"),
        lead(old="a@b.co", email="b@b.co"),
        lead(old="a@b.co", email="b@b.co", city="Oslo"),
        lead(old="A@B.co", email="c@b.co"),
        lead(old="b@b.co", email="d@b.co"),
    ]
    scene.mapping(MOVED)
    for part in [[event] for event in events] if apart else [events]:
        scene.run(*part)
    assert scene.rows(ADDRESSES) == [("c@b.co", None), ("d@b.co", "Oslo")]
    scene.run(events[-1])
    assert scene.outcomes() == [("updated", None)]


def test_two_records_may_get_the_same_address(scene: Scene) -> None:
    """The first takes the old address away from one of two: the second finds the other one."""
    scene.mapping(MOVED.replace("match: [{Email: traits.old}, Email]", "operation: create"))
    scene.run(lead(email="a@b.co", city="1"), lead(email="a@b.co", city="2"))
    scene.mapping(MOVED)
    scene.run(lead(old="a@b.co", email="b@b.co"), lead(old="a@b.co", email="b@b.co", city="3"))
    assert scene.rows(ADDRESSES + ", City") == [("b@b.co", "2"), ("b@b.co", "3")]


MEMBER = """\
event: track
object: Role__c
match: [[Account__c, Contact__c]]
fields:
  Account__c: {object: Account, by: AccountNumber, from: properties.account, on_missing: MISSING}
  Contact__c: {object: Contact, by: Email, from: properties.email}
  Kind__c: properties.role
"""
CONTACT = """\
sfmap: 1
event: identify
object: Contact
match: Email
fields: {Email: traits.email, LastName: {value: n/a}}
"""
ACCOUNT = """\
sfmap: 1
event: group
object: Account
match: AccountNumber
fields: {AccountNumber: groupId, Name: {value: n/a}}
"""


@pytest.mark.parametrize("missing", ["drop", "reject"])
def test_records_are_found_by_their_references(scene: Scene, missing: str) -> None:
    def joined(account: str, email: str, role: str) -> dict[str, object]:
        properties = {"account": account, "email": email, "role": role}
        return {"type": "track", "event": "Joined", "properties": properties}

    scene.mapping(MEMBER.replace("MISSING", missing))
    also(scene, "contact", CONTACT)
    also(scene, "account", ACCOUNT)
    people = [lead(email="a@b.co"), lead(email="b@b.co"), {"type": "group", "groupId": "1"}]
    roles = [joined("1", "a@b.co", "User"), joined("1", "b@b.co", "User"), joined("1", "A@b.co", "Buyer")]
    scene.run(*people, *roles, joined("2", "a@b.co", "User"), code=1)
    assert [outcome for outcome, _ in scene.outcomes()] == ["created"] * 5 + ["updated", "failed"]
    assert "no Account was found by AccountNumber '2'" in str(scene.outcomes()[-1][1])
    rows = "SELECT Email, Kind__c FROM Role__c r JOIN Contact c ON Contact__c = c.Id ORDER BY Email"
    assert scene.rows(rows) == [("a@b.co", "Buyer"), ("b@b.co", "User")]


BY_ID = """\
event: identify
object: Lead
operation: OPERATION
match: Id
fields: {Id: traits.id, City: traits.city}
"""


@pytest.mark.parametrize(
    ("operation", "fate", "reason"),
    [
        ("update", "skipped", "no Lead to update was found"),
        ("delete", "skipped", "no Lead to delete was found"),
        ("upsert", "failed", "no Lead has this id: it was deleted, or belongs to another org"),
    ],
)
def test_a_record_given_by_its_id_is_written_without_a_lookup(
    scene: Scene, operation: str, fate: str, reason: str
) -> None:
    """It is written without being looked for; one that is not there is never created."""
    scene.mapping(MOVED)
    scene.run(lead(email="a@b.co"), lead(email="b@b.co"))
    (first, second) = (str(row[0]) for row in scene.rows("SELECT Id FROM Lead ORDER BY Email"))
    scene.mapping(BY_ID.replace("OPERATION", operation))
    before = scene.calls()["query"]
    events = [lead(id=first[:15], city="Rome"), lead(id=first, city="Oslo")]
    scene.run(*(events[:1] if operation == "delete" else events))
    assert scene.calls()["query"] == before
    assert scene.folder.lines("results")[0].get("notes") is None
    if operation != "delete":
        assert scene.rows(ADDRESSES) == [("a@b.co", "Oslo"), ("b@b.co", None)]
    scene.mapping(BY_ID.replace("OPERATION", "delete"))
    scene.run(lead(id=second))
    scene.mapping(BY_ID.replace("OPERATION", operation))
    scene.run(lead(id=second, city="Rome"), code=int(fate == "failed"))
    assert scene.outcomes() == [(fate, reason)]
    assert scene.rows("SELECT COUNT(*) FROM Lead WHERE NOT IsDeleted") == [(0 if operation == "delete" else 1,)]


def test_an_id_of_another_object_is_refused(scene: Scene) -> None:
    scene.mapping(BY_ID.replace("OPERATION", "delete"))
    scene.run(lead(id="001000000000001AAA"), code=1)
    assert scene.outcomes() == [
        ("failed", "cannot look up by Id: traits.id is not the id of a Lead: those begin with 00Q")
    ]
