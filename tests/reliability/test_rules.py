"""Each kind of failure with its rule: what is sent again, what waits, and what fails, with its reason."""

import json
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing

import pytest

from ..folder import SFMAP
from ..scene import SECRETS, Scene

LEAD = """\
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, required: true}
  LastName: {from: traits.last, default: n/a}
  Company: {value: Initech}
  City: traits.city
  Phone: traits.phone
  Rating: {from: traits.rating, write: empty}
  LeadSource: {value: Web, write: create}
"""
KEYED = """\
event: identify
object: Lead
match: {external_id: Key__c}
fields: {Key__c: traits.email, LastName: {value: n/a}, Company: {value: Initech}, City: traits.city}
"""
ACCOUNT = """\
event: identify
object: Account
match: AccountNumber
fields: {AccountNumber: traits.email, Code__c: traits.code, Name: {value: n/a}, BillingCity: traits.city}
"""
MAPPINGS = {"lead": LEAD, "keyed": KEYED, "account": ACCOUNT}
TABLES = {"lead": "Lead", "keyed": "Lead", "account": "Account"}


def person(name: str, **traits: object) -> dict[str, object]:
    return {"type": "identify", "messageId": f"m-{name}", "traits": {"email": f"{name}@b.co", **traits}}


PEOPLE = [person(f"p{number}", city=f"City {number}") for number in range(12)]

HEALS: list[tuple[str, dict[str, object]]] = [
    ("lead", {"kind": "expired_session", "calls": "create"}),
    ("lead", {"kind": "expired_session", "calls": "query"}),
    ("lead", {"kind": "server_unavailable"}),
    ("lead", {"kind": "server_unavailable", "calls": "create"}),
    ("lead", {"kind": "concurrent_limit", "calls": "create"}),
    ("lead", {"kind": "lock_row", "calls": "create"}),
    ("lead", {"kind": "record_lock", "calls": "create"}),
    ("lead", {"kind": "record_lock_wrapped", "calls": "create", "share": 0.5}),
    ("lead", {"kind": "http_error", "calls": "query"}),
    ("lead", {"kind": "html", "calls": "query"}),
    ("lead", {"kind": "html", "calls": "create"}),
    ("lead", {"kind": "http_error", "calls": "create", "status": 502}),
    ("lead", {"kind": "reset", "calls": "create"}),
    ("lead", {"kind": "reset_after", "calls": "create"}),
    ("lead", {"kind": "truncated", "calls": "create"}),
    ("lead", {"kind": "timeout", "calls": "create", "seconds": 0.3}),
    ("lead", {"kind": "late_commit", "calls": "create", "seconds": 1}),
    ("lead", {"kind": "slow", "calls": "create", "seconds": 0.5}),
    ("lead", {"kind": "down", "calls": "describeSObjects", "seconds": 1}),
    ("keyed", {"kind": "reset_after", "calls": "upsert"}),
    ("keyed", {"kind": "late_commit", "calls": "upsert", "seconds": 1}),
    ("account", {"kind": "late_commit", "calls": "create", "seconds": 1}),
]


IDS = [f"{mapping}-{' '.join(map(str, fault.values()))}" for mapping, fault in HEALS]


@pytest.mark.parametrize(("mapping", "fault"), HEALS, ids=IDS)
def test_what_heals(scene: Scene, mapping: str, fault: dict[str, object]) -> None:
    scene.mapping(MAPPINGS[mapping])
    scene.faults({**fault, "times": 1})
    scene.run(*PEOPLE)
    time.sleep(1 if fault["kind"] == "late_commit" else 0)
    table = TABLES[mapping]
    city = "City" if table == "Lead" else "BillingCity"
    assert scene.rows(f"SELECT count(*), count(DISTINCT {city}) FROM {table}") == [(12, 12)]
    assert len(scene.outcomes()) == 12
    assert {fate for fate, _ in scene.outcomes()} <= {"created", "updated"}


