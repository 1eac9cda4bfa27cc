"""Where a run starts: after the last one over the same source, or at the first event."""

from dataclasses import dataclass

from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.journal.entries import Checkpoint
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.sources.event_source import START, Position, ResumableSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """Where a run starts, and the message about it."""

    start: Position = START
    results: Results = NO_RESULTS
    """The results file of the last run."""
    tally: bytes = b""
    """The summary of the last run."""
    words: str = ""


def resume(ledger: Ledger, source: ResumableSource, restart: bool) -> Resumed:
    """Where to start: after the last window of a run that did not finish, or else at the first event.

    Held records are delivered too, unless `restart` is set.

    Raises `SourceFailed` or `JournalFailed`.
    """
    known = ledger.checkpoint()
    if restart or known is None or (known.finished and not source.is_stream):
        ledger.begin()
        return Resumed()
    if not source.is_stream and source.is_unchanged_up_to(known.position):
        has_begun = known.position.file or known.position.offset
        said = f"Continuing after event {known.position.number:,}, where the last run ended: see --restart."
        words = said if has_begun else ""
        return Resumed(start=known.position, results=known.results, tally=known.tally, words=words)
    return _resume_with_other_events(ledger, source, known)


def _resume_with_other_events(ledger: Ledger, source: ResumableSource, known: Checkpoint) -> Resumed:
    """Where to start with other events under the same source name."""
    held = len(ledger.held())
    start = Position(ledger.begin_with_other_events())
    waiting = f"{held:,} records of an earlier run that wait for a write in doubt are included." if held else ""
    if source.is_stream:
        return Resumed(start=start, words=waiting)
    changed = (
        f"The file has changed since its last, unfinished run, which delivered {known.position.number:,} events:"
        " starting at the first event."
    )
    return Resumed(start=start, words=f"{changed} {waiting}".strip())
