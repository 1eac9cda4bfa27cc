"""Which mappings are safe with several partitions, and what keeps the events of a record together."""

from pathlib import Path

import pytest

from sfmap.engine.delivery.partitioning import dependences, partition_key
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import load_project

LEAD = (
    "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\n"
    "fields: {Email: traits.email, Company: traits.company, Phone: traits.phone}\n"
)
ACCOUNT = "sfmap: 1\nevent: group\nobject: Account\nmatch: Name\nfields: {Name: traits.name}\n"
TRACK = (
    "sfmap: 1\nevent: {type: track, name: NAME}\nobject: Case\nmatch: Subject\nfields: {Subject: properties.id}\n"
)
NOTE = "sfmap: 1\nevent: page\nobject: Task\noperation: create\nfields: {Subject: properties.title}\n"


def mapper(folder: Path, **mappings: str) -> Mapper:
    (folder / "mappings").mkdir()
    (folder / "sfmap.yaml").write_text("mappings: mappings\n")
    for name, text in mappings.items():
        (folder / "mappings" / f"{name}.yaml").write_text(text)
    return Mapper(compile_mappings(chosen_mappings(load_project(folder), None, None)))


SAFE = {
    "one mapping with one lookup": {"lead": LEAD},
    "two objects of two types of events": {"lead": LEAD, "account": ACCOUNT},
    "a lookup by two fields": {"lead": LEAD.replace("match: Email", "match: [[Email, Company]]")},
    "the same lookup from two types of events": {"lead": LEAD, "page": LEAD.replace("identify", "page")},
    "track events of two names": {
        "one": TRACK.replace("NAME", "Opened"),
        "two": TRACK.replace("NAME", "Closed").replace("Case", "Task"),
    },
    "records that are only created": {"lead": LEAD, "note": NOTE},
    "a pointer to what nothing writes": {
        "lead": LEAD.replace("{Email", "{OwnerId: {object: User, by: Email, from: traits.owner}, Email")
    },
}
DEPENDENT = {
    "two lookups": ({"lead": LEAD.replace("match: Email", "match: [Email, Phone]")}, "lead finds its Lead by"),
    "a lookup by another value": (
        {"lead": LEAD.replace("match: Email", "match: [{Email: properties.before}]")},
        "lead finds its Lead by a value that it does not write: the key of the record may change",
    ),
    "a condition": (
        {"lead": LEAD + "where: IsConverted = false\n"},
        "lead finds its Lead by a condition (where), which other writes may change",
    ),
    "a pointer": (
        {
            "account": ACCOUNT,
            "contact": LEAD.replace("Lead", "Contact").replace(
                "{Email", "{AccountId: {object: Account, by: Name, from: traits.company}, Email"
            ),
        },
        "contact looks for the Account that account writes",
    ),
    "a record that is not written where another one is found": (
        {
            "lead": LEAD + "unless_found: {object: Contact, by: Email, from: traits.email}\n",
            "contact": LEAD.replace("Lead", "Contact").replace("identify", "page"),
        },
        "lead looks for the Contact that contact writes",
    ),
    "several records of an event": (
        {"lead": LEAD + "for_each: traits.people\n"},
        "lead makes several records of one event (for_each), and its key is that of the first",
    ),
    "two mappings of an event": (
        {"account": ACCOUNT.replace("group", "identify"), "lead": LEAD},
        "account and lead may take the same event, and its key is that of the first record",
    ),
    "track events whose names may be the same": (
        {"one": TRACK.replace("NAME", "Opened"), "two": TRACK.replace("NAME", '"O*"').replace("Case", "Task")},
        "one and two may take the same event, and its key is that of the first record",
    ),
    "different lookups of one object": (
        {"lead": LEAD, "page": LEAD.replace("identify", "page").replace("match: Email", "match: Phone")},
        "lead and page find their Lead by different fields",
    ),
    "a duplicate rule that finds the record": (
        {"lead": LEAD + "on_duplicate: update\n"},
        "lead updates what a duplicate rule finds (on_duplicate), which may have another key",
    ),
}


@pytest.mark.parametrize("mappings", SAFE.values(), ids=SAFE)
def test_mappings_whose_records_are_apart_by_their_keys(mappings: dict[str, str], tmp_path: Path) -> None:
    assert dependences(mapper(tmp_path, **mappings).mappings) == []


@pytest.mark.parametrize(("mappings", "why"), DEPENDENT.values(), ids=DEPENDENT)
def test_mappings_whose_records_depend_on_each_other(mappings: dict[str, str], why: str, tmp_path: Path) -> None:
    assert any(one.startswith(why) for one in dependences(mapper(tmp_path, **mappings).mappings))


SAME: list[tuple[Event, Event]] = [
    ({"traits": {"email": "Ann@B.co"}}, {"traits": {"email": " ann@b.CO "}}),
    ({"traits": {"email": 7}}, {"traits": {"email": "7.0"}}),
    ({"traits": {"email": "0065000000ABCdeAAF"}}, {"traits": {"email": "0065000000ABCde"}}),
    ({"userId": 7}, {"userId": "7", "anonymousId": "b"}),
]
KEYS: list[tuple[Event, str]] = [
    ({"traits": {"email": "Ann@B.co"}, "userId": "u"}, "Lead Email=ann@b.co"),
    ({"userId": "u", "anonymousId": "a", "messageId": "m"}, "u"),
    ({"userId": "", "anonymousId": "a", "messageId": "m"}, "a"),
    ({"messageId": "m"}, "m"),
    ({}, ""),
]


def key(mapper: Mapper, event: Event) -> str:
    event = {"type": "identify", **event}
    return partition_key(event, mapper.map(event))


def test_events_of_one_record_have_one_key(tmp_path: Path) -> None:
    known = mapper(tmp_path, lead=LEAD)
    assert [(key(known, one), key(known, one) == key(known, other)) for one, other in SAME] == [
        (key(known, one), True) for one, _ in SAME
    ]


def test_an_event_without_a_lookup_is_kept_with_those_of_its_sender(tmp_path: Path) -> None:
    known = mapper(tmp_path, lead=LEAD)
    assert [key(known, event) for event, _ in KEYS] == [expected for _, expected in KEYS]