def test_a_unique_key_needs_no_waiting(scene: Scene) -> None:
    """The org itself keeps a second record out, so the write goes again at once."""
    scene.mapping(KEYED)
    scene.faults({"kind": "reset_after", "calls": "upsert", "times": 1})
    said = scene.run(*PEOPLE)
    assert "wait until" not in said
    assert scene.calls()["upsert"] == 2


def test_others_go_on_while_a_write_is_in_doubt(scene: Scene) -> None:
    """Those of the lost batch wait, and what comes later for them too; everybody else is delivered.

    The doubt lasts long enough for a slow machine to get to the end of the events meanwhile.
    """
    scene.mapping(LEAD, call_limit=10)
    scene.faults({"kind": "late_commit", "calls": "create", "times": 1, "seconds": 1.2})
    crowd = [person(f"q{number}") for number in range(2_000)]
    later = [person("q1", city="Later"), person("q1900", city="Later"), person("new", city="Later")]
    said = scene.run(*crowd, *later, arguments=("--connections", "1"))
    assert "201 records wait until" in said
    assert scene.rows("SELECT Email FROM Lead WHERE City = 'Later' ORDER BY Email") == [
        ("new@b.co",),
        ("q1900@b.co",),
        ("q1@b.co",),
    ]
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(2_001, 2_001)]
    assert len(scene.outcomes()) == 2_003


def test_a_killed_run_remembers_its_doubts(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults({"kind": "late_commit", "calls": "create", "times": 1, "seconds": 1.5})
    (scene.folder.path / "events.ndjson").write_text("".join(json.dumps(one) + "\n" for one in PEOPLE))
    process = scene.start()
    assert process.stderr
    while "wait until" not in process.stderr.readline():
        assert process.poll() is None
    process.kill()
    process.wait()
    assert scene.rows("SELECT count(*) FROM Lead") == [(0,)]
    scene.again()
    time.sleep(1)
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(12, 12)]


def test_what_cannot_heal_is_a_dead_letter(scene: Scene) -> None:
    scene.mapping(LEAD)
    error = {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Budget first"}
    scene.faults({"kind": "record_error", "calls": "create", "share": 0.5, **error})
    scene.run(*PEOPLE, "nonsense", code=1)
    failed = [reason for fate, reason in scene.outcomes() if fate == "failed"]
    refused = failed.count("FIELD_CUSTOM_VALIDATION_EXCEPTION: Budget first")
    assert 1 < refused < 12
    assert len(failed) == refused + 1
    assert scene.calls()["create"] == 1  # what cannot heal is not sent again
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
    scene.faults({"kind": "record_error", "calls": "create", **error})
    scene.sfmap("retry", str(letters[0]["id"]), code=1)
    again = json.loads(scene.sfmap("dead-letters", "--json", "--reason", "Budget").splitlines()[0])
    assert (again["id"], again["attempts"]) == (letters[0]["id"], 2)
    scene.faults()
    said = scene.sfmap("retry", "--reason", "Budget", "--results", "retried")
    assert "failed" not in said
    assert len(scene.sfmap("dead-letters").splitlines()) == 1
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(12, 12)]
    assert "not JSON" in scene.sfmap("retry", code=1)
    assert "no such dead letter" in scene.sfmap("retry", "4711", code=2)
    assert "no such dead letter" in scene.sfmap("dead-letters", "--reason", "nobody")


