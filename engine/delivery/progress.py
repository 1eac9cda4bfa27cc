"""How far a run is."""

from collections.abc import Callable
from dataclasses import dataclass

from sfmap.engine.sources.event_source import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is committed to the journal, with what earlier runs over the source did."""

    events: int
    """The number of events that have an outcome or wait in the journal."""
    failed: int
    """The number of records that failed."""
    position: Position
    """How far the source is read."""


OnProgress = Callable[[Progress], object]
"""Called after each commit. What it raises ends the run."""
