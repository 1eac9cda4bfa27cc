"""Folding is exact: the org ends the same whether events go together or one at a time."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import requests

from sfmap.engine.delivery.in_doubt import CALL_LIMIT, Doubts
from sfmap.engine.delivery.loads import Loads
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.pipeline import Delivery, DeliveryOptions
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.delivery.write_pace import WritePace
from sfmap.engine.journal.folder_state import journal_file
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.sources.event_source import Received
from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.tests.examples import mostly_soak
from sfmap.tests.listeners import CollectedOutcomes

MAPPING = """\
sfmap: 1
event: identify
object: Contact
match: [Email, [LastName, MailingCity]]
on_many: {on_many}
fields:
  Email: {{from: traits.email, type: email}}
  FirstName: traits.first
  LastName: {{from: traits.last, default: {{value: n/a, write: create}}}}
  MailingCity: traits.city
  Title: {{from: traits.title, default: n/a}}
  Department: {{from: traits.department, write: update}}
  AssistantName: {{from: traits.assistant, write: create}}
  MailingGeocodeAccuracy: traits.accuracy
"""
FIELDS = (
    "Email FirstName LastName MailingCity Title Department AssistantName MailingGeocodeAccuracy"
    " Fax Phone Description"
).split()


@dataclass(frozen=True)
class Events:
    events: list[Event]

    def __iter__(self) -> Iterator[Received]:
        for number, event in enumerate(self.events, 1):
            yield Received(number, "events", number, orjson.dumps(event), event)


def stream(seed: int, length: int) -> list[Event]:
    """Events of few people, some with two spellings, two ways to be found, or a value that the org refuses."""
    dice = random.Random(seed)
    events: list[Event] = []
    for _ in range(length):
        traits: Event = {}
        for trait, values in {
            "email": ["a@b.co", "A@B.CO", "c@d.co", "e@f.co", None, None],
            "first": ["Ann", "Bob", None],
            "last": ["Lee", "lee", "Ray", None],
            "city": ["Rome", "Oslo", None],
            "title": ["Clerk", None],
            "department": ["Sales", "Care", None],
            "assistant": ["Kim", "Lou", None],
            "accuracy": ["City", "Street", None, None, None, "Roughly"],
        }.items():
            value = dice.choice(values)
            if value is not None:
                traits[trait] = value
        events.append({"type": "identify", "traits": traits})
    return events


def delivered(
    org: SoapOrg, mapper: Mapper, window_size: int, events: list[Event], call_limit: float = CALL_LIMIT
) -> list[Outcome]:
    ledger = Ledger(journal_file(None), "local", "events")
    ledger.begin()
    collected = CollectedOutcomes()
    waiter = Waiter()
    Delivery(
        org=org,
        mapper=mapper,
        ledger=ledger,
        doubts=Doubts(ledger, call_limit),
        waiter=waiter,
        loads=Loads(table=ledger.loads, waiter=waiter),
        threads=OrgThreads(WritePace(2)),
        options=DeliveryOptions(window_size=window_size),
        listener=collected,
    ).deliver(Events(events))
    return collected.outcomes


def deliver(
    folder: Path, events: list[Event], window_size: int, *mappings: str, lost: str = ""
) -> tuple[list[Outcome], list[object]]:
    """The outcomes, and the records in the org; the answer to the first call that is `lost` does not arrive."""
    sources = {f"m{number}": Source(f"m{number}.yaml", text) for number, text in enumerate(mappings)}
    mapper = Mapper(compile_mappings(ChosenMappings(sources=sources)))
    database = folder / f"{window_size}.db"
    with start_local_org(database) as local:
        org = SoapOrg(
            SoapSettings(
                local.url, PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
            )
        )
        if lost:
            faults = [{"kind": "reset_after", "calls": lost, "at": 1, "times": 1}]
            requests.put(f"{local.url}/faults", json={"seed": 1, "faults": faults}, timeout=10).raise_for_status()
        outcomes = delivered(org, mapper, window_size, events, call_limit=0.0 if lost else CALL_LIMIT)
    fields = ", ".join(f"Contact.{name}" for name in FIELDS)
    rows = (
        sqlite3.connect(database)
        .execute(
            f"SELECT {fields}, a.AccountNumber FROM Contact LEFT JOIN Account a ON a.Id = AccountId"
            " WHERE NOT Contact.IsDeleted"
        )
        .fetchall()
    )
    return outcomes, sorted(rows, key=repr)


COMPUTED = """\
sfmap: 1
event: identify
object: Contact
match: Name
fields:
  Name: traits.name
  FirstName: traits.name | first_name
  LastName: traits.name | last_name