def test_a_mended_mapping_mends_dead_letters(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(person("a"), {"type": "identify", "traits": {"mail": "b@b.co"}}, code=1)
    scene.mapping(LEAD.replace("traits.email", "[traits.email, traits.mail]"))
    scene.sfmap("retry")
    assert scene.sfmap("dead-letters") == "There are no dead letters.\n"
    assert scene.rows("SELECT Email FROM Lead ORDER BY Email") == [("a@b.co",), ("b@b.co",)]


@pytest.mark.parametrize(("operation", "left"), [("update", [("a@b.co", "Rome")]), ("delete", [])])
def test_a_record_that_is_not_there(scene: Scene, operation: str, left: list[tuple[object, ...]]) -> None:
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


def test_a_call_that_one_record_spoils(scene: Scene) -> None:
    """A field that the org does not know after all is left out, and said; the rest is delivered."""
    scene.mapping(LEAD)
    words = "No such column 'City' on entity 'Lead'. If you are attempting to use a custom field, be sure"
    scene.faults({"kind": "fault", "calls": "create", "times": 1, "code": "INVALID_FIELD", "message": words})
    said = scene.run(*PEOPLE)
    assert "noted             12  City: left out: the org does not know this field" in said
    assert scene.rows("SELECT count(*), count(City) FROM Lead") == [(12, 0)]
    assert scene.calls()["create"] == 2


def test_a_record_deleted_in_between(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(person("a"), person("b"))
    scene.faults({"kind": "deleted_between", "calls": "update", "times": 1})
    scene.run(person("a", city="Rome"), person("b", city="Rome"), arguments=("--restart",))
    assert scene.rows("SELECT count(*) FROM Lead WHERE NOT IsDeleted AND City = 'Rome'") == [(2,)]
    assert [fate for fate, _ in scene.outcomes()] == ["created", "created"]


def test_a_record_that_somebody_else_creates_in_between(scene: Scene) -> None:
    """A unique field tells, and the record that is there is written."""
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "created_between", "calls": "create", "times": 1})
    scene.run(person("a", code="c1", city="Rome"))
    assert scene.rows("SELECT AccountNumber, BillingCity FROM Account") == [("a@b.co", "Rome")]
    assert scene.outcomes() == [("updated", None)]


def test_a_unique_value_that_another_record_has(scene: Scene) -> None:
    scene.mapping(ACCOUNT)
    scene.run(person("a", code="c1"), person("b", code="c1"), code=1)
    assert [fate for fate, _ in scene.outcomes()] == ["created", "failed"]
    assert "DUPLICATE_VALUE" in str(scene.outcomes()[1][1])
    assert scene.calls()["create"] <= 4


DUPLICATES = [
    ("fail", [("ann@b.co", None)], "failed"),
    ("save", [("ann@b.co", None), ("bob@b.co", "Rome")], "created"),
    ("update", [("bob@b.co", "Rome")], "updated"),
]


@pytest.mark.parametrize(("choice", "left", "fate"), DUPLICATES)
def test_duplicates(scene: Scene, choice: str, left: list[tuple[object, ...]], fate: str) -> None:
    scene.mapping(f"{LEAD}on_duplicate: {choice}\n")
    scene.run(person("ann", phone="555"))
    scene.run(person("bob", phone="555", city="Rome"), code=choice == "fail", arguments=("--restart",))
    assert scene.rows("SELECT Email, City FROM Lead ORDER BY Email") == left
    assert [one for one, _ in scene.outcomes()] == [fate]


def test_duplicates_that_the_org_does_not_name(scene: Scene) -> None:
    """There is nothing to update then: each event of the person fails for itself."""
    scene.mapping(f"{LEAD}on_duplicate: update\n")
    reason = {"code": "DUPLICATES_DETECTED", "message": "Use one of these records?"}
    scene.faults({"kind": "record_error", "calls": "create", **reason})
    said = scene.run(person("ann"), person("ann", city="Rome"), person("bob"), code=1)
    assert scene.outcomes() == [("failed", "DUPLICATES_DETECTED: Use one of these records?")] * 3
    assert "wait until" not in said
    assert scene.calls()["create"] == 3


def test_an_upsert_that_finds_several(scene: Scene) -> None:
    """The org cannot tell which one is meant, so they are looked up: by default the newest is written."""
    native = LEAD.replace("  LeadSource: {value: Web, write: create}\n", "")
    scene.mapping(native.replace("operation", "").replace("match: Email", "operation: create"))
    scene.run(*({**person("ann", city=city), "messageId": city} for city in ("One", "Two")))
    scene.mapping(native)
    scene.run(person("ann", city="Rome"), person("bob"), arguments=("--restart",))
    assert scene.rows("SELECT City FROM Lead WHERE Email = 'ann@b.co' ORDER BY Id") == [("One",), ("Rome",)]
    assert [fate for fate, _ in scene.outcomes()] == ["updated", "created"]
    calls = scene.calls()
    assert (calls["upsert"], calls["query"], calls["update"]) == (1, 1, 1)


