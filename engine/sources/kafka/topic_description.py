"""What the brokers say of a topic: which one it is, and its partitions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.kafka.kafka_errors import BrokerProblems, BrokersAway
from sfmap.engine.sources.kafka.kafka_settings import KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_SECONDS = 10.0
_RESULT_SECONDS = _SECONDS + 5.0
"""The library itself ends a request after the shorter time, and says why."""


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
        self._cluster = ""
        self._library: Any = settings.library()
        self._admin: Any = needed("confluent_kafka.admin", "kafka", f"reach the topic {self._topic}")
        self._problems = BrokerProblems(settings)
        config = {**settings.client(), "error_cb": self._problems.note}
        try:
            self._client = self._admin.AdminClient(config)
        except self._library.KafkaException as error:
            raise self._failed(error.args[0]) from None

    def describe(self) -> TopicDescription:
        """Raises `SourceFailed`. Unlike a request for metadata, it never creates the topic."""
        try:
            self._cluster = self._cluster or self._cluster_id()
            asked = self._client.describe_topics(
                self._library.TopicCollection([self._topic]), request_timeout=_SECONDS
            )
            found = asked[self._topic].result(_RESULT_SECONDS)
        except self._library.KafkaException as error:
            raise self._failed(error.args[0]) from None
        except TimeoutError:
            raise BrokersAway(f"{self._settings.source}: the brokers do not describe {self._topic}") from None
        if not found.partitions:
            raise SourceFailed(f"{self._settings.source}: the topic {self._topic} has no partitions")
        return TopicDescription(
            cluster=self._cluster, id=str(found.topic_id or ""), partitions=len(found.partitions)
        )

    def range(self, partition: int) -> OffsetRange:
        """Raises `SourceFailed`."""
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
            return OffsetRange(low.result(_RESULT_SECONDS).offset, high.result(_RESULT_SECONDS).offset)
        except self._library.KafkaException as error:
            raise self._failed(error.args[0]) from None
        except TimeoutError:
            raise BrokersAway(f"{self._settings.source}: the brokers do not say how far {partition} is") from None

    def _cluster_id(self) -> str:
        asked = self._client.describe_cluster(request_timeout=_SECONDS)
        return asked.result(_RESULT_SECONDS).cluster_id or ""

    def _failed(self, error: "KafkaError") -> SourceFailed:
        self._client.poll(0)  # takes what the library has noticed meanwhile
        return self._problems.failure(error)
