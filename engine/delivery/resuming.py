"""Where a run starts: after the last one over the same source, or at the first event."""

from dataclasses import dataclass

from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.journal.entries import Checkpoint
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.sources.event_source import START, Begun, Position, ResumableSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """What a run delivers and where it starts, and the message about it."""

    source: ResumableSource
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
    if restart or known is None:
        return _begin(ledger, source.begun(START, ()))
    if known.finished and not source.is_stream:
        return _begin(ledger, source.begun(known.position, ledger.delivered_files()))
    rest = None if source.is_stream else source.continued(known.position, ledger.run_files())
    if rest:
        has_begun = known.position.file or known.position.offset or known.position.number
        said = f"Continuing after event {known.position.number:,}, where the last run ended: see --restart."
        words = said if has_begun else ""
        return Resumed(
            source=rest.starting_at(known.position),
            start=known.position,
            results=known.results,
            tally=known.tally,
            words=words,
        )
    return _resume_with_other_events(ledger, source, known)


def _begin(ledger: Ledger, begun: Begun) -> Resumed:
    ledger.begin(begun.start, begun.source.files, begun.delivered)
    return Resumed(source=begun.source.starting_at(begun.start), start=begun.start, words=begun.words)


def _resume_with_other_events(ledger: Ledger, source: ResumableSource, known: Checkpoint) -> Resumed:
    """Where to start with other events under the same source name."""
    held = len(ledger.held())
    if source.remembers:
        ledger.finish_files(before=known.position.file)
    begun = source.begun(START, ledger.delivered_files())
    start = begun.start._replace(number=ledger.number_of_others())
    ledger.begin_with_other_events(start, begun.source.files, begun.delivered)
    waiting = f"{held:,} records of an earlier run that wait for a write in doubt are included." if held else ""
    if source.is_stream:
        return Resumed(source=source.starting_at(start), start=start, words=waiting)
    changed = (
        f"The file has changed since its last, unfinished run, which delivered {known.position.number:,} events:"
        " starting at the first event."
    )
    words = " ".join(filter(None, (changed, begun.words, waiting)))
    return Resumed(source=begun.source.starting_at(start), start=start, words=words)