def test_all_or_none(scene: Scene) -> None:
    """The record at fault fails, and those that went down with it go again."""
    scene.mapping(f"{LEAD.replace('default: n/a', 'on_invalid: drop')}headers: {{all_or_none: true}}\n")
    scene.run(person("a", last="A"), person("b"), person("c", last="C"), code=1)
    assert [fate for fate, _ in scene.outcomes()] == ["created", "failed", "created"]
    assert scene.rows("SELECT Email FROM Lead ORDER BY Id") == [("a@b.co",), ("c@b.co",)]


def test_a_create_that_nothing_finds_again(scene: Scene) -> None:
    """It is never sent twice."""
    scene.mapping(LEAD.replace("match: Email", "operation: create"))
    scene.faults({"kind": "reset_after", "calls": "create", "times": 1})
    scene.run(person("a"), code=1)
    assert "It is not known whether the record was created" in str(scene.outcomes()[0][1])
    assert scene.rows("SELECT count(*) FROM Lead") == [(1,)]


def test_a_converted_lead(scene: Scene) -> None:
    converted = "City: traits.city\n  IsConverted: {value: true, write: create}"
    scene.mapping(LEAD.replace("City: traits.city", converted))
    scene.run(person("ann"))
    scene.run(person("ann", city="Rome"), code=1, arguments=("--restart",))
    assert scene.outcomes() == [("failed", "CANNOT_UPDATE_CONVERTED_LEAD: cannot reference converted lead")]


def test_the_limit_of_the_day(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults({"kind": "day_limit", "calls": "create", "times": 1})
    said = scene.run(*PEOPLE, code=3)
    assert "used up its API requests" in said
    assert scene.calls()["create"] == 1
    scene.again()
    assert scene.rows("SELECT count(*) FROM Lead") == [(12,)]


@pytest.mark.parametrize("most", [1, 2, 3, 4, 5])
def test_a_budget_is_never_passed(scene: Scene, most: int) -> None:
    scene.mapping(LEAD)
    said = scene.run(*PEOPLE, code=3 if most < 5 else 0, arguments=("--max-calls", str(most)))
    assert scene.calls().total() == min(most, 5)
    assert ("--max-calls are used" in said) == (most < 5)
    scene.again()
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(12, 12)]


def test_a_reserve_is_left_alone(scene: Scene) -> None:
    scene.mapping(LEAD, "reserve: 99.997%")
    said = scene.run(*PEOPLE, code=3)
    assert "99" in said
    assert "are to be left alone" in said
    # The sign-in is no API request for the org, and before its first answer nothing is known.
    assert scene.calls().total() - scene.calls()["login"] == 3
    limits = scene.sfmap("limits", "--json", code=0)
    assert json.loads(limits)["limit"] == 100_000


def test_calls_are_counted_as_the_org_counts_them(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults(
        {"kind": "reset", "probability": 0.1},
        {"kind": "truncated", "probability": 0.1},
        {"kind": "server_unavailable", "probability": 0.1},
    )
    scene.run(*[person(f"r{number % 700}", city=f"c{number}") for number in range(3_000)])
    assert scene.folder.report()["api_calls"] == dict(scene.calls())


CALLS = [
    (LEAD.replace("  LeadSource: {value: Web, write: create}\n", ""), 20_000 / 200 + 10),
    (LEAD, 20_000 / 200 + 20_000 / 1_000 + 10),
]


@pytest.mark.parametrize(("mapping", "most"), CALLS, ids=["upsert", "lookup"])
def test_few_calls_for_many_people(scene: Scene, mapping: str, most: float) -> None:
    """Counted by the org's own log, for 20,000 new ones, and once more for the same."""
    scene.mapping(mapping)
    people = [person(f"n{number}", city="Rome") for number in range(20_000)]
    scene.run(*people)
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(20_000, 20_000)]
    first = scene.calls().total()
    scene.again()
    assert (first <= most, scene.calls().total() - first <= most) == (True, True), scene.calls()


