"""A folded record that the org refuses is delivered from its events: one bad value costs one event."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .streams import LEAD, Event, stream
from .worlds import World, world

MAPPING = LEAD + "  Other__c: traits.other\n"
REFUSED = "ann@a_b.com"
"""An address that the org refuses, and nothing before it."""


def person(email: str, **traits: object) -> Event:
    return {"type": "identify", "messageId": f"m{traits}", "traits": {"email": email, **traits}}


EVENTS = [
    person("ann@b.co", title="first"),
    person("bob@b.co", title="other", last="Lee"),
    person("ann@b.co", title="second", city="Rome"),
    person("ann@b.co", title="third", other=REFUSED),
    person("ann@b.co", last="Kay"),
    person("bob@b.co", city="Oslo"),
]


@pytest.fixture
def ann_and_bob(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "world", {"lead": MAPPING}, EVENTS) as ready:
        ready.make()
        yield ready


def fates(world: World) -> list[tuple[object, ...]]:
    return [(one["file"], one["line"], one["outcome"], one.get("events")) for one in world.folder.lines("results")]


def leads(world: World) -> list[tuple[object, ...]]:
    return world.held_of("Lead", "Email, LastName, Title, City")


def test_each_event_has_its_outcome(ann_and_bob: World) -> None:
    said = ann_and_bob.run("--records", "out", code=1)
    assert fates(ann_and_bob) == [
        ("a.ndjson", 1, "created", None),
        ("a.ndjson", 3, "updated", None),
        ("b.ndjson", 1, "failed", None),
        ("b.ndjson", 2, "updated", None),
        ("a.ndjson", 2, "created", 2),
    ]
    assert "read               6  events" in said
    assert "created            2\n  updated            3\n  failed             1" in said
    assert leads(ann_and_bob) == [("ann@b.co", "Kay", "second", "Rome"), ("bob@b.co", "Lee", "other", "Oslo")]


def test_the_dead_letter_is_the_event(ann_and_bob: World) -> None:
    ann_and_bob.run("--records", "out", code=1)
    (letter,) = ann_and_bob.folder.sfmap("dead-letters", "--org", "org", "--json").stdout.splitlines()
    found = json.loads(letter)
    assert found["raw"] == EVENTS[3]
    assert (found["file"], found["line"], found["mapping"]) == ("b.ndjson", 1, "lead")
    (ann_and_bob.folder.path / "mappings" / "lead.yaml").write_text(LEAD)
    assert ann_and_bob.folder.sfmap("retry", "--org", "org").returncode == 0
    assert leads(ann_and_bob)[0] == ("ann@b.co", "Kay", "third", "Rome")


def test_a_run_that_was_stopped_goes_on_with_the_events(ann_and_bob: World) -> None:
    """The refusal is in the journal: the record is not sent as a whole again."""
    for calls in range(5, 9):
        ann_and_bob.folder.sfmap("run", "--records", "out", "--org", "org", "--max-calls", str(calls))
    ann_and_bob.run("--records", "out")
    assert leads(ann_and_bob) == [("ann@b.co", "Kay", "second", "Rome"), ("bob@b.co", "Lee", "other", "Oslo")]
    assert len(ann_and_bob.folder.sfmap("dead-letters", "--org", "org").stdout.splitlines()) == 1


def test_many_refused_records_leave_the_same_org(tmp_path: Path) -> None:
    events = stream(3, 300, 8)
    for number, event in enumerate(events):
        traits = event.get("traits")
        if isinstance(traits, dict) and number % 29 == 0:
            traits["other"] = REFUSED
    orgs = []
    for way in ("events", "records"):
        with world(tmp_path / way, {"lead": MAPPING}, events) as ready:
            if way == "records":
                ready.make()
                ready.run("--records", "out", code=1)
            else:
                ready.run("a.ndjson", "b.ndjson", code=1)
            orgs.append(ready.held())
    assert orgs[0] == orgs[1]
