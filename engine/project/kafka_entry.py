"""Reads `kafka` of a source in the project file: a topic, the brokers that have it, and how to sign in to them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from sfmap.engine.project.durations import read_duration
from sfmap.engine.project.secrets import check_is_variable
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import listed
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import Table

PartitionOrder = Literal["strict", "relaxed"]
_PARTITION_ORDERS: tuple[PartitionOrder, ...] = get_args(PartitionOrder)
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)
KAFKA_KEYS = ("brokers", "topic", "group", "order", "growth_wait", "dead_letters", "security")
_TEXT_KEYS = ("topic", "group", "dead_letters")
SECURITY_KEYS = (
    *("tls", "mechanism", "username", "password"),
    *("ca_file", "certificate_file", "key_file", "key_password"),
)
_SECRET_KEYS = ("password", "key_password")
_NEEDED = {
    "username": "password",
    "password": "username",
    "mechanism": "username",
    "certificate_file": "key_file",
    "key_file": "certificate_file",
    "key_password": "key_file",
}
USUAL_GROWTH_WAIT = 600.0
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/,\[\]@]+)(:\d+)?")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaEntry:
    """A topic as the project file names it, with `${...}` not replaced."""

    brokers: tuple[ScalarNode, ...]
    texts: Mapping[str, ScalarNode]
    """`topic`, and perhaps `group` and `dead_letters`."""
    order: PartitionOrder = "strict"
    growth_wait: float = USUAL_GROWTH_WAIT
    """Seconds."""
    tls: bool | None = None
    """None for what follows from the other keys: with a user name or a certificate."""
    security: Mapping[str, ScalarNode] = field(default_factory=dict)
    """The texts under `security`."""


def read_kafka(source: Table, name: ScalarNode) -> KafkaEntry | None:
    """The topic of a source; None if it is not usable."""
    node = source.get("kafka")
    table = Table.open(node, source.report, "kafka", KAFKA_KEYS) if node else None
    if table is None:
        return None
    brokers = table.texts("brokers")
    texts = {key: text for key in _TEXT_KEYS if key in table and (text := table.text(key))}
    for key in ("brokers", "topic"):
        if key not in table:
            source.report.error(
                kinds.MISSING_KEY, name.span, f'the source {name.text} needs the key "{key}" under kafka'
            )
    _check_names(table, brokers, texts.get("topic"), texts.get("dead_letters"))
    wait = read_duration(table, "growth_wait")
    tls, security = _read_security(table)
    if "topic" not in texts or not brokers:
        return None
    return KafkaEntry(
        brokers=brokers,
        texts=texts,
        order=table.choice("order", _PARTITION_ORDERS) or "strict",
        growth_wait=USUAL_GROWTH_WAIT if wait is None else wait,
        tls=tls,
        security=security,
    )


def _check_names(
    kafka: Table, brokers: tuple[ScalarNode, ...], topic: ScalarNode | None, letters: ScalarNode | None
) -> None:
    for broker in brokers:
        addresses = broker.text.split(",")
        if "$" not in broker.text and not all(_BROKER.fullmatch(one.strip()) for one in addresses):
            message = "a broker is written as host:port, such as kafka-1.example.com:9092"
            kafka.report.error(kinds.WRONG_VALUE, broker.span, message)
    for name in (topic, letters):
        if name and "$" not in name.text and not _TOPIC.fullmatch(name.text):
            message = "a topic's name can contain up to 249 letters, digits, dots, dashes and underscores"
            kafka.report.error(kinds.WRONG_NAME, name.span, message)
    if topic and letters and topic.text == letters.text:
        message = "dead letters cannot go to the topic that the events come from: each would fail again"
        kafka.report.error(kinds.CONFLICTING_KEYS, letters.span, message)


def _read_security(kafka: Table) -> tuple[bool | None, dict[str, ScalarNode]]:
    node = kafka.get("security")
    table = Table.open(node, kafka.report, "security", SECURITY_KEYS) if node else None
    if table is None:
        return None, {}
    tls = table.boolean("tls")
    texts = {key: text for key in SECURITY_KEYS[1:] if key in table and (text := table.text(key))}
    for key in _SECRET_KEYS:
        if key in texts:
            check_is_variable(key, texts[key], table.report)
    _check_belonging(table, tls)
    table.choice("mechanism", MECHANISMS)
    return tls, texts


def _check_belonging(security: Table, tls: bool | None) -> None:
    """Reports keys without those that they need, or with those that exclude them."""
    for key, needed in _NEEDED.items():
        if key in security and needed not in security:
            message = f'{key} needs the key "{needed}" beside it'
            security.report.error(kinds.MISSING_KEY, security.key(key).span, message)
    of_tls = [key for key in ("ca_file", "certificate_file", "key_file", "key_password") if key in security]
    if tls is False and of_tls:
        message = f"tls: false excludes {listed(of_tls, 'and')}"
        security.report.error(kinds.CONFLICTING_KEYS, security.key("tls").span, message)
