"""What delivery needs of a source of events: the events in order, each with where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from sfmap.engine.mapping.record import Event


@dataclass(frozen=True, slots=True)
class Received:
    """One event as it came, or what stands in its place."""

    number: int
    """Counts the events of a run from 1."""
    file: str
    line: int
    size: int
    """In bytes, for progress."""
    event: Event | None
    problem: str = ""
    """Why there is no event."""


class SourceFailed(Exception):
    """A source that could not be read on; the message names it."""


class EventSource(Protocol):
    def __iter__(self) -> Iterator[Received]:
        """The events in order. Raises `SourceFailed`."""