def test_patience_has_an_end(scene: Scene) -> None:
    scene.mapping(LEAD, "patience: 1")
    scene.faults({"kind": "server_unavailable", "calls": "create"})
    said = scene.run(*PEOPLE, code=3)
    assert "No event was delivered" in said
    assert scene.calls()["create"] > 1
    scene.faults()
    scene.again()
    assert scene.rows("SELECT count(*) FROM Lead") == [(12,)]


def test_ctrl_c_while_waiting(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults({"kind": "server_unavailable", "calls": "create"})
    (scene.folder.path / "events.ndjson").write_text(json.dumps(PEOPLE[0]))
    process = scene.start()
    assert process.stderr
    while "Retrying until" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    said = process.communicate(timeout=10)[1]
    assert process.returncode == 130, said
    assert time.monotonic() - started < 5
    assert "Stopped." in said


def test_streams_skip_what_was_delivered(scene: Scene) -> None:
    scene.mapping(LEAD)
    stream = "".join(json.dumps(one) + "\n" for one in [*PEOPLE, PEOPLE[0]]).encode()
    scene.sfmap("run", "-", stdin=stream)
    said = scene.sfmap("run", "-", "--report", "report.json", stdin=stream)
    assert "an event with the same messageId came before" in said
    report = scene.folder.report()
    assert (report["events"], report["created"], report["updated"]) == (13, 0, 0)
    assert scene.calls()["update"] == 0
    scene.run(*PEOPLE, arguments=("--skip-delivered",))
    assert {fate for fate, _ in scene.outcomes()} == {"skipped"}
    scene.again()
    assert {fate for fate, _ in scene.outcomes()} == {"updated"}


CREATING = LEAD.replace("match: Email", "operation: create")


def test_a_file_that_is_run_twice_creates_nothing_twice(scene: Scene) -> None:
    """Other mappings take the events again."""
    scene.mapping(CREATING)
    (scene.folder.path / "mappings" / "account.yaml").write_text(f"sfmap: 1\n{ACCOUNT}")
    nameless = {key: value for key, value in person("x").items() if key != "messageId"}
    scene.run(person("a"), person("b"), person("a"), nameless)
    assert scene.rows("SELECT Email FROM Lead ORDER BY Email") == [("a@b.co",), ("b@b.co",), ("x@b.co",)]
    scene.again()
    scene.run(person("a"), person("c"), nameless, arguments=("--restart",))
    emails = [row[0] for row in scene.rows("SELECT Email FROM Lead ORDER BY Id")]
    assert emails == ["a@b.co", "b@b.co", "x@b.co", "x@b.co", "c@b.co", "x@b.co"]
    again = (
        "skipped",
        "an event with the same messageId came before, and the mapping would create a second record",
    )
    assert scene.outcomes()[:2] == [("updated", None), again]


def test_a_mapping_that_is_new_creates_records_of_events_that_others_took(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(person("a"))
    (scene.folder.path / "mappings" / "other.yaml").write_text(f"sfmap: 1\n{CREATING}")
    scene.again()
    assert scene.rows("SELECT Email FROM Lead") == [("a@b.co",), ("a@b.co",)]


def test_only_what_failed_is_created_when_a_file_comes_again(scene: Scene) -> None:
    """Of one event, a mapping's record was created and another one's was refused."""
    scene.mapping(CREATING)
    refused = CREATING.replace("last, default: n/a", "other, required: true")
    (scene.folder.path / "mappings" / "other.yaml").write_text(f"sfmap: 1\n{refused}")
    scene.run(person("a", last="Lee"), code=1)
    (scene.folder.path / "mappings" / "other.yaml").write_text(f"sfmap: 1\n{CREATING}")
    scene.again()
    assert scene.rows("SELECT LastName FROM Lead ORDER BY Id") == [("Lee",), ("Lee",)]
    assert [fate for fate, _ in scene.outcomes()] == ["skipped", "created"]
    assert scene.sfmap("dead-letters") == "There are no dead letters.\n"


def test_without_repeats_a_file_is_created_again(scene: Scene) -> None:
    scene.mapping(CREATING)
    project = scene.folder.path / "sfmap.yaml"
    project.write_text(f"repeats: 0\n{project.read_text()}")
    scene.run(person("a"))
    scene.again()
    assert scene.rows("SELECT count(*) FROM Lead") == [(2,)]


def test_an_empty_message_id_is_none(scene: Scene) -> None:
    scene.mapping(LEAD)
    nameless = [{**person(name), "messageId": ""} for name in "ab"]
    for expected in ("created", "updated"):
        scene.run(*nameless, arguments=("--skip-delivered", "--restart"))
        assert [fate for fate, _ in scene.outcomes()] == [expected, expected]


def test_an_older_event_leaves_a_newer_one_alone(scene: Scene) -> None:
    scene.mapping(f"{LEAD}timestamp_guard: true\n")
    newer = {**person("a", city="New"), "timestamp": "2026-02-01T00:00:00Z"}
    older = {**person("a", city="Old"), "timestamp": "2026-01-31T23:59:59+00:00"}
    without = person("a", phone="555")
    scene.run(newer, older, without)
    assert [fate for fate, _ in scene.outcomes()] == ["created", "skipped", "updated"]
    scene.run(older, arguments=("--restart",))
    assert scene.outcomes() == [("skipped", "a newer event was written for the same record: timestamp_guard")]
    assert scene.rows("SELECT City, Phone FROM Lead") == [("New", "555")]


def test_what_is_there_already_is_not_written(scene: Scene) -> None:
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
def test_values_that_are_added(scene: Scene, more: str, again: str) -> None:
    """In one run and in the next, and of several events of one person."""
    scene.mapping(TAGGED.replace("MORE", more))
    scene.run(person("a", tags=["red", "Red"]), person("a", tags=["dark; blue"]), person("b"))
    assert scene.rows("SELECT Tags__c FROM Lead ORDER BY Email") == [("red;dark, blue",), (None,)]
    scene.run(person("a", tags=["green"]), person("a", tags=["RED", "white"]), person("b", tags="red"))
    assert scene.rows("SELECT Tags__c FROM Lead ORDER BY Email") == [("red;dark, blue;green;white",), ("red",)]
    scene.again()
    assert [fate for fate, _ in scene.outcomes()] == [again] * 3
    notes = ["Phone: left out: add is for multi-select picklists, and Phone is none"]
    assert {str(line["notes"]) for line in scene.folder.lines("results")} == {str(notes)}
    scene.run(person("a", tags=None), person("a", tags=["blue"]), person("b", tags=None))
    assert scene.rows("SELECT Tags__c, Phone FROM Lead ORDER BY Email") == [("blue", None), (None, None)]


def test_a_trigger_that_bears_fewer_records_at_once(scene: Scene) -> None:
    """The size that went through is kept; a larger one is tried less and less often."""
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "governor_limit", "calls": "create", "records": 50})
    said = scene.run(*(person(f"p{number}") for number in range(400)), arguments=("--connections", "1"))
    assert "Account create: the org refused more than 50 at a time: LeadTrigger" in said
    assert scene.rows("SELECT count(*), count(DISTINCT AccountNumber) FROM Account") == [(400, 400)]
    assert scene.calls()["create"] < 20
    assert scene.sfmap("dead-letters") == "There are no dead letters.\n"


