"""How a topic is reached: its brokers, and how to sign in to them."""

from dataclasses import dataclass, field
from types import ModuleType

from sfmap.engine.sources.extras import needed

Config = dict[str, str | int | bool]
"""Settings of librdkafka by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    source: str
    """The name of the source in sfmap.yaml."""
    brokers: str
    """`host:port`, several with commas between them."""
    topic: str
    group: str
    dead_letters: str = ""
    """The topic that dead letters are sent to; empty for none."""
    tls: bool = False
    mechanism: str = "PLAIN"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    key_password: str = field(default="", repr=False)

    def client(self) -> Config:
        """The settings that all clients share."""
        protocol = ("SASL_" if self.username else "") + ("SSL" if self.tls else "PLAINTEXT")
        config: Config = {
            "bootstrap.servers": self.brokers,
            "client.id": "sfmap",
            "security.protocol": protocol,
            "topic.metadata.refresh.interval.ms": 10_000,
            "log_level": 0,  # errors are told by callbacks
            **({"sasl.mechanism": self.mechanism} if self.username else {}),
        }
        texts = {
            "sasl.username": self.username,
            "sasl.password": self.password,
            "ssl.ca.location": self.ca_file,
            "ssl.certificate.location": self.certificate_file,
            "ssl.key.location": self.key_file,
            "ssl.key.password": self.key_password,
        }
        return {**config, **{name: text for name, text in texts.items() if text}}

    def library(self) -> ModuleType:
        """Raises `ExtraMissing`."""
        return needed("confluent_kafka", "kafka", f"reach the topic {self.topic}")
