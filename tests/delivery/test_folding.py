"""Folding is exact: the org ends the same whether events go together or one at a time."""

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfmap.engine.delivery.deliver import Delivery
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.load import compile_mappings
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Event
from sfmap.engine.org.local.process import start_local_org
from sfmap.engine.org.soap import Secret, SoapOrg, SoapSettings
from sfmap.engine.sources.port import Received
from sfmap.engine.spec.diagnostics import Source

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
FIELDS = "Email FirstName LastName MailingCity Title Department AssistantName MailingGeocodeAccuracy".split()


@dataclass(frozen=True)
class Events:
    events: list[Event]

    def __iter__(self) -> Iterator[Received]:
        for number, event in enumerate(self.events, 1):
            yield Received(number, "events", number, 1, event)


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


def deliver(
    folder: Path, events: list[Event], window_size: int, mapping: str
) -> tuple[list[Outcome], list[object]]:
    mapper = Mapper(compile_mappings({"contact": Source("contact.yaml", mapping)}, (), {}))
    database = folder / f"{window_size}.db"
    with start_local_org(database) as local:
        org = SoapOrg(
            SoapSettings(local.url, local.username, Secret(local.password), Secret(local.security_token))
        )
        outcomes = list(Delivery(org, mapper, window_size=window_size).deliver(Events(events)))
    rows = sqlite3.connect(database).execute(f"SELECT {', '.join(FIELDS)} FROM Contact ORDER BY Id").fetchall()
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
def test_traps(tmp_path: Path, mapping: str, traits: list[Event]) -> None:
    events: list[Event] = [{"type": "identify", "traits": one} for one in traits]
    one_by_one, expected = deliver(tmp_path, events, 1, mapping)
    together, rows = deliver(tmp_path, events, 60, mapping)
    assert rows == expected
    assert [(o.event, o.fate, o.reason) for o in together] == [(o.event, o.fate, o.reason) for o in one_by_one]


@pytest.mark.parametrize(("seed", "on_many"), [(102, "newest"), (126, "oldest"), (3, "error"), (4, "newest")])
def test_together_is_as_one_by_one(tmp_path: Path, seed: int, on_many: str) -> None:
    events = stream(seed, 60)
    one_by_one, expected = deliver(tmp_path, events, 1, MAPPING.format(on_many=on_many))
    together, rows = deliver(tmp_path, events, 60, MAPPING.format(on_many=on_many))
    assert rows == expected
    assert [(o.event, o.fate, o.reason) for o in together] == [(o.event, o.fate, o.reason) for o in one_by_one]
