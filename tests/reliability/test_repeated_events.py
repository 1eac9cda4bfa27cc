"""Events that come more than once: in one file, in a file that is run again, in another stream."""

import json

from ..folder import wait_for
from ..scene import Scene
from .dead_letters import CASE
from .people import ACCOUNT, CREATING, LEAD, PEOPLE, person


def test_a_stream_skips_delivered_events(scene: Scene) -> None:
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


def test_a_file_run_twice_creates_no_record_twice(scene: Scene) -> None:
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


def test_a_new_mapping_creates_records_of_delivered_events(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(person("a"))
    (scene.folder.path / "mappings" / "other.yaml").write_text(f"sfmap: 1\n{CREATING}")
    scene.again()
    assert scene.rows("SELECT Email FROM Lead") == [("a@b.co",), ("a@b.co",)]


def test_a_file_run_again_creates_only_what_failed(scene: Scene) -> None:
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


def test_repeats_0_creates_records_again(scene: Scene) -> None:
    scene.mapping(CREATING)
    project = scene.folder.path / "sfmap.yaml"
    project.write_text(f"repeats: 0\n{project.read_text()}")
    scene.run(person("a"))
    scene.again()
    assert scene.rows("SELECT count(*) FROM Lead") == [(2,)]


def test_an_empty_message_id_counts_as_missing(scene: Scene) -> None:
    scene.mapping(LEAD)
    nameless = [{**person(name), "messageId": ""} for name in "ab"]
    for expected in ("created", "updated"):
        scene.run(*nameless, arguments=("--skip-delivered", "--restart"))
        assert [fate for fate, _ in scene.outcomes()] == [expected, expected]


def test_skip_delivered_skips_copies_in_one_file(scene: Scene) -> None:
    scene.mapping(CASE)
    same = {"type": "track", "event": "E", "messageId": "1"}
    said = scene.run(same, same, {**same, "messageId": "2"}, arguments=("--skip-delivered",))
    assert "an event with the same messageId came before" in said
    assert scene.rows('SELECT count(*) FROM "Case"') == [(2,)]


def test_a_copy_of_a_lost_create_is_not_created(scene: Scene) -> None:
    """Neither in the same file nor in a later run: the dead letter waits for a person's decision."""
    scene.mapping(CREATING)
    scene.faults({"kind": "reset_after", "calls": "create", "times": 1})
    scene.run(person("a"), person("a"), code=1)
    assert [fate for fate, _ in scene.outcomes()] == ["failed", "skipped"]
    scene.run(person("a"), person("b"), arguments=("--restart",))
    assert [fate for fate, _ in scene.outcomes()] == ["skipped", "created"]
    assert scene.rows("SELECT Email FROM Lead") == [("a@b.co",), ("b@b.co",)]
    assert "It is not known whether the record was created" in scene.sfmap("dead-letters")
    scene.sfmap("retry")
    assert scene.rows("SELECT Email FROM Lead") == [("a@b.co",), ("b@b.co",), ("a@b.co",)]
    assert scene.sfmap("dead-letters") == "There are no dead letters.\n"


def test_a_copy_of_a_create_under_way_at_a_kill_is_not_created(scene: Scene) -> None:
    scene.mapping(CREATING)
    scene.faults({"kind": "slow", "calls": "create", "times": 1, "seconds": 30})
    (scene.folder.path / "events.ndjson").write_text(2 * (json.dumps(person("a")) + "\n"))
    process = scene.start()
    wait_for(process, scene.struck)
    process.kill()
    process.wait()
    scene.again(code=1)
    assert [fate for fate, _ in scene.outcomes()] == ["failed", "skipped"]
    assert scene.calls()["create"] == 0
    assert "the run was killed while this was sent" in scene.sfmap("dead-letters")
