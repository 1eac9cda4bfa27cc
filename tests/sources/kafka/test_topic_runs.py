"""`sfmap run --source events`: each run delivers what the partitions have and were not delivered before."""

import signal

from ...folder import Folder, identify, wait_for, wait_until_written
from ...kafka_brokers import Brokers
from .topics import Topics, read, topic_of


def test_a_run_delivers_what_is_new_in_every_partition(folder: Folder, brokers: Brokers) -> None:
    with topic_of(folder, brokers, partitions=3) as topics:
        for partition in range(3):
            topics.send(identify(f"{partition}@b.co"), identify(f"{partition}@c.co"), partition=partition)
        assert read(topics.run()) == 6
        assert len(topics.emails()) == 6
        topics.send(identify("new@b.co"), partition=1)
        assert read(topics.run()) == 1
        assert read(topics.run()) == 0
        assert len(topics.emails()) == 7


def test_the_name_of_a_topic_can_be_given_as_an_argument(topics: Topics) -> None:
    topics.send(identify("a@b.co"))
    assert topics.folder.sfmap("run", "events", "--until-end").returncode == 0
    assert topics.emails() == ["a@b.co"]


def test_a_source_of_files_can_be_given_as_an_option(folder: Folder) -> None:
    folder.write("a.ndjson", [identify("a@b.co")])
    (folder.path / "sfmap.yaml").write_text("sources: {logs: {files: a.ndjson}}")
    assert folder.sfmap("run", "--source", "logs").returncode == 0
    done = folder.sfmap("run", "--source", "logs", "a.ndjson")
    assert done.returncode == 2
    assert "not both" in done.stderr


NO_EVENTS = [
    (None, "a message without a value (a tombstone) instead of an event"),
    (b'{"type":', "not JSON: Expecting value, column 9"),
    (b"\xff\xfe", "not UTF-8"),
    (b"[{}]", "a list instead of an event (a JSON object); write each event as a message of its own"),
    (b'"text"', "a text instead of an event (a JSON object)"),
    (b'{"a": 1}', "the event has no type (identify, group, track, ...)"),
]


def test_what_is_no_event_fails_alone(topics: Topics) -> None:
    topics.send(identify("a@b.co"), *(value for value, _ in NO_EVENTS), identify("c@b.co"))
    said = topics.run("--report", "report.json", code=1)
    assert topics.emails() == ["a@b.co", "c@b.co"]
    assert read(said) == len(NO_EVENTS) + 2
    assert topics.folder.report()["failures"] == {why: 1 for _, why in NO_EVENTS}
    letters = topics.folder.sfmap("dead-letters").stdout.splitlines()
    assert [line.split("event  ")[1] for line in letters] == [why for _, why in NO_EVENTS]


def test_an_event_that_comes_twice_is_skipped(topics: Topics) -> None:
    topics.send(identify("a@b.co", title="First"), identify("a@b.co", title="Second"))
    assert "skipped            1  an event with the same messageId came before" in topics.run()
    assert topics.folder.rows("SELECT Title FROM Lead") == [("First",)]


def test_rows_become_events_by_the_columns_of_the_source(topics: Topics) -> None:
    topics.project(shape="    event: {type: identify, userId: id, opt_in: true, traits: {email: mail}}\n")
    topics.send(b'{"id": "7", "mail": "a@b.co"}', b'{"id": "8", "mail": "a@b.co"}')
    assert "created            1" in topics.run()
    assert topics.emails() == ["a@b.co"]


def test_gaps_of_a_compacted_topic_are_no_loss(topics: Topics, brokers: Brokers) -> None:
    topics.send(*(identify(f"{number}@b.co") for number in range(5)))
    assert read(topics.run()) == 5
    topics.send(*(identify(f"{number}@c.co") for number in range(5)))
    brokers.delete_records(topics.topic, 0, before=5)
    assert read(topics.run()) == 5


def test_a_run_goes_on_until_it_is_stopped(topics: Topics) -> None:
    report = topics.folder.path / "report.json"
    process = topics.folder.start("run", "--source", "events", "--report", str(report), "--linger", "0")
    topics.send(identify("a@b.co"))
    database = topics.folder.path / ".sfmap" / "org.db"
    wait_until_written(database)
    wait_for(process, topics.has_leads)
    topics.send(identify("b@b.co"))
    wait_for(process, lambda: len(topics.emails()) >= 2)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert topics.folder.report()["events"] == 2
    assert read(topics.run()) == 0


def test_a_killed_run_is_continued(topics: Topics) -> None:
    topics.send(*(identify(f"{number}@b.co") for number in range(5_000)))
    process = topics.folder.start("run", "--source", "events", before=())
    database = topics.folder.path / ".sfmap" / "org.db"
    wait_until_written(database)
    wait_for(process, topics.has_leads)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    topics.run()
    assert len(topics.emails()) == len(set(topics.emails())) == 5_000


def test_dead_letters_go_to_a_topic_too(topics: Topics, brokers: Brokers) -> None:
    letters = f"{topics.topic}-dead"
    brokers.create(letters)
    topics.project(f"dead_letters: {letters}")
    nobody = {**identify("a@b.co"), "traits": {}, "messageId": "nobody"}
    topics.send(identify("a@b.co"), nobody, b"nonsense")
    for attempt in (1, 2):
        topics.run(*(("--restart",) if attempt == 2 else ()), code=1)
    found = topics.messages(letters)
    assert [dict(headers)["sfmap-reason"].decode() for _, headers in found] == [
        "Email is required: traits.email and userId | if_email have no value",
        "not JSON: Expecting value, column 1",
    ] * 2
    assert [dict(headers)["sfmap-attempts"] for _, headers in found] == [b"1", b"1", b"2", b"2"]
    assert [dict(headers)["sfmap-mapping"] for _, headers in found[:2]] == [b"lead", b""]
    assert [dict(headers)["sfmap-place"] for _, headers in found[:2]] == [b"events[0]@1", b"events[0]@2"]
    assert [value for value, _ in found[1::2]] == [b"nonsense", b"nonsense"]
