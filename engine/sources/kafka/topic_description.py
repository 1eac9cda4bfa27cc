"""What the brokers say of a topic: which one it is, and its partitions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.kafka.kafka_errors import BrokerProblems, BrokersAway, explained
from sfmap.engine.sources.kafka.kafka_settings import KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicDescription:
    cluster: str
    id: str
    """A topic that is created again gets another one; empty if the brokers give none."""
    partitions: int


class OffsetRange(NamedTuple):
    """The events that a partition has."""

    low: int
    """The offset of the oldest one."""
    high: int
    """The offset that the next one will get."""


class TopicDescriber:
    """Asks the brokers about a topic. Thread-safe."""

    def __init__(self, settings: KafkaSettings, topic: str = "") -> None:
        """Raises `ExtraMissing` or `SourceFailed`."""
        self._settings = settings
        self._topic = topic or settings.topic
        self._library: Any = settings.library()
        self._admin: Any = needed("confluent_kafka.admin", "kafka", f"reach the topic {self._topic}")
        self._problems = BrokerProblems(settings)
        config = {**settings.client(), "error_cb": self._problems.note, "allow.auto.create.topics": False}
        try:
            self._client = self._admin.AdminClient(config)
        except self._library.KafkaException as error:
            raise self._failed(error.args[0]) from None

    def describe(self) -> TopicDescription:
        """Raises `SourceFailed`."""
        exception = self._library.KafkaException
        try:
            found = self._client.list_topics(self._topic, timeout=_SECONDS)
        except exception as error:
            self._client.poll(0)
            raise self._failed(error.args[0]) from None
        topic = found.topics.get(self._topic)
        if topic is None or topic.error or not topic.partitions:
            raise SourceFailed(
                f"{self._settings.source}: {explained(topic.error, self._settings)}"
                if topic and topic.error
                else f"{self._settings.source}: the topic {self._topic} has no partitions"
            )
        return TopicDescription(cluster=found.cluster_id or "", id=self._id(), partitions=len(topic.partitions))

    def range(self, partition: int) -> OffsetRange:
        """Raises `SourceFailed`."""
        exception = self._library.KafkaException
        place = self._library.TopicPartition(self._topic, partition)
        low, high = (
            self._client.list_offsets(
                {place: spec},
                isolation_level=self._library.IsolationLevel.READ_COMMITTED,
                request_timeout=_SECONDS,
            )[place]
            for spec in (self._admin.OffsetSpec.earliest(), self._admin.OffsetSpec.latest())
        )
        try:
            return OffsetRange(low.result(_SECONDS).offset, high.result(_SECONDS).offset)
        except exception as error:
            raise self._failed(error.args[0]) from None
        except TimeoutError:
            raise BrokersAway(f"{self._settings.source}: the brokers do not say how far {partition} is") from None

    def _id(self) -> str:
        """Brokers before 2.8 have none."""
        topics = self._library.TopicCollection([self._topic])
        asked = self._client.describe_topics(topics, request_timeout=_SECONDS)
        try:
            return str(asked[self._topic].result(_SECONDS).topic_id or "")
        except (self._library.KafkaException, TimeoutError):
            return ""

    def _failed(self, error: "KafkaError") -> SourceFailed:
        return self._problems.failure(error)
