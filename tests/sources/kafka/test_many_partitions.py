"""The partitions of one worker: none of them keeps the others from being delivered."""

import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing

from ...folder import SFMAP, identify
from ...kafka_brokers import Brokers
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
MOST_HELD = 16 * 1024 * 1024


def project(scene: Scene, topics: Topics, call_limit: int = 600) -> None:
    scene.mapping(LEAD, call_limit=call_limit)
    file = scene.folder.path / "sfmap.yaml"
    kafka = f'{{brokers: "{topics.brokers.address}", topic: {topics.topic}}}'
    file.write_text(f"{file.read_text()}sources: {{events: {{kafka: {kafka}}}}}\n")


def start(scene: Scene, *arguments: str) -> "subprocess.Popen[str]":
    command = [str(SFMAP), "run", "--source", "events", "--org", "org", *arguments]
    return subprocess.Popen(command, cwd=scene.folder.path, stderr=subprocess.PIPE, text=True, env=SECRETS)


def wait(worker: "subprocess.Popen[str]", look: Callable[[], bool]) -> None:
    """Waits for something that the worker does."""
    until = time.monotonic() + PATIENCE
    while not look():
        assert worker.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)


def held(scene: Scene) -> int:
    """Bytes of the events that wait for writes in doubt."""
    with closing(sqlite3.connect(scene.folder.path / ".sfmap/journal.db")) as journal:
        return int(journal.execute("SELECT coalesce(sum(length(raw)), 0) FROM held").fetchone()[0])


def test_a_partition_that_keeps_all_it_may_for_a_write_in_doubt(scene: Scene, brokers: Brokers) -> None:
    """The others are delivered, and a stop ends the worker."""
    with topic_of(scene.folder, brokers, partitions=2) as topics:
        project(scene, topics)
        scene.faults({"kind": "reset_after", "calls": "create", "times": 1})
        worker = start(scene, "--linger", "0")
        topics.send(identify("a@b.co"))
        wait(worker, lambda: bool(scene.struck()))
        for chunk in range(5):  # the brokers keep 5 MB only
            large = [{**identify("a@b.co", about="x" * 90_000), "messageId": f"{chunk} {n}"} for n in range(45)]
            topics.send(*large)
            wait(worker, lambda: held(scene) > min((chunk + 1) * 45 * 90_000, MOST_HELD))  # noqa: B023
        topics.send(identify("c@b.co"), partition=1)
        wait(worker, lambda: ("c@b.co",) in scene.rows("SELECT Email FROM Lead"))
        worker.terminate()
        _, said = worker.communicate(timeout=60)
        assert worker.returncode == 0, said
