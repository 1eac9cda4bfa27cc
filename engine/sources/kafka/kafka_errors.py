"""What brokers and librdkafka report, in words."""

from typing import TYPE_CHECKING

from sfmap.engine.errors import ExitCode
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.kafka.kafka_settings import KafkaSettings

if TYPE_CHECKING:
    from confluent_kafka import KafkaError

_AWAY = ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE", "REQUEST_TIMED_OUT", "_TIMED_OUT_QUEUE")
_SIGN_IN = ("_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED", "UNSUPPORTED_SASL_MECHANISM", "ILLEGAL_SASL_STATE")


class BrokersAway(SourceFailed):
    """No broker answers for now; a later try may succeed."""

    exit_code = ExitCode.NOT_FINISHED


class BrokerProblems:
    """The errors that a client reports beside its answers: why no broker answers, such as a refused password."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._last: KafkaError | None = None
        """The last one that says why a broker cannot be used."""
        self._are_away = False

    def note(self, error: "KafkaError") -> None:
        """For `error_cb`."""
        if error.name() != "_ALL_BROKERS_DOWN" or self._last is None:
            self._last = error
        self._are_away |= error.name() in ("_ALL_BROKERS_DOWN", *_SIGN_IN, "_SSL")

    def forget(self) -> None:
        """Notes that the brokers answer."""
        self._last, self._are_away = None, False

    @property
    def trouble(self) -> str:
        """Why no broker can be used; empty if one can."""
        last = self._last
        return explained(last, self._settings) if last is not None and self._are_away else ""

    def failure(self, error: "KafkaError") -> SourceFailed:
        """The error of an answer as one to raise."""
        message = f"{self._settings.source}: {self.said(error)}"
        is_lasting = self._last is not None and self._last.name() in (*_SIGN_IN, "_SSL")
        return BrokersAway(message) if error.name() in _AWAY and not is_lasting else SourceFailed(message)

    def said(self, error: "KafkaError") -> str:
        """The error of an answer, with its cause where no broker answered."""
        if error.name() in _AWAY and self._last is not None:
            error = self._last
        return explained(error, self._settings)


def explained(error: "KafkaError", settings: KafkaSettings) -> str:
    """What happened, and what to do."""
    name = error.name()
    if name in _SIGN_IN:
        return (
            f"the brokers refuse to sign in {settings.username or 'without a user name'}:"
            f" check security in sfmap.yaml, and whether {settings.brokers} takes"
            f" {settings.mechanism if settings.username else 'such connections'} ({_shortened(error)})"
        )
    if name == "_SSL":
        return (
            f"no TLS connection to {settings.brokers}: check tls and ca_file in sfmap.yaml ({_shortened(error)})"
        )
    if name in _AWAY:
        return f"no broker of {settings.brokers} can be used: check brokers in sfmap.yaml ({_shortened(error)})"
    if name in ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "UNKNOWN_TOPIC_ID"):
        return f"the brokers have no topic {settings.topic}: create it, or correct the name in sfmap.yaml"
    if name == "TOPIC_AUTHORIZATION_FAILED":
        return f"this user may not use the topic {settings.topic}: grant it the access"
    if name == "GROUP_AUTHORIZATION_FAILED":
        return f"this user may not use the group {settings.group}: grant it the access"
    if name == "TOPIC_EXCEPTION":
        return f"{settings.topic} cannot be the name of a topic"
    return _shortened(error)


def _shortened(error: "KafkaError") -> str:
    """The library's own words, without its addresses of threads and timings."""
    return error.str().removeprefix("Local: ").removeprefix("Broker: ").split(" (after ")[0]
