"""Sends messages to a topic, and says when the brokers have them."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.kafka.kafka_errors import BrokerProblems
from sfmap.engine.sources.kafka.kafka_settings import Config, KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_SETTINGS: Config = {
    "acks": "all",
    "enable.idempotence": True,
    "partitioner": "murmur2_random",  # that of Java's clients
    "linger.ms": 5,
    "delivery.timeout.ms": 10_000,
    "queue.buffering.max.kbytes": 64 * 1024,
}


class QueueFull(Exception):
    """So many messages wait for the brokers that no more are taken."""


class TopicProducer:
    """Thread-safe; callbacks run on the thread that polls."""

    def __init__(self, settings: KafkaSettings, topic: str = "") -> None:
        """Raises `ExtraMissing` or `SourceFailed`."""
        library: Any = settings.library()
        self._topic = topic or settings.topic
        self._problems = BrokerProblems(settings)
        try:
            self._producer = library.Producer({**settings.client(), **_SETTINGS, "error_cb": self._problems.note})
        except library.KafkaException as error:
            raise SourceFailed(f"{settings.source}: {self._problems.said(error.args[0])}") from None

    def send(
        self,
        value: bytes,
        key: str,
        headers: Mapping[str, str],
        on_end: Callable[[str], object] = lambda why: None,
    ) -> None:
        """`on_end` gets why the brokers do not have it; empty once they do. Raises `QueueFull`."""

        def ended(error: "KafkaError | None", _message: object) -> None:
            if error is None:
                self._problems.forget()
            on_end("" if error is None else self._problems.said(error))

        texts = [(name, text.encode("utf-8", "replace")) for name, text in headers.items()]
        key_bytes = key.encode("utf-8", "replace") or None
        try:
            self._producer.produce(self._topic, value, key_bytes, headers=texts, on_delivery=ended)
        except BufferError:
            raise QueueFull from None

    def poll(self, seconds: float) -> None:
        """Takes the brokers' answers, for so long at most."""
        self._producer.poll(seconds)

    def flush(self, seconds: float) -> int:
        """Waits for the brokers' answers; returns how many are still missing."""
        left: int = self._producer.flush(seconds)
        return left

    @property
    def waiting(self) -> int:
        """How many messages the brokers do not have yet."""
        return len(self._producer)

    @property
    def trouble(self) -> str:
        """Why no broker can be used; empty if one can, as far as is known."""
        return self._problems.trouble