def test_batches_grow_again_once_they_go_through(scene: Scene) -> None:
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "governor_limit", "calls": "create", "times": 3})
    scene.run(*(person(f"p{number}") for number in range(2_200)), arguments=("--connections", "1"))
    assert Counter(fate for fate, _ in scene.outcomes()) == {"created": 2_200}
    assert scene.calls()["create"] < 20  # 11 would do without the limit


def test_a_record_that_a_trigger_cannot_bear_alone(scene: Scene) -> None:
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "governor_limit", "calls": "create"})
    scene.run(person("a"), code=1)
    assert scene.calls()["create"] == 1


@pytest.mark.parametrize("where", ["the mapping", "the org"])
def test_batches_are_as_small_as_is_asked_for(scene: Scene, where: str) -> None:
    size = "batch_size: 5"
    scene.mapping(ACCOUNT + (size if where == "the mapping" else ""), "" if where == "the mapping" else size)
    scene.run(*PEOPLE)
    assert scene.calls()["create"] == 3


TROUBLES = ["SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION"]


@pytest.mark.parametrize("code", TROUBLES)
def test_a_trouble_of_the_org_that_comes_as_an_error_of_records(scene: Scene, code: str) -> None:
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "record_error", "calls": "create", "code": code, "message": "Try later", "times": 1})
    scene.run(*PEOPLE)
    assert {fate for fate, _ in scene.outcomes()} == {"created"}