"""
INCOMPLETE = """\
sfmap: 1
event: identify
object: Contact
match: Email
fields: {Email: traits.email, FirstName: traits.first, LastName: traits.last}
"""
TRAPS: list[tuple[str, list[Event]]] = [
    # The looked-up field is the org's own: nobody writes it.
    (COMPUTED, [{"name": "Ann Lee"}, {"name": "ann lee"}, {"name": "Bob Ray"}]),
    # The first event cannot be created, and what the second brings would hide that.
    (INCOMPLETE, [{"email": "a@b.co", "first": "Bad"}, {"email": "a@b.co", "last": "Lee"}]),
]


@pytest.mark.parametrize(("mapping", "traits"), TRAPS, ids=["computed", "incomplete"])
def test_computed_and_incomplete_records_are_folded_exactly(
    tmp_path: Path, mapping: str, traits: list[Event]
) -> None:
    events: list[Event] = [{"type": "identify", "traits": one} for one in traits]
    one_by_one, expected = deliver(tmp_path, events, 1, mapping)
    together, rows = deliver(tmp_path, events, 60, mapping)
    assert rows == expected
    assert [(o.event, o.fate, o.reason) for o in together] == [(o.event, o.fate, o.reason) for o in one_by_one]


@pytest.mark.parametrize(
    ("seed", "on_many"),
    [(102, "newest"), (126, "oldest"), (3, "error"), pytest.param(4, "newest", marks=pytest.mark.soak)],
)
def test_folded_events_end_as_single_ones(tmp_path: Path, seed: int, on_many: str) -> None:
    events = stream(seed, 60)
    one_by_one, expected = deliver(tmp_path, events, 1, MAPPING.format(on_many=on_many))
    together, rows = deliver(tmp_path, events, 60, MAPPING.format(on_many=on_many))
    assert rows == expected
    assert [(o.event, o.fate, o.reason) for o in together] == [(o.event, o.fate, o.reason) for o in one_by_one]


NATIVE = """\
sfmap: 1
event: identify
object: Contact
match: Email
fields:
  Email: {from: traits.email, type: email}
  LastName: {from: traits.last, default: n/a}
  MailingCity: traits.city
  Title: {from: traits.title, on_null: clear}
  MailingGeocodeAccuracy: traits.accuracy
"""


@pytest.mark.parametrize("seed", mostly_soak([5, 6, 7], quick=1))
def test_folded_upserts_of_the_org_end_as_single_ones(tmp_path: Path, seed: int) -> None:
    """Some people are in the org twice, so that it cannot tell which one is meant."""
    twice = NATIVE.replace("match: Email", "operation: create").replace("identify", "page")
    doubled: list[Event] = [{"type": "page", "traits": {"email": "c@d.co", "title": "Twin"}}] * 2
    events = [*doubled, *stream(seed, 60)]
    one_by_one, expected = deliver(tmp_path, events, 1, NATIVE, twice)
    together, rows = deliver(tmp_path, events, 62, NATIVE, twice)
    assert rows == expected
    assert [(o.event, o.fate, o.reason) for o in together] == [(o.event, o.fate, o.reason) for o in one_by_one]


WRITES = """\
sfmap: 1
event: identify
object: Contact
match: [Email, [LastName, MailingCity]]
fields:
  Email: {from: traits.email, type: email}
  LastName: {from: traits.last, default: {value: n/a, write: create}}
  MailingCity: {from: traits.city, on_null: clear}
  Title: {from: traits.title, on_null: clear}
  Fax: {from: traits.fax, write: empty}
  Phone: {from: traits.phone, write: empty, default: {value: none, write: create}}
  Description: {from: traits.note, write: update, on_null: clear}
  Account: {object: Account, by: AccountNumber, from: traits.group}
