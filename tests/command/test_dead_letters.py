"""`sfmap dead-letters`: the list of records that failed."""

import json

import pytest

from ..reliability.dead_letters import CASE, letters, refuse_half
from ..reliability.people import PEOPLE
from ..scene import Scene


def test_dead_letters_are_listed_filtered_and_exported(scene: Scene) -> None:
    refused = refuse_half(scene)
    listed = scene.sfmap("dead-letters").splitlines()
    assert len(listed) == refused + 1
    assert "events.ndjson:13  event  not JSON" in listed[-1]
    found = scene.sfmap("dead-letters", "--json", "--reason", "budget")
    letters = [json.loads(line) for line in found.splitlines()]
    assert len(letters) == refused
    assert letters[0]["raw"] in PEOPLE
    assert (letters[0]["mapping"], letters[0]["object"], letters[0]["attempts"]) == ("m", "Lead", 1)
    exported = scene.sfmap("dead-letters", "--export", "--reason", "Budget").splitlines()
    assert [json.loads(line) for line in exported] == [letter["raw"] for letter in letters]
    assert "no such dead letter" in scene.sfmap("dead-letters", "--reason", "nobody")


def test_dead_letters_are_discarded_by_reason(scene: Scene) -> None:
    scene.mapping(CASE)
    scene.run("{", {"type": "track", "event": "E"}, {"userId": "x"}, code=1)
    said = scene.sfmap("dead-letters", "--reason", "no type", "--discard")
    assert "events.ndjson:3" in said
    assert "Dead letters deleted: 1." in said
    assert [letter["line"] for letter in letters(scene)] == [1]


SEAT = """\
event: identify
object: Contact
match: Email
fields:
  Email: {from: traits.email, required: true}
  LastName: {value: Lee}
  Phone: traits.phone
  Account: {object: Account, by: AccountNumber, from: traits.number, on_missing: reject}
"""
COMPANIES = """sfmap: 1
event: group
object: Account
match: AccountNumber
fields: {AccountNumber: groupId, Name: {value: Acme}}
"""
CLOSURES = """sfmap: 1
event: track
object: Account
operation: delete
match: AccountNumber
fields: {AccountNumber: properties.number}
"""
SEATED = {"type": "identify", "traits": {"email": "a@b.co", "phone": "1", "number": "1"}}
LATER = {"type": "identify", "traits": {"email": "a@b.co", "phone": "2", "number": "1"}}
OPENED = {"type": "group", "groupId": "1"}
CLOSED = {"type": "track", "event": "Closed", "properties": {"number": "1"}}
BROKEN = {"type": "identify", "traits": {}}


@pytest.mark.parametrize("before", [(), (BROKEN,)], ids=["no letter before", "a letter before"])
@pytest.mark.parametrize(
    ("events", "letters_left"),
    [((SEATED, OPENED, SEATED, LATER), 0), ((OPENED, SEATED, LATER, CLOSED, SEATED), 1)],
    ids=["fails, then does not", "does not fail, then does"],
)
def test_the_last_copy_of_an_event_decides_whether_it_is_a_dead_letter(
    scene: Scene, before: tuple[object, ...], events: tuple[object, ...], letters_left: int
) -> None:
    scene.mapping(SEAT)
    for name, text in {"companies": COMPANIES, "closures": CLOSURES}.items():
        (scene.folder.path / "mappings" / f"{name}.yaml").write_text(text)
    scene.run(*before, *events, code=1)
    assert len(letters(scene)) == letters_left + len(before)
    scene.sfmap("retry", code=min(1, letters_left + len(before)))
    assert scene.rows("SELECT Phone FROM Contact") == [("2",)]