def test_each_cause_has_a_bound_of_its_own(scene: Scene) -> None:
    """Locked several times, and then created by somebody else in between."""
    scene.mapping(ACCOUNT)
    scene.faults(
        {"kind": "record_lock", "calls": "create", "at": [1, 2, 3, 4]},
        {"kind": "created_between", "calls": "create", "at": [1]},
    )
    scene.run(person("a", code="X", city="Rome"))
    assert [fate for fate, _ in scene.outcomes()] == ["updated"]
    assert scene.rows("SELECT count(*) FROM Account") == [(1,)]


@pytest.mark.parametrize("order", ["the newer is refused", "the newer is written"])
def test_only_what_was_written_overtakes(scene: Scene, order: str) -> None:
    scene.mapping(f"{LEAD}timestamp_guard: true\n")
    is_refused = order == "the newer is refused"
    newer = {**person("a", city="New"), "timestamp": "2026-02-01T00:00:00Z"}
    older = {**person("a", city="Old"), "timestamp": "2026-01-31T00:00:00Z"}
    scene.faults(*([{"kind": "record_error", "calls": "create", "times": 1}] if is_refused else []))
    scene.run(newer, older, code=int(is_refused))
    expected = ["failed", "created"] if is_refused else ["created", "skipped"]
    assert [fate for fate, _ in scene.outcomes()] == expected


JOURNALS = [
    ("not a database", "is damaged"),
    ("another version", "written by another version"),
    ("a folder", "cannot be written"),
    ("held", "is locked by another program"),
]


@pytest.mark.parametrize(("state", "words"), JOURNALS)
def test_a_journal_that_cannot_be_used(scene: Scene, state: str, words: str) -> None:
    scene.mapping(LEAD)
    journal = scene.folder.path / ".sfmap" / "journal.db"
    journal.parent.mkdir()
    if state == "a folder":
        journal.mkdir()
    elif state == "not a database":
        journal.write_bytes(b"nonsense" * 1_000)
    elif state == "another version":
        scene.run(PEOPLE[0])
        with closing(sqlite3.connect(journal)) as connection:
            connection.execute("PRAGMA user_version = 99")
    before = scene.calls()["create"] if state == "another version" else 0
    with closing(sqlite3.connect(journal if state == "held" else ":memory:")) as other:
        other.execute("BEGIN EXCLUSIVE")
        said = scene.run(*PEOPLE, code=2)
    assert words in said
    assert "journal.db" in said
    assert scene.rows("SELECT count(*) FROM Lead") == [(before,)]


def test_a_disk_that_is_full(scene: Scene) -> None:
    """Nothing is claimed as done, and the same command goes on once there is room."""
    scene.mapping(LEAD)
    lines = "".join(json.dumps(person(f"s{number}", city="x" * 200)) + "\n" for number in range(3_000))
    (scene.folder.path / "events.ndjson").write_text(lines)
    limited = ["bash", "-c", f"ulimit -f 300; exec {SFMAP} run --org org events.ndjson --results results"]
    done = subprocess.run(limited, cwd=scene.folder.path, capture_output=True, text=True, env=SECRETS, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    scene.again()
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(3_000, 3_000)]
    assert len({line["event"] for line in scene.folder.lines("results")}) == 3_000


