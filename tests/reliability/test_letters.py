"""Dead letters delivered again, by a retry that does not come to its end."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import load_project
from sfmap.engine.sources.event_source import START
from sfmap.engine.wiring import open_org

from ..scene import SECRETS, Scene

CASE = """\
event: track
object: Case
operation: create
fields: {Subject: event}
"""
REFUSED: dict[str, object] = {"kind": "record_error", "calls": "create"}


def kill_a_retry_before_its_commit(folder: Path, fate: str) -> None:
    """The org's answers are in the journal; what follows from them for the dead letters is not."""
    project = load_project(folder)
    mapper = Mapper(compile_mappings(*chosen_mappings(project, None, "org")))
    with closing(Database(project.journal)) as journal, open_org(project, project.org("org")) as opened:
        source = DeadLetterSource(journal, opened.key)
        ledger = Ledger(journal, opened.key, source.name)
        ledger.begin_unless_begun()
        for delivered in make_delivery(mapper, opened.org, ledger, RunOptions()).deliver(source, START):
            assert [outcome.fate for outcome in delivered.outcomes] == [fate] * 3
            break


@pytest.mark.parametrize("arguments", [(), ("2",)])
def test_a_killed_retry_makes_no_second_records(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    scene.mapping(CASE)
    scene.faults(REFUSED)
    scene.run(*({"type": "track", "event": f"E{number}"} for number in range(3)), code=1)
    scene.faults()
    kill_a_retry_before_its_commit(scene.folder.path, "created")
    assert scene.rows('SELECT count(*) FROM "Case"') == [(3,)]
    scene.sfmap("retry", *arguments)
    said = scene.sfmap("retry") if arguments else ""
    assert scene.rows('SELECT count(*) FROM "Case"') == [(3,)], said
    assert letters(scene) == []


def letters(scene: Scene) -> list[dict[str, object]]:
    lines = scene.sfmap("dead-letters", "--json").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_what_failed_in_a_killed_retry_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    scene.mapping(CASE)
    scene.faults(REFUSED)
    scene.run(*({"type": "track", "event": f"E{number}"} for number in range(3)), code=1)
    kill_a_retry_before_its_commit(scene.folder.path, "failed")
    scene.faults()
    scene.sfmap("retry")
    assert scene.rows('SELECT count(*) FROM "Case"') == [(3,)]
    assert letters(scene) == []


def test_copies_within_one_file_are_left_out_where_that_is_asked_for(scene: Scene) -> None:
    scene.mapping(CASE)
    same = {"type": "track", "event": "E", "messageId": "1"}
    said = scene.run(same, same, {**same, "messageId": "2"}, arguments=("--skip-delivered",))
    assert "an event with the same messageId came before" in said
    assert scene.rows('SELECT count(*) FROM "Case"') == [(2,)]


def test_what_nobody_will_mend_can_be_forgotten(scene: Scene) -> None:
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
def test_of_copies_of_an_event_the_last_one_says_how_it_stands(
    scene: Scene, before: tuple[object, ...], events: tuple[object, ...], letters_left: int
) -> None:
    scene.mapping(SEAT)
    for name, text in {"companies": COMPANIES, "closures": CLOSURES}.items():
        (scene.folder.path / "mappings" / f"{name}.yaml").write_text(text)
    scene.run(*before, *events, code=1)
    assert len(letters(scene)) == letters_left + len(before)
    scene.sfmap("retry", code=min(1, letters_left + len(before)))
    assert scene.rows("SELECT Phone FROM Contact") == [("2",)]


def test_a_dead_letter_keeps_the_number_of_its_event(scene: Scene) -> None:
    scene.mapping(CASE)
    scene.run({"type": "track", "event": "E"}, "nonsense", code=1)
    (before,) = letters(scene)
    scene.sfmap("retry", code=1)
    (after,) = letters(scene)
    assert (before["event"], after["event"], after["attempts"]) == (2, 2, 2)