"""
GROUPS = """\
sfmap: 1
event: group
object: Account
match: AccountNumber
fields: {AccountNumber: groupId, Name: {from: traits.name, default: n/a}}
"""
CLERKS = """\
sfmap: 1
event: page
object: Contact
operation: update
match: Email
where: Title = 'Clerk'
fields:
  Email: traits.email
  Department: {value: Seen}
  Title: traits.title
  Account: {object: Account, by: AccountNumber, from: traits.group, on_missing: reject}
"""
ERASURES = """\
sfmap: 1
event: screen
object: Contact
operation: delete
match: [Email, LastName]
fields: {Email: traits.email, LastName: traits.last}
"""


ABSENT = "absent"


def busy_stream(seed: int, length: int) -> list[Event]:
    """Events of every operation about few people and groups."""
    dice = random.Random(seed)
    events: list[Event] = []
    for _ in range(length):
        choices: dict[str, list[Json]] = {
            "email": ["a@b.co", "A@B.CO", "c@d.co", "e@f.co"],
            "last": ["Lee", "Ray", ABSENT],
            "city": ["Rome", None, ABSENT],
            "title": ["Clerk", "Boss", None, ABSENT, ABSENT],
            "fax": ["1", "2", ABSENT, ABSENT],
            "phone": ["3", "4", ABSENT, ABSENT],
            "note": ["x", "y", None, ABSENT],
            "group": ["g1", "G1", "g2", "g3", ABSENT, ABSENT],
            "name": ["One", "Two"],
        }
        drawn = {trait: dice.choice(values) for trait, values in choices.items()}
        traits: Event = {trait: value for trait, value in drawn.items() if value is not ABSENT}
        kind = dice.choice(["identify"] * 6 + ["group", "page", "page", "screen"])
        events.append({"type": kind, "traits": traits, "groupId": dice.choice(["g1", "g2", "G2"])})
    return events


@pytest.mark.parametrize("seed", mostly_soak([1, 2, 3], quick=1))
def test_folded_events_of_every_operation_end_as_single_ones(tmp_path: Path, seed: int) -> None:
    events = busy_stream(seed, 80)
    mappings = (WRITES, GROUPS, CLERKS, ERASURES)
    one_by_one, expected = deliver(tmp_path, events, 1, *mappings)
    together, rows = deliver(tmp_path, events, 80, *mappings)
    assert rows == expected
    assert [(o.event, o.fate, o.reason) for o in together] == [(o.event, o.fate, o.reason) for o in one_by_one]
    assert {"created", "updated", "deleted", "skipped", "failed"} <= {o.fate for o in together}


SEATS = """\
sfmap: 1
event: identify
object: Seat__c
match: {external_id: Key__c}
fields: {Key__c: userId, Plan__c: {from: traits.plan, on_null: clear}, Parent__r: {object: Seat__c, by: Key__c,
  from: traits.parent, on_missing: reject}}
"""
SEAT_SCHEMA = """\
objects:
  Seat__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true, unique: true}
      Plan__c: {type: string, length: 20}
      Parent__c: {type: reference, to: Seat__c}
"""


def test_upserts_by_external_id_take_one_call_for_many_records(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text(SEAT_SCHEMA)
    mapper = Mapper(compile_mappings(ChosenMappings(sources={"seat": Source("seat.yaml", SEATS)})))
    events: list[Event] = [
        {"type": "identify", "userId": f"u{number % 150}", "traits": {"plan": f"p{number}"}}
        for number in range(300)
    ]
    events.append({"type": "identify", "userId": "child", "traits": {"parent": "U7"}})
    events.append({"type": "identify", "userId": "orphan", "traits": {"parent": "nobody"}})
    events.append({"type": "identify", "userId": "u3", "traits": {"plan": None}})
    with start_local_org(tmp_path / "org.db", tmp_path / "schema.yaml") as local:
        org = SoapOrg(
            SoapSettings(
                local.url, PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
            )
        )
        outcomes = delivered(org, mapper, 2_000, events)
    assert [o.fate for o in outcomes] == ["created"] * 150 + ["updated"] * 150 + ["created", "failed", "updated"]
    assert "nobody" in outcomes[-2].reason
    assert org.calls()["upsert"] <= 4
    assert "query" not in org.calls()
    rows = dict(sqlite3.connect(tmp_path / "org.db").execute("SELECT Key__c, Plan__c FROM Seat__c").fetchall())
    assert (len(rows), rows["u3"], rows["u4"]) == (151, None, "p154")
