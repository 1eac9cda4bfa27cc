"""Keys of a mapping that delivery applies: on_none, timestamp_guard, skip_unchanged and add."""

import hashlib
import sqlite3
from contextlib import closing

import pytest

from ..reliability.people import LEAD, person
from ..scene import Scene


@pytest.mark.parametrize(("operation", "left"), [("update", [("a@b.co", "Rome")]), ("delete", [])])
def test_a_missing_record_is_skipped_or_fails_by_on_none(
    scene: Scene, operation: str, left: list[tuple[object, ...]]
) -> None:
    """It is skipped; with `on_none: error` it waits among the dead letters until the record is there."""
    event = person("a", city="Rome")
    scene.mapping(LEAD + f"operation: {operation}\n")
    scene.run(event)
    assert scene.outcomes() == [("skipped", f"no Lead to {operation} was found")]
    scene.mapping(LEAD + f"operation: {operation}\non_none: error\n")
    scene.run(event, code=1)
    assert scene.outcomes() == [("failed", f"no Lead to {operation} was found by Email, and on_none is error")]
    scene.mapping(LEAD)
    scene.run(person("a", city="Oslo"))
    scene.mapping(LEAD + f"operation: {operation}\non_none: error\n")
    scene.sfmap("retry")
    assert scene.rows("SELECT Email, City FROM Lead WHERE NOT IsDeleted") == left


def test_an_older_event_does_not_overwrite_a_newer_one(scene: Scene) -> None:
    scene.mapping(f"{LEAD}timestamp_guard: true\n")
    newer = {**person("a", city="New"), "timestamp": "2026-02-01T00:00:00Z"}
    older = {**person("a", city="Old"), "timestamp": "2026-01-31T23:59:59+00:00"}
    without = person("a", phone="555")
    scene.run(newer, older, without)
    assert [fate for fate, _ in scene.outcomes()] == ["created", "skipped", "updated"]
    scene.run(older, arguments=("--restart",))
    assert scene.outcomes() == [("skipped", "a newer event was written for the same record: timestamp_guard")]
    assert scene.rows("SELECT City, Phone FROM Lead") == [("New", "555")]


def test_the_newest_events_are_found_by_a_hash_that_does_not_change(scene: Scene) -> None:
    """A later version must find those that this one has written."""
    scene.mapping(f"{LEAD}timestamp_guard: true\n")
    scene.run({**person("a"), "timestamp": "2026-02-01T00:00:00Z"})
    identity = hashlib.sha256(b"('Lead', ('Email',), ('a@b.co',))").digest()[:16]
    with closing(sqlite3.connect(scene.folder.path / ".sfmap" / "journal.db")) as journal:
        assert journal.execute("SELECT identity, moment FROM newest").fetchall() == [
            (identity, "2026-02-01T00:00:00.000Z")
        ]


def test_unchanged_values_are_not_written(scene: Scene) -> None:
    numbers = "  Visits__c: traits.visits\n  Seen__c: traits.seen\n"
    scene.mapping(f"{LEAD}{numbers}skip_unchanged: true\n")
    same = person("a", city="Rome", visits="4", seen="2026-01-02T03:04:05+02:00")
    scene.run(same, person("b", city="Rome"))
    scene.run(same, person("b", city="Oslo"), arguments=("--restart",))
    assert [fate for fate, _ in scene.outcomes()] == ["unchanged", "updated"]
    assert scene.calls()["update"] == 1


TAGGED = """\
event: identify
object: Lead
match: Email
MORE
fields:
  Email: {from: traits.email, required: true}
  LastName: {value: n/a}
  Company: {value: Initech}
  Tags__c: {from: traits.tags | join(';'), add: true, on_null: clear}
  Phone: {from: traits.tags | join(';'), add: true}
"""


@pytest.mark.parametrize(("more", "again"), [("", "updated"), ("skip_unchanged: true", "unchanged")])
def test_values_are_added_to_multi_select_picklists(scene: Scene, more: str, again: str) -> None:
    """In one run and in the next, and of several events of one person."""
    scene.mapping(TAGGED.replace("MORE", more))
    scene.run(person("a", tags=["red", "Red"]), person("a", tags=["dark; blue"]), person("b"))
    assert scene.rows("SELECT Tags__c FROM Lead ORDER BY Email") == [("red;dark, blue",), (None,)]
    scene.run(person("a", tags=["green"]), person("a", tags=["RED", "white"]), person("b", tags="red"))
    assert scene.rows("SELECT Tags__c FROM Lead ORDER BY Email") == [("red;dark, blue;green;white",), ("red",)]
    scene.again()
    assert [fate for fate, _ in scene.outcomes()] == [again] * 3
    notes = ["Phone: left out: add is for multi-select picklists, and Phone is not one"]
    assert {str(line["notes"]) for line in scene.folder.lines("results")} == {str(notes)}
    scene.run(person("a", tags=None), person("a", tags=["blue"]), person("b", tags=None))
    assert scene.rows("SELECT Tags__c, Phone FROM Lead ORDER BY Email") == [("blue", None), (None, None)]


@pytest.mark.parametrize("order", ["the newer is refused", "the newer is written"])
def test_a_refused_event_does_not_block_an_older_one(scene: Scene, order: str) -> None:
    scene.mapping(f"{LEAD}timestamp_guard: true\n")
    is_refused = order == "the newer is refused"
    newer = {**person("a", city="New"), "timestamp": "2026-02-01T00:00:00Z"}
    older = {**person("a", city="Old"), "timestamp": "2026-01-31T00:00:00Z"}
    scene.faults(*([{"kind": "record_error", "calls": "create", "times": 1}] if is_refused else []))
    scene.run(newer, older, code=int(is_refused))
    expected = ["failed", "created"] if is_refused else ["created", "skipped"]
    assert [fate for fate, _ in scene.outcomes()] == expected
