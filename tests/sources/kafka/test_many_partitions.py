"""The partitions of one worker: none of them keeps the others from being delivered."""

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast

from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.org.port import Org
from sfmap.engine.sources.kafka.group_consumer import Polled
from sfmap.engine.sources.kafka.topic_messages import TopicMessage
from sfmap.engine.workers.assignment import Assignment

from ...delivery.test_call_allowance import SpentOrg
from ...folder import SFMAP, Event, Folder, identify
from ...gate import running_gate
from ...kafka_brokers import Brokers
from ...postgres import Postgres
from ...scene import SECRETS, Scene
from .topics import Topics, topic_of

LEAD = """\
event: identify
object: Lead
match: Email
fields:
  Email: traits.email
  LastName: {value: Lee}
  Company: {value: n/a}
  LeadSource: {value: Web, write: create}
"""
PATIENCE = 60
PLENTY_OF_WRITES = 1_000
MOST_HELD = 16 * 1024 * 1024
PLENTY = CallAllowance(cast(Org, SpentOrg(limit=100_000)))


def project(scene: Scene, topics: Topics, more: str = "") -> None:
    scene.mapping(LEAD, call_limit=600)
    file = scene.folder.path / "sfmap.yaml"
    file.write_text(f"{file.read_text()}{sources(topics)}{more}")


def sources(topics: Topics) -> str:
    kafka = f'{{brokers: "{topics.brokers.address}", topic: {topics.topic}}}'
    return f"sources: {{events: {{kafka: {kafka}}}}}\n"


@contextmanager
def worker(folder: Folder, log: str = "log.txt", *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [str(SFMAP), "run", "--source", "events", "--org", "org", "--linger", "0", *options]
    with (folder.path / log).open("wb") as said:
        process = subprocess.Popen(command, cwd=folder.path, stderr=said, env=SECRETS)
    try:
        yield process
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0, (folder.path / log).read_text()


def wait(process: "subprocess.Popen[bytes]", look: Callable[[], bool]) -> None:
    """Waits for something that the worker does."""
    until = time.monotonic() + PATIENCE
    while not look():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)


def leads(scene: Scene) -> list[tuple[object, ...]]:
    return scene.rows("SELECT Email FROM Lead")


def large(message: str) -> Event:
    return {**identify("a@b.co", about="x" * 90_000), "messageId": message}


def held(scene: Scene) -> int:
    """Bytes of the events that wait for writes in doubt."""
    with closing(sqlite3.connect(scene.folder.path / ".sfmap/journal.db")) as journal:
        return int(journal.execute("SELECT coalesce(sum(length(raw)), 0) FROM held").fetchone()[0])


def test_a_partition_that_keeps_all_it_may_for_a_write_in_doubt(scene: Scene, brokers: Brokers) -> None:
    """The others are delivered, and a stop ends the worker."""
    with topic_of(scene.folder, brokers, partitions=2) as topics:
        project(scene, topics)
        scene.faults({"kind": "reset_after", "calls": "create", "times": 1})
        with worker(scene.folder) as process:
            topics.send(identify("a@b.co"))
            wait(process, lambda: scene.struck() == 1)
            for least in range(4_000_000, MOST_HELD, 4_000_000):  # the brokers keep 5 MB only
                topics.send(*(large(f"{least} {number}") for number in range(46)))
                wait(process, lambda: held(scene) > least)  # noqa: B023
            topics.send(*(large(f"last {number}") for number in range(46)))
            wait(process, lambda: held(scene) > MOST_HELD)
            topics.send(identify("c@b.co"), partition=1)
            wait(process, lambda: ("c@b.co",) in leads(scene))


def test_a_partition_that_another_worker_gets_while_a_call_is_in_flight(
    scene: Scene, brokers: Brokers, postgres: Postgres
) -> None:
    """It is left after the call, which the other worker waits for; nothing else does."""
    with topic_of(scene.folder, brokers, partitions=2) as topics:
        project(scene, topics, f"state: {postgres.new_database()}\n")
        scene.faults({"kind": "slow", "calls": "create", "times": 2, "seconds": 40})
        with worker(scene.folder) as first:
            for partition in range(2):
                topics.send(identify(f"slow{partition}@b.co"), partition=partition)
            wait(first, lambda: scene.struck() == 2)
            with worker(scene.folder, "second.txt") as second:
                said = scene.folder.path / "second.txt"
                wait(second, lambda: "is delivering to this org" in said.read_text())
                for partition in range(2):
                    topics.send(identify(f"new{partition}@b.co"), partition=partition)
                wait(first, lambda: leads(scene) in ([("new0@b.co",)], [("new1@b.co",)]))
                wait(second, lambda: len(leads(scene)) == 4)


def test_a_partition_that_another_worker_gets_while_its_writes_wait_for_others(
    folder: Folder, tmp_path: Path, brokers: Brokers, postgres: Postgres
) -> None:
    """The other worker writes while calls of the first are under way, once none of them is of that partition."""
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings/lead.yaml").write_text(f"sfmap: 1\nbatch_size: 1\n{LEAD}")
    with running_gate(tmp_path, PLENTY_OF_WRITES) as gate, topic_of(folder, brokers, partitions=2) as topics:
        gate.set_up(folder.path, f"{sources(topics)}state: {postgres.new_database()}\n")
        people = [identify(f"p{number}@b.co") for number in range(60)]
        with worker(folder, "first.txt", "--connections", "2"):
            for asked, partition in enumerate((0, 1, 0), 1):
                topics.send(*(people.pop() for _ in range(20)), partition=partition)
                assert gate.has_asked(asked)
            assert gate.has_come(2)
            with worker(folder, "second.txt", "--connections", "2") as second:
                said = folder.path / "second.txt"
                wait(second, lambda: "is delivering to this org" in said.read_text())
                gate.let_through()
                assert gate.has_come(6)
                gate.open()
                wait(second, lambda: gate.leads() == 60)
        assert gate.emails() == 60


def test_an_org_that_describes_its_objects_again_keeps_nothing_waiting(
    folder: Folder, tmp_path: Path, brokers: Brokers
) -> None:
    """It is asked for that once the session is another one. Until it answers, what it said before holds."""
    with running_gate(tmp_path, 1) as gate, topic_of(folder, brokers, partitions=2) as topics:
        gate.set_up(folder.path, sources(topics))
        gate.open()
        with worker(folder) as process:
            for number, faults in enumerate(([], [{"kind": "expired_session", "calls": "upsert", "times": 1}])):
                gate.plays(*faults)
                topics.send(identify(f"before{number}@b.co"))
                wait(process, lambda: gate.emails() == number + 1)  # noqa: B023
            gate.keep(2, (b":describeGlobal",))
            before = gate.come
            for partition in range(2):
                topics.send(identify(f"p{partition}@b.co"), partition=partition)
            assert gate.has_come(before + 1)
            wait(process, lambda: gate.emails() == 4)
            gate.open()


def test_what_was_read_of_all_partitions_together_is_bounded() -> None:
    assignment = Assignment(lambda _partition: 0)
    assignment.assign(range(200))
    for one in assignment.partitions():
        assignment.open(one, 0)
    reading: set[int] = set()
    size = offset = 0
    while reading := (reading | assignment.to_resume().keys()) - set(assignment.to_pause()):
        size += 100_000 * len(reading)
        offset += 1
        assignment.take(Polled([TopicMessage(number, offset, b"", "", 100_000) for number in reading]))
    assert 60_000_000 < size < 100_000_000
    windows = [assignment.window(one, 60.0, PLENTY) for one in assignment.partitions()]
    assert sum(one.size for window in windows for one in window) == size
