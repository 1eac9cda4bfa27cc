"""The messages of a topic: what they hold as events, and their positions in its partitions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple, cast

from sfmap.engine.mapping.values.record import Event
from sfmap.engine.sources.event_source import START, Position, Received
from sfmap.engine.sources.kafka.topic_description import TopicDescription
from sfmap.engine.sources.reading import json_bytes, read_event
from sfmap.engine.sources.rows import RowShape

if TYPE_CHECKING:
    from confluent_kafka import Message

SOURCE_HEADER = "sfmap-source"
"""The header that says which source of `sfmap serve` has sent the event."""


class TopicMessage(NamedTuple):
    partition: int
    offset: int
    value: bytes | None
    """None for a tombstone, which removes a key from a compacted topic."""
    source: str
    """The source of `sfmap serve` that has sent it; empty if something else has."""
    size: int

    @classmethod
    def of(cls, message: "Message") -> "TopicMessage":
        partition, offset = message.partition(), message.offset()
        assert partition is not None
        assert offset is not None
        headers = cast(Sequence[tuple[str, bytes | str | None]], message.headers() or ())
        source = next((value for name, value in headers if name == SOURCE_HEADER), b"")
        return cls(
            partition=partition,
            offset=offset,
            value=message.value(),
            source=source.decode("utf-8", "replace") if isinstance(source, bytes) else source or "",
            size=len(message),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStart:
    """Where the reading of a partition begins."""

    cluster: str
    topic: str
    """The topic's id."""
    base: int = 0
    """The number that its events are counted from: higher than any of a topic of that name before."""
    offset: int

    @classmethod
    def read(cls, position: Position) -> "PartitionStart | None":
        """The one that a position of the journal holds; None if the partition has none."""
        if not position.cursor:
            return None
        said = json.loads(position.cursor)
        return cls(cluster=said["cluster"], topic=said["topic"], base=said["base"], offset=position.offset)

    def position(self, partition: int) -> Position:
        return START._replace(
            number=self.base + self.offset, file=partition, offset=self.offset, cursor=self.cursor
        )

    @property
    def cursor(self) -> str:
        return json.dumps({"cluster": self.cluster, "topic": self.topic, "base": self.base})

    def is_of(self, topic: TopicDescription) -> bool:
        """Whether it is of this topic, and not of one with the same name; True if the brokers cannot say."""
        return all(
            before == now or not (before and now)
            for before, now in ((self.cluster, topic.cluster), (self.topic, topic.id))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReader:
    """Reads the messages of a source."""

    source: str
    shape: RowShape | None = None
    """What makes events of the values; None if they are events."""

    def received(self, message: TopicMessage, start: PartitionStart) -> Received:
        raw = message.value or b""
        event, problem = self._event(message, start)
        return Received(
            number=start.base + message.offset + 1,
            file=message.source or self.source,
            line=message.offset,
            raw=json_bytes(event) if event is not None and self.shape else raw,
            event=event,
            problem=problem,
            file_index=message.partition,
            end=message.offset + 1,
            row=f"[{message.partition}]@{message.offset}",
            cursor=start.cursor,
        )

    def _event(self, message: TopicMessage, start: PartitionStart) -> tuple[Event | None, str]:
        if message.value is None:
            return None, "a message without a value (a tombstone) instead of an event"
        event, problem = read_event(message.value, each="as a message of its own")
        if event is None or self.shape is None:
            return event, problem
        named = f"{self.source}\n{start.topic}\n{message.partition}\n{message.offset}"
        return self.shape.event(event, blake2b(named.encode(), digest_size=16).digest())
