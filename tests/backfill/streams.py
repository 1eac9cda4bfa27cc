"""Streams of events in which few people and companies come again and again, and mappings for them."""

import json
import random
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg

Event = dict[str, object]

LEAD = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, type: email, required: true}
  LastName: {from: traits.last, default: {value: n/a, write: create}}
  Company: {from: traits.company, default: {value: n/a, write: create}}
  Title: traits.title
  City: {from: traits.city, on_null: clear}
  Rating: {from: traits.rating, write: empty}
  Description: {from: traits.about, write: update}
  LeadSource: {from: traits.campaign, write: create}
  Tags__c: {from: traits.tags, add: true}
  Visits__c: traits.visits
"""
TWO_KEYS = LEAD.replace("match: Email", "match: [Key__c, Email]").replace(
    "fields:\n", "fields:\n  Key__c: userId\n"
)
BOTH_KEYS = LEAD.replace("match: Email", "match: [[Email, Phone]]").replace(
    "fields:\n", "fields:\n  Phone: {from: userId}\n"
)
TRACKED = """\
sfmap: 1
event: {type: track, name: Seen}
object: Lead
operation: update
match: Email
fields:
  Email: properties.email
  Title: properties.title
  Seen__c: {from: timestamp, type: datetime}
"""
DELETED = """\
sfmap: 1
event: {type: track, name: Left}
object: Lead
operation: delete
match: Email
fields: {Email: properties.email}
"""
ACCOUNT = """\
sfmap: 1
event: group
object: Account
match: AccountNumber
fields:
  AccountNumber: {from: groupId, required: true}
  Name: {from: traits.name, required: true}
  Phone: traits.phone
  BillingCity: {from: traits.city, write: empty}
"""
CONTACT = """\
sfmap: 1
event: identify
object: Contact
match: Email
fields:
  Email: {from: traits.email, type: email, required: true}
  LastName: {from: traits.last, default: {value: n/a, write: create}}
  Title: traits.title
  Account: {object: Account, by: AccountNumber, from: context.groupId}
"""
STRICT_CONTACT = CONTACT.replace("by: AccountNumber, ", "by: AccountNumber, on_missing: reject, ")
ROLE = """\
sfmap: 1
event: {type: track, name: Seen}
object: Role__c
operation: create
fields:
  Kind__c: properties.title
  Contact__c: {object: Contact, by: Email, from: properties.email}
"""
ITEMS = """\
sfmap: 1
event: identify
for_each: traits.friends
object: Lead
match: Email
fields:
  Email: item
  LastName: traits.last
  Company: {value: Friends}
  Title: traits.title
"""

WORLDS: Mapping[str, Mapping[str, str]] = {
    "one key": {"lead": LEAD},
    "two keys in turn": {"lead": TWO_KEYS},
    "two keys together": {"lead": BOTH_KEYS},
    "several mappings of one object": {"lead": LEAD, "tracked": TRACKED, "deleted": DELETED},
    "pointers": {"account": ACCOUNT, "contact": CONTACT, "role": ROLE},
    "pointers that must find": {"account": ACCOUNT, "contact": STRICT_CONTACT},
    "items": {"items": ITEMS, "lead": LEAD},
}
"""By name, the mappings of a project."""

SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 40, external_id: true}
      Visits__c: {type: double, precision: 9, scale: 0}
      Seen__c: {type: datetime}
      Tags__c: {type: multipicklist, values: [red, blue, green]}
      Other__c: {type: email}
  Role__c:
    fields:
      Account__c: {type: reference, to: Account}
      Contact__c: {type: reference, to: Contact}
      Kind__c: {type: string, length: 20}
"""
PROJECT = f"""\
mappings: mappings
repeats: 0
orgs:
  org:
    login_url: URL
    username: {credentials.USERNAME}
    password: ${{PASSWORD}}
    security_token: ${{TOKEN}}
    call_limit: 3
"""
SECRETS = {"PASSWORD": credentials.PASSWORD, "TOKEN": credentials.SECURITY_TOKEN}
OWN = ("sfmap_number", "Id", "CreatedDate", "LastModifiedDate", "SystemModstamp")
"""Columns in which two orgs may differ."""


