"""unless_found: a person becomes a Lead only as long as there is no Contact."""

import pytest

from ..scene import Scene, also

LEAD = """\
event: identify
object: Lead
match: Email
unless_found: {object: Contact, by: Email, from: traits.email}
fields:
  Email: traits.email
  LastName: {value: n/a}
  Company: {value: n/a}
  Title: traits.title
"""
CONTACT = """\
sfmap: 1
event: [identify, page]
object: Contact
operation: update
match: Email
fields: {Email: traits.email, Title: traits.title}
"""
CONVERSION = """\
sfmap: 1
event: track
object: Contact
match: Email
fields: {Email: properties.email, LastName: {value: n/a}}
"""
MOVE = """\
sfmap: 1
event: screen
object: Contact
operation: update
match: [{Email: properties.old}]
fields: {Email: properties.email}
"""
LEADS = "SELECT Email, Title FROM Lead WHERE NOT IsDeleted ORDER BY Email"
CONTACTS = "SELECT Email, Title FROM Contact WHERE NOT IsDeleted ORDER BY Email"


@pytest.fixture
def pair(scene: Scene) -> Scene:
    scene.mapping(LEAD)
    for name, mapping in {"contact": CONTACT, "conversion": CONVERSION, "move": MOVE}.items():
        also(scene, name, mapping)
    return scene


def person(name: str, **traits: object) -> dict[str, object]:
    return {"type": "identify", "traits": {"email": f"{name}@b.co", **traits}}


def converted(name: str) -> dict[str, object]:
    return {"type": "track", "event": "Converted", "properties": {"email": f"{name}@b.co"}}


def moved(old: str, name: str) -> dict[str, object]:
    return {"type": "screen", "properties": {"old": f"{old}@b.co", "email": f"{name}@b.co"}}


STORY = (
    person("a", title="1"),  # a Lead
    converted("a"),  # from here on a Contact
    person("a", title="2"),
    person("b", title="3"),
    person("A", title="4"),
    moved("a", "c"),  # now there is no Contact a any more
    person("a", title="5"),
    person("c", title="6"),
)


@pytest.mark.parametrize("apart", [True, False], ids=["one by one", "together"])
def test_unless_found_follows_the_order_of_events(pair: Scene, apart: bool) -> None:
    for part in [[event] for event in STORY] if apart else [list(STORY)]:
        pair.run(*part)
    assert pair.rows(LEADS) == [("a@b.co", "5"), ("b@b.co", "3")]
    assert pair.rows(CONTACTS) == [("c@b.co", "6")]
    reasons = {"unless_found: Contact has a record with this Email", "no Contact to update was found"}
    assert {reason for fate, reason in pair.outcomes() if fate == "skipped"} <= reasons


def test_many_events_take_few_calls(pair: Scene) -> None:
    """Neither those who are Contacts nor those who are not wait for each other."""
    pair.run(*(converted(f"c{number}") for number in range(20)))
    before = pair.calls()
    events = [person(f"{kind}{number}", title=title) for title in "12" for kind in "cl" for number in range(20)]
    pair.run(*events)
    assert pair.rows("SELECT COUNT(*), MIN(Title) FROM Lead") == [(20, "2")]
    assert pair.rows("SELECT COUNT(*), MIN(Title) FROM Contact") == [(20, "2")]
    made = pair.calls() - before
    assert made["query"] <= 4
    assert made["create"] + made["upsert"] + made["update"] <= 3


def test_a_lost_create_is_resolved_after_a_conversion(pair: Scene) -> None:
    pair.faults({"kind": "reset_after", "calls": "create", "at": 1, "times": 1})
    pair.run(person("a", title="1"), converted("a"), person("a", title="2"))
    assert pair.rows(LEADS) == [("a@b.co", "1")]
    assert pair.rows(CONTACTS) == [("a@b.co", "2")]


def test_an_unknown_field_in_unless_found_fails_the_event(scene: Scene) -> None:
    """What cannot be looked for must not count as not found."""
    scene.mapping(LEAD.replace("by: Email", "by: Nonesuch__c"))
    scene.run(person("a"), code=1)
    ((fate, reason),) = scene.outcomes()
    assert fate == "failed"
    assert "cannot look for unless_found by Contact.Nonesuch__c" in str(reason)


def test_a_value_that_cannot_be_looked_for_is_noted(scene: Scene) -> None:
    scene.mapping(LEAD.replace("from: traits.email}", "from: traits.other}"))
    scene.run(person("a", other="nonsense"))
    (outcome,) = scene.folder.lines("results")
    assert outcome["outcome"] == "created"
    assert outcome["notes"] == ["unless_found: left out: the value is not an e-mail address (Contact.Email)"]
