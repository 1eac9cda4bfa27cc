"""Reads a topic as a member of a group: the brokers share its partitions out to the members."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.kafka.kafka_errors import BrokerProblems
from sfmap.engine.sources.kafka.kafka_settings import Config, KafkaSettings
from sfmap.engine.sources.kafka.topic_messages import TopicMessage

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, TopicPartition

_SESSION_SECONDS = 10
"""After so long without a sign of life, the brokers give a member's partitions to others."""
_AT_ONCE = 2_000
_SETTINGS: Config = {
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": _SESSION_SECONDS * 1000,
    "heartbeat.interval.ms": 3_000,
    "enable.auto.commit": False,
    "auto.offset.reset": "error",  # a position that the topic no longer has is never replaced by another
    "enable.partition.eof": True,
    "queued.max.messages.kbytes": 16_384,
    "fetch.wait.max.ms": 250,
}


class PartitionListener(Protocol):
    """Who is told which partitions this member has; called by the thread that polls."""

    def assign(self, partitions: Sequence[int]) -> Mapping[int, int]:
        """Takes partitions; returns the offsets at which they begin. They are paused until they are resumed."""

    def revoke(self, partitions: Sequence[int]) -> None:
        """Has these closed. Whoever has them next waits for the leases."""


@dataclass(slots=True)
class Polled:
    """What has arrived."""

    messages: list[TopicMessage] = field(default_factory=list)
    ends: dict[int, int] = field(default_factory=dict)
    """The partitions that were read to their present end, and where that is."""
    out_of_range: list[int] = field(default_factory=list)
    """The partitions that have no event at the offset that was asked for, and none after it."""


class GroupConsumer:
    """A member of the settings' group. Use it from one thread, once it has joined."""

    def __init__(self, settings: KafkaSettings, listener: PartitionListener) -> None:
        """Raises `ExtraMissing` or `SourceFailed`."""
        self._library: Any = settings.library()
        self._settings = settings
        self._listener = listener
        self._problems = BrokerProblems(settings)
        config = {
            **settings.client(),
            **_SETTINGS,
            "group.id": settings.group,
            "error_cb": self._problems.note,
            "on_commit": lambda _error, _partitions: None,  # commits only serve displays
        }
        try:
            self._consumer = self._library.Consumer(config)
        except self._library.KafkaException as error:
            raise self._failed(error.args[0]) from None

    def join(self) -> None:
        self._consumer.subscribe(
            [self._settings.topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
        )

    def leave(self) -> None:
        """Gives up its partitions at once, so that others need not wait."""
        self._consumer.close()

    def poll(self, seconds: float) -> Polled:
        """What arrives within so many seconds. Raises `SourceFailed` for what only a person can correct."""
        polled = Polled()
        for message in self._consumer.consume(_AT_ONCE, seconds):
            error = message.error()
            if error is None:
                polled.messages.append(TopicMessage.of(message))
            elif error.name() == "_PARTITION_EOF":
                polled.ends[message.partition()] = message.offset()
            elif error.name() == "_AUTO_OFFSET_RESET":
                polled.out_of_range.append(message.partition())
            elif error.fatal() or not error.retriable():
                self._problems.note(error)
                if error.name() not in ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_MAX_POLL_EXCEEDED"):
                    raise self._failed(error)
        if polled.messages or polled.ends:
            self._problems.forget()
        return polled

    def resume(self, partition: int, offset: int | None = None) -> None:
        """Reads on, or at an offset."""
        place = self._place(partition, offset)
        if offset is not None:
            self._consumer.seek(place)
        self._consumer.resume([place])

    def pause(self, partition: int) -> None:
        self._consumer.pause([self._place(partition)])

    def commit(self, offsets: Mapping[int, int]) -> None:
        """Tells the brokers how far the group has delivered, for displays of its lag."""
        places = [self._place(partition, offset) for partition, offset in offsets.items()]
        with suppress(self._library.KafkaException):
            self._consumer.commit(offsets=places, asynchronous=True)

    def _assigned(self, _consumer: object, places: Sequence["TopicPartition"]) -> None:
        starts = self._listener.assign([one.partition for one in places])
        found = [self._place(partition, offset) for partition, offset in starts.items()]
        self._consumer.incremental_assign(found)
        self._consumer.pause(found)

    def _revoked(self, _consumer: object, places: Sequence["TopicPartition"]) -> None:
        self._listener.revoke([one.partition for one in places])

    def _place(self, partition: int, offset: int | None = None) -> "TopicPartition":
        made: Callable[..., TopicPartition] = self._library.TopicPartition
        topic = self._settings.topic
        return made(topic, partition) if offset is None else made(topic, partition, offset)

    def _failed(self, error: "KafkaError") -> SourceFailed:
        return self._problems.failure(error)
