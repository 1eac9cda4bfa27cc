"""Writes whose answer is lost: what waits, what is sent again, and what fails."""

import json
import time

from ..folder import wait_for
from ..scene import Scene
from .people import KEYED, LEAD, PEOPLE, person


def test_a_lost_upsert_by_a_unique_key_is_sent_again_at_once(scene: Scene) -> None:
    """The org itself keeps a second record out, so the write goes again at once."""
    scene.mapping(KEYED)
    scene.faults({"kind": "reset_after", "calls": "upsert", "times": 1})
    said = scene.run(*PEOPLE)
    assert "wait until" not in said
    assert scene.calls()["upsert"] == 2


def test_other_records_are_delivered_while_a_write_is_in_doubt(scene: Scene) -> None:
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


def test_writes_in_doubt_are_remembered_after_a_kill(scene: Scene) -> None:
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


def test_a_lost_create_without_a_match_is_not_sent_again(scene: Scene) -> None:
    """It is never sent twice."""
    scene.mapping(LEAD.replace("match: Email", "operation: create"))
    scene.faults({"kind": "reset_after", "calls": "create", "times": 1})
    scene.run(person("a"), code=1)
    assert "It is not known whether the record was created" in str(scene.outcomes()[0][1])
    assert scene.rows("SELECT count(*) FROM Lead") == [(1,)]


def test_a_later_event_creates_a_record_whose_update_was_lost(scene: Scene) -> None:
    """Only the update fails; what comes later for the same person creates the record."""
    scene.mapping(LEAD)
    scene.run(person("a"))
    scene.faults(
        {"kind": "reset", "calls": "update", "at": [1]},
        {"kind": "deleted_between", "calls": "update", "at": [1]},  # of those that the other does not hit
    )
    others = [person(f"p{number}") for number in range(2_000)]  # so many are not looked up together
    scene.run(person("a", city="Rome"), *others, person("a", city="Oslo"), code=1)
    (reason,) = [reason for fate, reason in scene.outcomes() if fate != "created"]
    assert "no longer exists, and the answer to its update was lost" in str(reason)
    assert scene.rows("SELECT City FROM Lead WHERE NOT IsDeleted AND City IS NOT NULL") == [("Oslo",)]


def test_a_create_without_a_match_is_not_repeated_after_a_kill(scene: Scene) -> None:
    scene.mapping(LEAD.replace("match: Email", "operation: create"))
    scene.faults({"kind": "slow", "calls": "create", "times": 1, "seconds": 30})
    (scene.folder.path / "events.ndjson").write_text(json.dumps(PEOPLE[0]) + "\n")
    process = scene.start()
    wait_for(process, scene.struck)
    process.kill()
    process.wait()
    time.sleep(2.5)  # no doubt any more, but still not known
    scene.again(code=1)
    assert "the run was killed while this was sent" in str(scene.outcomes()[0][1])
    assert scene.calls()["create"] == 0


def test_a_write_that_is_lost_repeatedly_fails(scene: Scene) -> None:
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
