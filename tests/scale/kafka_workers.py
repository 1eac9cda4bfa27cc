"""`make scale`: two workers of one topic are killed, stopped and joined by others while events come.

The topic grows, too. What the org holds in the end is compared with what an undisturbed run leaves in another org.
"""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread

import psycopg
import pytest

from sfmap.engine.local_org.calls import credentials

from ..folder import SFMAP, Folder, identify
from ..kafka_brokers import running_brokers
from ..postgres import Postgres
from ..scene import SECRETS, Scene, set_up_scene
from ..sources.kafka.topics import Topics

PROJECT = """\
state: {state}
mappings: mappings
orgs:
  org:
    {{login_url: {url}, username: {username}, password: "${{PASSWORD}}", security_token: "${{TOKEN}}",
      call_limit: 2}}
sources:
  events:
    kafka: {{brokers: "{brokers}", topic: events, growth_wait: 15s}}
"""
MAPPING = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, required: true}
  LastName: {from: traits.name, default: n/a}
  Company: {value: Acme}
  Title: traits.title
  City: traits.city
  Phone: traits.phone
"""
PEOPLE = 60
PARTITIONS = 4
_DELIVERED = """\
SELECT coalesce(sum("offset"), 0) FROM sources WHERE source LIKE 'kafka events %'"""
_LEADS = "SELECT Email, LastName, Title, City, Phone FROM Lead"
_END_SECONDS = 240.0


@dataclass
class Workers:
    """Processes of `sfmap run --source events`, each of which can be killed and started again."""

    folder: Path
    dice: Random
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.txt").open("ab") as said:
            command = [str(SFMAP), "run", "--source", "events", "--org", "org", "--linger", "0.05"]
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, stderr=said, env={**os.environ, **SECRETS}
            )

    def check(self) -> None:
        for name, process in self.processes.items():
            assert process.poll() is None, (name, process.returncode, self.said(name))

    def kill(self, name: str) -> None:
        process = self.processes[name]
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.done["kills"] += 1

    def pause(self, name: str, seconds: float) -> None:
        self.processes[name].send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.processes[name].send_signal(signal.SIGCONT)
        self.done["pauses"] += 1

    def disturb(self, kind: str) -> None:
        name = self.dice.choice(sorted(self.processes))
        time.sleep(self.dice.uniform(0.5, 4))
        self.check()
        if kind == "kill":
            self.kill(name)
            time.sleep(self.dice.choice((0, 0, 3)))
            self.start(name)
        elif kind == "kill all":
            for one in list(self.processes):
                self.kill(one)
            for one in list(self.processes):
                self.start(one)
        elif kind == "pause":
            self.pause(name, self.dice.choice((1, 5, 12, 18)))
        elif kind == "join":
            (self.folder / "third.txt").write_text("")
            self.start("third")
            while "Delivering to" not in self.said("third"):
                self.check()
            time.sleep(self.dice.uniform(0, 5))
            self.stop("third")

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        assert process.wait(60) == 0, (name, self.said(name))

    def said(self, name: str) -> str:
        return (self.folder / f"{name}.txt").read_text()[-3000:]


@dataclass
class Traffic:
    """Sends events of the same people again and again, each with what the last one is to leave."""

    topics: Topics
    dice: Random
    sent: int = 0
    is_over: Flag = field(default_factory=Flag)

    def run(self) -> None:
        while not self.is_over.is_set():
            for _ in range(20):
                self._send()
            self.topics.producer.poll(0)
            time.sleep(0.1)
        assert self.topics.producer.flush(30) == 0

    def _send(self) -> None:
        self.sent += 1
        email = f"p{self.dice.randrange(PEOPLE)}@b.co"
        traits = {name: f"{name} {self.sent}" for name in ("name", "title", "city") if self.dice.random() < 0.6}
        event = {**identify(email, phone=str(self.sent), **traits), "messageId": f"m{self.sent}"}
        self.topics.producer.produce(self.topics.topic, json.dumps(event), f"Lead Email={email}")


@contextmanager
def traffic(topics: Topics, dice: Random) -> Iterator[Traffic]:
    sending = Traffic(topics, dice)
    thread = Thread(target=sending.run)
    thread.start()
    try:
        yield sending
    finally:
        sending.is_over.set()
        thread.join()


KINDS = ["kill"] * 22 + ["kill all"] * 4 + ["pause"] * 10 + ["join"] * 3
GROWS_AFTER = 1 / 2
"""Of the disturbances."""


def test_the_org_is_that_of_an_undisturbed_run(tmp_path: Path, postgres: Postgres) -> None:
    seed = int(os.environ.get("SCALE_SEED", "1"))
    kinds = KINDS[:: int(os.environ.get("SCALE_EACH", "1"))]
    Random(seed).shuffle(kinds)
    (tmp_path / "calm").mkdir()
    (tmp_path / "disturbed").mkdir()
    with (
        running_brokers() as brokers,
        set_up_scene(tmp_path / "calm") as calm,
        set_up_scene(tmp_path / "disturbed") as disturbed,
    ):
        brokers.create("events", PARTITIONS, room=2 * PARTITIONS)
        topics = Topics(Folder(tmp_path), brokers, "events")
        _project(disturbed, postgres.new_database(), brokers.address)
        workers = Workers(disturbed.folder.path, Random(seed))
        with traffic(topics, Random(seed)) as sending:
            workers.start("first")
            workers.start("second")
            for number, kind in enumerate(kinds):
                if number == int(len(kinds) * GROWS_AFTER):
                    topics.grow(2 * PARTITIONS)
                workers.disturb(kind)
        _wait_until_delivered(disturbed, sending.sent, workers)
        for name in list(workers.processes):
            workers.stop(name)
        _project(calm, "", brokers.address)
        _deliver_in_order(calm, topics)
        _compare(calm, disturbed, workers.done, sending.sent)


def _deliver_in_order(scene: Scene, topics: Topics) -> None:
    """Delivers all events as they were sent, from a file."""
    messages = sorted(topics.read("events"), key=lambda one: int(json.loads(one.value() or b"")["messageId"][1:]))
    scene.folder.write("all.ndjson", [(one.value() or b"").decode() for one in messages])
    scene.sfmap("run", "all.ndjson")


def _project(scene: Scene, state: str, brokers: str) -> None:
    (scene.folder.path / "mappings").mkdir()
    (scene.folder.path / "mappings" / "lead.yaml").write_text(MAPPING)
    text = PROJECT.format(state=state, url=scene.local.url, username=credentials.USERNAME, brokers=brokers)
    (scene.folder.path / "sfmap.yaml").write_text(text if state else text.partition("\n")[2])
    (scene.folder.path / "state").write_text(state)


def _wait_until_delivered(scene: Scene, sent: int, workers: Workers) -> None:
    state = (scene.folder.path / "state").read_text()
    end = time.monotonic() + _END_SECONDS
    found: tuple[object, ...] | None = None
    with psycopg.connect(state, autocommit=True) as connection:
        while time.monotonic() < end:
            workers.check()
            (delivered,) = connection.execute(_DELIVERED).fetchone() or (0,)
            (held,) = connection.execute("SELECT count(*) FROM held").fetchone() or (0,)
            found = delivered, held
            if (delivered, held) == (sent, 0):
                return
            time.sleep(0.2)
    pytest.fail(f"it never ended: {sent} sent, {found}; {[workers.said(name) for name in workers.processes]}")


def _compare(calm: Scene, disturbed: Scene, done: Counter[str], events: int) -> None:
    expected, found = calm.rows(_LEADS), disturbed.rows(_LEADS)
    emails = Counter(row[0] for row in found)
    lost = {row[0] for row in expected} - emails.keys()
    doubled = [email for email, count in emails.items() if count > 1]
    different = [row for row in expected if row[0] in emails and row not in found]
    print(  # noqa: T201
        f"SCALE Kafka, two workers of a growing topic, {events:,} events: {done['kills']} kills,"
        f" {done['pauses']} pauses: lost {len(lost)}, doubled {len(doubled)}, different {len(different)}"
    )
    assert len(expected) == PEOPLE
    assert (lost, doubled, different) == (set(), [], [])
