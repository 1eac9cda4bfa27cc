"""A project whose source is a topic, with the brokers that have it."""

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from ...folder import Event, Folder
from ...kafka_brokers import Brokers

PROJECT = """\
orgs: {{local: {{call_limit: 2}}}}
{project}
sources:
  events:
    kafka: {{brokers: "{address}", topic: {topic}, group: {group}{more}}}
{shape}
"""
_GROUPS = count(1)


@dataclass
class Topics:
    """A folder with a project, and a topic of its own."""

    folder: Folder
    brokers: Brokers
    topic: str
    producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        settings = {
            "bootstrap.servers": self.brokers.address,
            "partitioner": "murmur2_random",
            "log_level": 0,
        }
        self.producer = Producer(settings)

    def project(self, more: str = "", project: str = "", shape: str = "", address: str = "") -> None:
        """The project file: with more keys of the topic, of the project, and of the source."""
        text = PROJECT.format(
            project=project,
            address=address or self.brokers.address,
            topic=self.topic,
            group=_new_group(),
            more=f", {more}" if more else "",
            shape=shape,
        )
        (self.folder.path / "sfmap.yaml").write_text(text)

    def send(self, *events: Event | bytes | None, partition: int = 0, key: str | None = None) -> None:
        """Sends events, or bytes that may be none, or nothing."""
        for event in events:
            value = event if isinstance(event, bytes) or event is None else json.dumps(event).encode()
            self.producer.produce(self.topic, value, key, partition=partition)
        assert self.producer.flush(10) == 0

    def grow(self, partitions: int) -> None:
        self.brokers.grow(self.topic, partitions)
        assert len(self.producer.list_topics(self.topic, 10).topics[self.topic].partitions) == partitions

    def run(self, *arguments: str, code: int = 0) -> str:
        """What a run to the present end says on stderr.

        It is a member of a new group: one whose last member has left lets others wait, in librdkafka's cluster.
        """
        self._change_group()
        done = self.folder.sfmap("run", "--source", "events", "--until-end", *arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def _change_group(self) -> None:
        path = self.folder.path / "sfmap.yaml"
        path.write_text(re.sub(r"(?<=, group: )\S+(?=[,}])", _new_group(), path.read_text()))

    def emails(self) -> list[str]:
        return [str(row[0]) for row in self.folder.rows("SELECT Email FROM Lead ORDER BY Email")]

    def read(self, topic: str) -> list[Message]:
        """All messages of a topic."""
        consumer = Consumer({"bootstrap.servers": self.brokers.address, "group.id": "any", "log_level": 0})
        description = consumer.list_topics(topic, 10).topics[topic]
        places = [TopicPartition(topic, number, 0) for number in description.partitions]
        count = sum(consumer.get_watermark_offsets(place)[1] for place in places)
        consumer.assign(places)
        found: list[Message] = []
        while len(found) < count:
            found += consumer.consume(100, 1)
        consumer.close()
        return found

    def messages(self, topic: str) -> list[tuple[bytes, list[tuple[str, bytes]]]]:
        """The values and headers of a topic's messages."""
        return [(message.value() or b"", message.headers() or []) for message in self.read(topic)]  # type: ignore[misc]

    def partitions_by_email(self) -> dict[str, set[int]]:
        """In which partitions each person's events are."""
        found: dict[str, set[int]] = {}
        for message in self.read(self.topic):
            email = json.loads(message.value() or b"")["traits"]["email"].strip().lower()
            found.setdefault(email, set()).add(message.partition() or 0)
        return found

    def has_leads(self) -> bool:
        """Whether the org of a run under way has records."""
        try:
            return bool(self.emails())
        except sqlite3.OperationalError:
            return False


def _new_group() -> str:
    return f"group-{next(_GROUPS)}"


@contextmanager
def topic_of(folder: Folder, brokers: Brokers, partitions: int = 1, room: int = 0) -> Iterator[Topics]:
    """A new topic, in a project that delivers it to the local org."""
    topic = f"events-{folder.path.name}"[:200]
    brokers.create(topic, partitions, room)
    topics = Topics(folder, brokers, topic)
    topics.project()
    yield topics
    brokers.delete(topic)


def read(said: str) -> int:
    """How many events a run says that it has read."""
    (line,) = [line for line in said.splitlines() if line.startswith("  read ")]
    return int(line.split()[1].replace(",", ""))


def emails_of(events: Sequence[Event]) -> list[str]:
    return sorted(str(event["traits"]["email"]) for event in events)  # type: ignore[index]
