"""How many partitions of a topic are safe for the mappings, and why."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sfmap.engine.delivery.partitioning import dependences
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.kafka.topic_description import TopicDescriber
from sfmap.engine.wiring.topic_opening import open_topic, topic_entry


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionCheck:
    source: str
    reasons: Sequence[str]
    """Why events with different keys depend on each other; empty if they do not."""
    is_relaxed: bool
    partitions: int | None
    """How many the topic has; None if the brokers could not be asked."""
    problem: str = ""
    """Why they could not."""

    @property
    def is_refused(self) -> bool:
        """Whether a run would be."""
        return bool(self.reasons) and not self.is_relaxed and (self.partitions or 1) > 1

    def lines(self) -> Iterator[str]:
        safe = "with one partition only" if self.reasons else "with any number of partitions"
        yield f"{self.source}: safe {safe}"
        yield from (f"  {reason}" for reason in self.reasons)
        if self.partitions is None:
            yield f"  how many it has is not known: {self.problem}"
        elif self.is_refused:
            yield (
                f"  it has {self.partitions}: sfmap run refuses it, unless the source says order: relaxed,"
                " which gives up the order of these records (docs/scale.md)"
            )
        else:
            relaxed = ", with order: relaxed" if self.reasons and self.partitions > 1 else ""
            yield f"  it has {self.partitions}{relaxed}"

    def as_json(self) -> dict[str, object]:
        return {
            "source": self.source,
            "safe_partitions": 1 if self.reasons else None,
            "reasons": list(self.reasons),
            "partitions": self.partitions,
            "relaxed": self.is_relaxed,
        }


def check_partitions(project: ProjectFile, source: str, mappings: Sequence[CompiledMapping]) -> PartitionCheck:
    """Raises `NoSuchSource`, `SecretMissing` or `ExtraMissing`."""
    entry, kafka = topic_entry(project, source)
    topic = open_topic(project, entry, kafka)
    partitions, problem = None, ""
    try:
        partitions = TopicDescriber(topic.settings).describe().partitions
    except SourceFailed as error:
        problem = str(error)
    return PartitionCheck(
        source=source,
        reasons=dependences(mappings),
        is_relaxed=topic.may_be_relaxed,
        partitions=partitions,
        problem=problem,
    )
