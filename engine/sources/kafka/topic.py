"""A topic as a source of events: how it is reached, and how its messages become events."""

from dataclasses import dataclass

from sfmap.engine.sources.kafka.kafka_settings import KafkaSettings
from sfmap.engine.sources.kafka.topic_messages import MessageReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    settings: KafkaSettings
    reader: MessageReader
    growth_wait: float
    """Seconds after which all producers know that the topic has more partitions."""
    may_be_relaxed: bool = False
    """Whether it may have more partitions than the mappings are safe with."""

    @property
    def name(self) -> str:
        """The name of the source in sfmap.yaml."""
        return self.settings.source
