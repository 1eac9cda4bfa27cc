"""Where a run starts: after the last one over the same source, or at the first event."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.files.output import NO_RESULTS, Results
from sfmap.engine.journal.entries import Checkpoint
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import again
from sfmap.engine.sources.event_source import START, Begun, FileVersion, Position, ResumableSource


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
    if known is None:
        return _begin(ledger, source.begun(START, ()))
    if restart:
        return _restart(ledger, source, known)
    if known.finished and not source.is_stream:
        return _begin(ledger, source.begun(known.position, ledger.delivered_files()))
    begun_with = ledger.run_files()
    rest = None if source.is_stream else source.continued(known.position, begun_with)
    if rest:
        return _continue(ledger, rest, known, begun_with)
    return _resume_with_other_events(ledger, source, known, begun_with)


def _restart(ledger: Ledger, source: ResumableSource, known: Checkpoint) -> Resumed:
    """Starts at the first event. Files that are left out by their time stay delivered."""
    if source.remembers and not known.finished:
        ledger.finish_files(before=known.position.file)
    again = {file.name for file in source.files}
    return _begin(ledger, source.begun(START, [one for one in ledger.delivered_files() if one.name not in again]))


def _continue(
    ledger: Ledger, rest: ResumableSource, known: Checkpoint, begun_with: Sequence[FileVersion]
) -> Resumed:
    """The rest of a run. The journal keeps the versions that it delivers, and forgets files that have gone."""
    done = known.position.file
    files = [*begun_with[:done], *rest.files[done:]]
    if files != begun_with:
        ledger.go_on_with_files(files)
    if known.position.file or known.position.offset or known.position.number:
        words = f"Continuing after event {known.position.number:,}, where the last run ended.{_from_the_first()}"
    else:
        words = _changed_before_it_was_read(begun_with, files)
    return Resumed(
        source=rest.starting_at(known.position),
        start=known.position,
        results=known.results,
        tally=known.tally,
        words=words,
    )


def _from_the_first() -> str:
    """How to deliver all events again instead, where a command can do that."""
    command = again("--restart")
    return f" To start at the first event: {command}" if command else ""


def _changed_before_it_was_read(before: Sequence[FileVersion], now: Sequence[FileVersion]) -> str:
    """What is said if the first file has changed since a run that ended before an event had its outcome."""
    if not before or not now or before[0].name != now[0].name or before[0] == now[0]:
        return ""
    return (
        f"{before[0].name} has changed since the last run, which ended before any event had its outcome:"
        " starting at the first event."
    )


def _begin(ledger: Ledger, begun: Begun) -> Resumed:
    ledger.begin(begun.start, begun.source.files, begun.delivered)
    return Resumed(source=begun.source.starting_at(begun.start), start=begun.start, words=begun.words)


def _resume_with_other_events(
    ledger: Ledger, source: ResumableSource, known: Checkpoint, begun_with: Sequence[FileVersion]
) -> Resumed:
    """Where to start with other events under the same source name."""
    held = len(ledger.held())
    changed = _what_has_changed(begun_with, source, known)
    if source.remembers:
        ledger.finish_files(before=known.position.file)
    begun = source.begun(START, ledger.delivered_files())
    start = begun.start._replace(number=ledger.number_of_others())
    ledger.begin_with_other_events(start, begun.source.files, begun.delivered)
    waiting = f"Records of an earlier run that wait for a write in doubt are included: {held:,}." if held else ""
    if source.is_stream:
        return Resumed(source=source.starting_at(start), start=start, words=waiting)
    changed = (
        f"{changed} since its last, unfinished run, which delivered {counted(known.position.number, 'event')}:"
        " starting at the first event."
    )
    words = " ".join(filter(None, (changed, waiting, begun.words)))
    return Resumed(source=begun.source.starting_at(start), start=start, words=words)


def _what_has_changed(files: Sequence[FileVersion], source: ResumableSource, known: Checkpoint) -> str:
    """What keeps a run from being continued."""
    if not source.files and not files:
        return "Table, query or cursor have changed"
    if len(files) < 2 or known.position.file >= len(files):
        return "The file has changed"
    name = files[known.position.file].name
    if name not in {file.name for file in source.files}:
        return f"{name} is gone"
    return f"{name} has changed" if source.remembers else f"{name} or a file before it has changed"