def stream(seed: int, number: int, people: int) -> list[Event]:
    """Events of so many people, some of which cannot be read, or are for nobody."""
    dice = random.Random(seed)
    return [_event(dice, count, people) for count in range(number)]


def _event(dice: random.Random, count: int, people: int) -> Event:
    person = dice.randrange(people)
    company = person // 2  # always the same, so that what points to it can be folded
    email = f"person{person}@example.com"
    about: Event = {"messageId": f"m{count}", "timestamp": f"2026-01-01T00:{count // 60 % 60:02}:{count % 60:02}Z"}
    kind = dice.random()
    if kind < 0.6:
        traits = _traits(dice, person, count)
        traits["email"] = email.upper() if dice.random() < 0.1 else email
        context = {"groupId": f"g{company}"} if dice.random() < 0.7 else {}
        user = dice.choice([f"u{person}", f"u{person}", f"u{dice.randrange(people)}", None])
        return {**about, "type": "identify", "userId": user, "traits": traits, "context": context}
    if kind < 0.8:
        named: Event = {"name": f"Company {count}"} if dice.random() < 0.9 else {}
        city = {"city": dice.choice(["Bonn", "Oslo"])} if dice.random() < 0.5 else {}
        traits = {**named, "phone": f"555-{count}", **city}
        return {**about, "type": "group", "groupId": f"g{company}", "traits": traits}
    if kind < 0.97:
        name = "Left" if dice.random() < 0.1 else "Seen"
        return {**about, "type": "track", "event": name, "properties": {"email": email, "title": f"Seen {count}"}}
    return {**about, "type": dice.choice(["page", "identify"]), "traits": {"title": "nobody"}}


def _traits(dice: random.Random, person: int, count: int) -> dict[str, object]:
    traits: dict[str, object] = {"title": f"Title {count}"}
    maybe: Mapping[str, object] = {
        "last": f"Last {person % 7}",
        "company": f"Company {count}",
        "city": dice.choice(["Rome", "Oslo", None]),
        "rating": dice.choice(["Hot", "Cold"]),
        "about": f"about {count}",
        "campaign": dice.choice(["Web", "Other"]),
        "tags": dice.choice(["red", "blue", "green;red"]),
        "visits": dice.choice([count, "many"]),
        "friends": [f"person{person + 1}@example.com", f"person{person}@example.com"],
    }
    return traits | {name: value for name, value in maybe.items() if dice.random() < 0.4}


def prepare(folder: Path, local: LocalOrg, mappings: Mapping[str, str], events: Sequence[Event]) -> None:
    """A project with these mappings, and its events."""
    (folder / "mappings").mkdir(parents=True, exist_ok=True)
    for name, text in mappings.items():
        (folder / "mappings" / f"{name}.yaml").write_text(text)
    (folder / "sfmap.yaml").write_text(PROJECT.replace("URL", local.url))
    half = len(events) // 2
    for name, some in (("a", events[:half]), ("b", events[half:])):
        lines = "".join(json.dumps(event) + "\n" for event in some)
        (folder / f"{name}.ndjson").write_text(f"{lines}junk\n")


def held(database: Path) -> dict[str, list[tuple[object, ...]]]:
    """What an org holds, with what its records point to instead of ids; in an order of its own."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        tables = ("Account", "Contact", "Lead", "Role__c")
        rows = {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in tables}
    finally:
        connection.close()
    names = {
        row["Id"]: f"{name} {row.get('Email') or row.get('AccountNumber')}" for name in rows for row in rows[name]
    }
    return {
        name: sorted(
            tuple(str(names.get(value, value)) for key, value in row.items() if key not in OWN) for row in found
        )
        for name, found in rows.items()
    }
