"""Opens a source of sfmap.yaml that is a topic."""

import os
from collections.abc import Mapping

from sfmap.engine.project.kafka_entry import KafkaEntry
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.project.source_entry import SourceEntry
from sfmap.engine.sources.kafka.kafka_settings import KafkaSettings
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.sources.kafka.topic_messages import MessageReader
from sfmap.engine.sources.stores.name_patterns import most_similar
from sfmap.engine.wiring.source_opening import NoSuchSource

_FILES = ("ca_file", "certificate_file", "key_file")


def topic_entry(project: ProjectFile, name: str) -> tuple[SourceEntry, KafkaEntry]:
    """The source of that name, which must be a topic. Raises `NoSuchSource`."""
    entry = project.sources.get(name)
    if entry and entry.kafka:
        return entry, entry.kafka
    topics = [one for one, other in project.sources.items() if other.kafka]
    near = most_similar(name, topics)
    known = f"did you mean {near}?" if near else f"known: {', '.join(topics) or 'none'}"
    raise NoSuchSource(f"sfmap.yaml has no topic named {name} under sources; {known}")


def open_topic(project: ProjectFile, entry: SourceEntry, topic: KafkaEntry) -> Topic:
    """Raises `SecretMissing`."""
    return Topic(
        settings=_settings(project, entry, topic),
        reader=MessageReader(source=entry.name.text, shape=entry.columns),
        growth_wait=topic.growth_wait,
        may_be_relaxed=topic.order == "relaxed",
    )


def _settings(project: ProjectFile, entry: SourceEntry, topic: KafkaEntry) -> KafkaSettings:
    texts = {key: project.filled_in_of_source(entry, node) for key, node in topic.texts.items()}
    brokers = [project.filled_in_of_source(entry, node) for node in topic.brokers]
    security = {key: project.filled_in_of_source(entry, node) for key, node in topic.security.items()}
    named = {key: os.path.join(project.folder, text) for key, text in security.items() if key in _FILES}
    for key, path in named.items():
        if not os.path.isfile(path):
            raise NoSuchSource(f"the source {entry.name.text}: {key} is {path}, and there is no such file")
    return KafkaSettings(
        source=entry.name.text,
        brokers=",".join(one.strip() for some in brokers for one in some.split(",")),
        topic=texts["topic"],
        group=texts.get("group", f"sfmap-{entry.name.text}"),
        dead_letters=texts.get("dead_letters", ""),
        tls=_uses_tls(topic, security),
        **{**security, **named},
    )


def _uses_tls(topic: KafkaEntry, security: Mapping[str, str]) -> bool:
    """As said, or else where a password or a certificate is used."""
    return bool(security) if topic.tls is None else topic.tls
