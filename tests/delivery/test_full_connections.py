"""Writes of several windows are under way at once, up to the number of connections."""

import json
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import cast

import pytest

from ..folder import Event, Folder, Identify
from ..gate import Gate, running_gate
from ..kafka_brokers import running_brokers
from ..service import KEY, PROJECT, Service, set_up_service
from ..sources.kafka.topics import Topics

LOOKED_UP = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: traits.email
  LastName: {value: n/a}
  Company: {value: n/a}
  LeadSource: {value: Web, write: create}
"""
TOPIC = """\
sources: {{events: {{kafka: {{brokers: "{address}", topic: {topic}}}}}}}
"""


def calls_in_journal(folder: Folder) -> int:
    """How many calls the journal has that no answer is known to."""
    path = folder.path / ".sfmap/journal.db"
    with (
        suppress(sqlite3.OperationalError),  # nothing is there yet
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal,
    ):
        return int(journal.execute("SELECT count(*) FROM in_flight").fetchone()[0])
    return 0


def pipe(process: "subprocess.Popen[bytes]", event: Event) -> None:
    """Gives an event to a run that reads standard input."""
    assert process.stdin
    process.stdin.write(json.dumps(event).encode() + b"\n")
    process.stdin.flush()


@pytest.mark.parametrize(("connections", "mapping"), [(12, "upsert"), (14, "looked up")])
def test_the_next_windows_are_written_while_one_is(
    folder: Folder, tmp_path: Path, identify: Identify, connections: int, mapping: str
) -> None:
    """A window of 2,000 events has ten calls: more at once must be of several windows."""
    if mapping == "looked up":
        (folder.path / "mappings").mkdir()
        (folder.path / "mappings/lead.yaml").write_text(LOOKED_UP)
    events = [identify(f"p{number}@example.com") for number in range(200 * connections + 1_000)]
    folder.write("events.ndjson", events)
    with running_gate(tmp_path, connections) as server:
        server.set_up(folder.path)
        options = ("--org", "org", "--connections", str(connections), "--report", "report.json")
        done = folder.sfmap("run", "events.ndjson", *options)
    assert (done.returncode, server.is_passed) == (0, True), done.stderr
    assert folder.report()["created"] == len(events)


def end_and_begin_again(folder: Folder, server: Gate, *command: str) -> None:
    """Kills the command once twice as many calls are noted as there are connections, and gives it again."""
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings/lead.yaml").write_text(LOOKED_UP)
    settings = folder.path / "sfmap.yaml"
    settings.write_text(settings.read_text().replace("}\n", ", call_limit: 3}\n", 1))
    process = folder.start(*command, before=())
    while calls_in_journal(folder) < 4:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    assert server.has_come(2)
    process.kill()
    process.communicate()
    server.open()
    done = folder.sfmap(*command)
    assert (done.returncode, server.emails(), server.leads()) == (0, 2_000, 2_000), done.stderr


def test_calls_are_in_the_journal_before_a_connection_is_free(
    folder: Folder, tmp_path: Path, identify: Identify
) -> None:
    """Otherwise the connection would wait for the disk. A kill loses and doubles nothing."""
    folder.write("events.ndjson", [identify(f"p{number}@example.com") for number in range(2_000)])
    with running_gate(tmp_path, 3) as server:
        server.set_up(folder.path)
        end_and_begin_again(folder, server, "run", "events.ndjson", "--org", "org", "--connections", "2")


def test_a_worker_that_was_killed_delivers_what_is_in_doubt_before_it_ends(
    folder: Folder, tmp_path: Path, identify: Identify
) -> None:
    with running_gate(tmp_path, 3) as server, running_brokers() as brokers:
        brokers.create("events")
        Topics(folder, brokers, "events").send(*(identify(f"p{number}@example.com") for number in range(2_000)))
        server.set_up(folder.path, TOPIC.format(address=brokers.address, topic="events"))
        options = ("--org", "org", "--connections", "2", "--until-end")
        end_and_begin_again(folder, server, "run", "--source", "events", *options)


def send(service: Service, *events: Event) -> None:
    for first in range(0, len(events), 500):
        body = {"writeKey": KEY, "batch": events[first : first + 500]}
        assert service.ask("/v1/batch", body).status == 200


def test_a_service_writes_several_windows_at_once(folder: Folder, tmp_path: Path, identify: Identify) -> None:
    events = [identify(f"p{number}@example.com") for number in range(3_400)]
    with running_gate(tmp_path, 12) as server, set_up_service(folder.path) as service:
        server.set_up(folder.path, PROJECT)
        service.start("--org", "org", "--connections", "12")
        send(service, *events)
        service.wait_until_delivered()
        assert service.stop() == 0
    assert server.is_passed
    assert server.emails() == len(events)


def test_a_service_keeps_what_it_has_found_about_connections(
    folder: Folder, tmp_path: Path, identify: Identify
) -> None:
    """After 16 writes by 4 connections it tries 6, and goes on with these after a reload."""
    with running_gate(tmp_path, 4) as server, set_up_service(folder.path) as service:
        server.set_up(folder.path, PROJECT)
        server.slow_down()
        service.start("--org", "org")
        send(service, *(identify(f"p{number}@example.com") for number in range(6_000)))
        service.wait_until_delivered()
        service.hang_up()
        assert service.wait_for(lambda: "Reloaded the project" in service.log())
        server.keep(6)
        send(service, *(identify(f"q{number}@example.com") for number in range(2_000)))
        service.wait_until_delivered()
        assert service.stop() == 0
    assert server.is_passed
    assert server.emails() == 8_000


def test_a_service_does_not_let_an_event_wait_for_those_before_it(
    folder: Folder, tmp_path: Path, identify: Identify
) -> None:
    with running_gate(tmp_path, 2) as server, set_up_service(folder.path) as service:
        server.set_up(folder.path, PROJECT)
        service.start("--org", "org", "--connections", "2")
        send(service, identify("first@example.com"))
        assert server.has_come(1)
        send(service, identify("second@example.com"))
        service.wait_until_delivered()
        assert service.stop() == 0
    assert server.is_passed
    assert server.emails() == 2


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_worker_writes_several_windows_at_once(
    folder: Folder, tmp_path: Path, identify: Identify, partitions: int
) -> None:
    events = [identify(f"p{number}@example.com") for number in range(3_600)]
    with running_gate(tmp_path, 14) as server, running_brokers() as brokers:
        brokers.create("events", partitions)
        topics = Topics(folder, brokers, "events")
        for partition in range(partitions):
            topics.send(*events[partition::partitions], partition=partition)
        topic = TOPIC.format(address=brokers.address, topic="events")
        server.set_up(folder.path, topic)
        options = ("--org", "org", "--connections", "14", "--until-end")
        done = folder.sfmap("run", "--source", "events", *options)
    assert (done.returncode, server.is_passed) == (0, True), done.stderr
    assert server.emails() == len(events)


def test_a_worker_does_not_let_an_event_wait_for_those_before_it(
    folder: Folder, tmp_path: Path, identify: Identify
) -> None:
    with running_gate(tmp_path, 2) as server, running_brokers() as brokers:
        brokers.create("events")
        topics = Topics(folder, brokers, "events")
        topic = TOPIC.format(address=brokers.address, topic="events")
        server.set_up(folder.path, topic)
        options = ("--org", "org", "--connections", "2", "--linger", "0")
        process = folder.start("run", "--source", "events", *options)
        topics.send(identify("first@example.com"))
        assert server.has_come(1)
        topics.send(identify("second@example.com"))
        assert server.has_come(2)
        process.terminate()
        said = process.communicate()
    assert server.is_passed, said
    assert server.emails() == 2


def test_an_event_of_a_stream_does_not_wait_for_those_before_it(
    folder: Folder, tmp_path: Path, identify: Identify
) -> None:
    with running_gate(tmp_path, 2) as server:
        server.set_up(folder.path)
        options = ("--org", "org", "--connections", "2", "--linger", "0")
        process = folder.start("run", "-", *options, stdin=subprocess.PIPE)
        for number in range(2):
            pipe(process, identify(f"p{number}@example.com"))
            assert server.has_come(number + 1)
        said = process.communicate()
    assert (process.returncode, server.is_passed) == (0, True), said
    assert server.emails() == 2


def test_creates_that_wait_for_their_turn_share_calls(folder: Folder, tmp_path: Path, identify: Identify) -> None:
    """With a condition, the order of creation matters: each event is a window, and asks two queries."""
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings/lead.yaml").write_text(LOOKED_UP + "where: IsConverted = false\n")
    with running_gate(tmp_path, 2) as server:
        server.set_up(folder.path)
        options = ("--org", "org", "--linger", "0", "--report", "report.json")
        process = folder.start("run", "-", *options, stdin=subprocess.PIPE)
        for number in range(10):
            pipe(process, identify(f"p{number}@example.com"))
            assert server.has_asked(2 * number + 2)
        server.wait()
        said = process.communicate()
    assert process.returncode == 0, said
    assert cast(dict[str, int], folder.report()["api_calls"])["create"] < 5
    assert server.emails() == 10
