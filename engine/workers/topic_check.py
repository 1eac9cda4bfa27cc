"""Refuses a topic that cannot be delivered, before anything else is opened."""

from sfmap.engine.delivery.partitioning import dependences
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import command_line
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.kafka.topic import Topic
from sfmap.engine.sources.kafka.topic_description import TopicDescriber, TopicDescription


def check_topic(topic: Topic, mapper: Mapper) -> None:
    """Raises `SourceFailed` or `ExtraMissing`."""
    if topic.settings.dead_letters:
        TopicDescriber(topic.settings, topic.settings.dead_letters).describe()
    check_partitions_of(topic, TopicDescriber(topic.settings).describe(), mapper)


def check_partitions_of(topic: Topic, described: TopicDescription, mapper: Mapper) -> None:
    """Raises `SourceFailed` if the mappings need all events in one order, and the topic has several."""
    reasons = dependences(mapper.mappings)
    if described.partitions > 1 and reasons and not topic.may_be_relaxed:
        more = f" ({counted(len(reasons) - 1, 'more reason')})" if len(reasons) > 1 else ""
        raise SourceFailed(
            f"{topic.name}: the topic has {described.partitions} partitions, and these mappings are safe with one"
            f" only: {reasons[0]}{more}. order: relaxed in sfmap.yaml delivers it all the same."
            f" All reasons: {command_line('check', '--source', topic.name)}"
        )
