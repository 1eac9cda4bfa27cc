"""How far a run is."""

from collections.abc import Callable
from dataclasses import dataclass

from sfmap.engine.sources.event_source import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far the bulk jobs under way are, by what the org has told last."""

    jobs: int = 0
    rows: int = 0
    processed: int = 0
    """The rows that the org has processed."""
    seconds_left: float = 0.0
    """How much longer the longest of them will take; 0 if that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is committed to the journal by this run and by earlier ones over the source that did not finish."""

    events: int
    """The number of events that have an outcome or wait in the journal."""
    failed: int
    """The number of records that failed."""
    position: Position
    """How far the source is read."""
    share: float | None = None
    """How much of the source that is, from 0 to 1; None if its size is unknown."""
    files: int = 0
    """The number of files to read; 0 if the source is none of files."""
    bulk: JobProgress = JobProgress()


OnProgress = Callable[[Progress], object]
"""Called when a run begins, after each commit, and when a bulk job has got on. What it raises ends the run."""