def test_a_file_that_has_changed(scene: Scene) -> None:
    scene.mapping(LEAD)
    page = {"type": "page"}
    scene.run(page, *PEOPLE, code=3, arguments=("--max-calls", "4"))
    said = scene.run(person("other"), page, *PEOPLE)
    assert "has changed since its last, unfinished run, which delivered 1 events" in said
    assert scene.rows("SELECT count(*) FROM Lead") == [(13,)]


def test_other_events_in_a_pipe_with_a_name(scene: Scene) -> None:
    """A pipe cannot be read twice, whatever it is called."""
    scene.mapping(LEAD)
    for names, code in (("ab", 3), ("cd", 0)):
        most = ("--max-calls", "4") if code else ()
        lines = "".join(f"{json.dumps(person(name))}\n" for name in names)
        scene.sfmap("run", "/dev/stdin", *most, stdin=lines.encode(), code=code)
    assert scene.rows("SELECT Email FROM Lead ORDER BY Email") == [("c@b.co",), ("d@b.co",)]


def test_an_event_behind_a_lost_update_of_a_record_that_is_gone(scene: Scene) -> None:
    """Only the update fails; what comes later for the same person creates the record."""
    scene.mapping(LEAD)
    scene.run(person("a"))
    scene.faults(
        {"kind": "reset", "calls": "update", "at": [1]},
        {"kind": "deleted_between", "calls": "update", "at": [1]},  # of those that the other does not hit
    )
    scene.run(person("a", city="Rome"), *[{"type": "page"}] * 1_999, person("a", city="Oslo"), code=1)
    reasons = [(fate, reason) for fate, reason in scene.outcomes() if fate != "skipped"]
    assert [fate for fate, _ in reasons] == ["failed", "created"]
    assert "no longer exists, and the answer to its update was lost" in str(reasons[0][1])
    assert scene.rows("SELECT City FROM Lead WHERE NOT IsDeleted") == [("Oslo",)]


def test_a_run_killed_during_a_create_that_nothing_finds_again(scene: Scene) -> None:
    scene.mapping(LEAD.replace("match: Email", "operation: create"))
    scene.faults({"kind": "slow", "calls": "create", "times": 1, "seconds": 30})
    (scene.folder.path / "events.ndjson").write_text(json.dumps(PEOPLE[0]) + "\n")
    process = scene.start()
    while not scene.struck():
        time.sleep(0.05)
    process.kill()
    process.wait()
    time.sleep(2.5)  # no doubt any more, but still not known
    scene.again(code=1)
    assert "the run was killed while this was sent" in str(scene.outcomes()[0][1])
    assert scene.calls()["create"] == 0


def test_what_is_lost_again_and_again_fails(scene: Scene) -> None:
    scene.mapping(LEAD)
    project = scene.folder.path / "sfmap.yaml"
    project.write_text(project.read_text().replace("call_limit: 2", "call_limit: 0.3"))
    scene.faults({"kind": "reset", "calls": "create"})
    scene.run(*PEOPLE[:3], code=1)
    assert {fate for fate, _ in scene.outcomes()} == {"failed"}
    assert "(tried 7 times)" in str(scene.outcomes()[0][1])
    # Five times together, then each alone.
    assert scene.calls()["create"] == 5 + 3 + 3
    scene.faults()
    scene.sfmap("retry")
    assert scene.rows("SELECT count(*) FROM Lead") == [(3,)]


def test_results_of_another_file_are_not_touched(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(*PEOPLE, code=3, arguments=("--max-calls", "4"))
    other = scene.folder.path / "other"
    other.write_text("an old file\n" * 1_000)
    scene.sfmap("run", "events.ndjson", "--results", "other")
    assert len(scene.folder.lines("other")) == 12
