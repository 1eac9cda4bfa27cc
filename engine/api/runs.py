"""Delivers a source, or dead letters, with what `open_run` opened."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sfmap.engine.api.opening_runs import OpenRun
from sfmap.engine.api.run_report import RunReport
from sfmap.engine.delivery.call_allowance import CallAllowance
from sfmap.engine.delivery.deliver_all import deliver_all
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.resuming import Resumed, resume
from sfmap.engine.delivery.windows import Stream
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import NO_RESULTS
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.sources.event_source import EventSource, Received, ResumableSource
from sfmap.engine.wiring.org_opening import sign_in
from sfmap.engine.yaml_files.diagnostics import listed


def run_source(
    run: OpenRun, source: ResumableSource, mapper: Mapper, *, restart: bool, linger: float | None
) -> RunReport:
    """Delivers the events that have no outcome yet. With `linger`, a stream is read by a separate thread."""
    run.options.say(f"Delivering to {run.opened.where}. Mappings: {named_mappings(mapper.mappings)}.")
    if source.is_stream:  # of a file it is not known yet whether the run is continued
        _drop_old_results(run)
    try:
        key = sign_in(run.opened, run.state.journal, run.options.waiter())
    except SfmapError as error:
        return run.end(replace(_not_begun(run, error), is_resumable=not source.is_stream))
    with run.lease(key) as lease:
        ledger = Ledger(lease.database, key, source.name, is_stream=source.is_stream)
        return _delivered(run, key, ledger, resume(ledger, source, restart), mapper, linger)


def _delivered(
    run: OpenRun, key: str, ledger: Ledger, resumed: Resumed, mapper: Mapper, linger: float | None
) -> RunReport:
    """Delivers what is left of a source."""
    source = resumed.source
    if resumed.words:
        run.options.say(resumed.words)
    if run.results:
        run.results.continue_from(resumed.results)
    stream: Stream | _Counted | None = None
    if source.is_stream:
        stream = _Counted(source) if linger is None else Stream(source, linger, CallAllowance(run.opened.org))
    repeats = source.may_repeat and not source.is_stream
    if repeats and not run.options.remember_days:
        run.options.say("repeats: 0 in sfmap.yaml: rows within the overlap are delivered again.")
    skips = run.options.skip_delivered or repeats
    summary, interruption = deliver_all(
        source if stream is None else stream,
        resumed=resumed,
        mapper=mapper,
        org=run.opened.org,
        ledger=ledger,
        options=replace(run.options, skip_delivered=skips),
        bulk=run.opened.bulk,
        results=run.results,
    )
    report = run.report_of(summary, interruption, key)
    if stream is not None:
        report = replace(report, is_resumable=False, undelivered=stream.read - summary.events)
    return run.end(report, ledger)


def retry_dead_letters(run: OpenRun, mapper: Mapper, *, reason: str, number: int) -> RunReport:
    """Delivers the dead letters whose reason contains the text, or the one with the number, again."""
    run.options.say(f"Delivering dead letters to {run.opened.where}.")
    _drop_old_results(run)
    try:
        key = sign_in(run.opened, run.state.journal, run.options.waiter())
    except SfmapError as error:
        return run.end(_not_begun(run, error))
    with run.lease(key) as lease:
        source = DeadLetterSource(lease.database, key, reason=reason, numbers=(number,) if number else ())
        ledger = Ledger(lease.database, key, source.name)
        ledger.begin_unless_begun()
        summary, interruption = deliver_all(
            source,
            mapper=mapper,
            org=run.opened.org,
            ledger=ledger,
            options=run.options,
            bulk=run.opened.bulk,
            results=run.results,
        )
        return run.end(run.report_of(summary, interruption, key), ledger)


def _drop_old_results(run: OpenRun) -> None:
    """Empties the results file: a run that cannot begin tells no outcomes of the one before."""
    if run.results:
        run.results.continue_from(NO_RESULTS)


def _not_begun(run: OpenRun, error: SfmapError) -> RunReport:
    """The report of a run that the org did not let in."""
    return run.report_of(Report(calls=dict(run.opened.org.calls())), error)


@dataclass(slots=True)
class _Counted:
    """The events of a source, counted as they are read."""

    source: EventSource
    read: int = 0

    def __iter__(self) -> Iterator[Received]:
        for received in self.source:
            self.read += 1
            yield received


def named_mappings(mappings: Sequence[CompiledMapping]) -> str:
    """The mappings by folder and name, for messages."""
    folders: dict[str, list[str]] = {}
    for compiled in mappings:
        folder, _, _ = compiled.mapping.source.file.replace(os.sep, "/").rpartition("/")
        folders.setdefault(folder, []).append(compiled.mapping.name)
    return "; ".join(f"{listed(names, 'and')} in {folder or '.'}" for folder, names in folders.items())
