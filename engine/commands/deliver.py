"""`sfmap run`, `dead-letters`, `retry` and `limits`."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NoReturn

import click
import orjson

from sfmap.engine.commands.arguments import (
    check_outputs,
    compiled_mappings,
    event_source,
    events_argument,
    mappings_option,
    org_option,
)
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.delivery.deliver_all import (
    Resumed,
    RunOptions,
    deliver_all,
    resume,
    source_name,
)
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.delivery.windows import Stream
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.files.output import NO_RESULTS, Output
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_events import DeadLetterSource, letter_event, letter_json, letter_line
from sfmap.engine.journal.dead_letter_store import dead_letters, discard_dead_letters
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.lock import only_run
from sfmap.engine.journal.organizations import remember_organization
from sfmap.engine.mapping.compile.build import CompiledMapping
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.project_file import Project, load_project, project_folder
from sfmap.engine.sources.event_source import EventSource, Received
from sfmap.engine.sources.ndjson import STANDARD_INPUT, NdjsonSource
from sfmap.engine.wiring import OpenOrg, known_key, open_org, open_ready, sign_in
from sfmap.engine.yaml_files.diagnostics import listed

COLLECT_AFTER = 50_000
"""Allocations between garbage collections: with the default of 700 they take a sixth of a run."""

_report = click.option("--report", "report_file", metavar="FILE", help="Write the summary as JSON to this file.")


_results = click.option(
    "--results", "results_file", metavar="FILE", help="Write a JSON line for each event to this file."
)


_as_json = click.option("--json", "as_data", is_flag=True, help="Print the summary as JSON on stdout.")


_connections = click.option(
    "--connections", type=click.IntRange(1, 25), default=4, show_default=True, help="API calls at once, up to 25."
)


_max_calls = click.option(
    "--max-calls", type=click.IntRange(1), metavar="N", help="Stop before the API call after N."
)


@click.command()
@events_argument
@mappings_option
@org_option
@_report
@_results
@_as_json
@_connections
@_max_calls
@click.option("--restart", is_flag=True, help="Start at the first event even if the last run did not finish.")
@click.option(
    "--linger",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an event from standard input waits for others.",
)
@click.option("--skip-delivered", is_flag=True, help="Skip events whose messageId was delivered before.")
@click.option(
    "--org-from-stdin",
    is_flag=True,
    help="Use the session that the Salesforce CLI pipes in: see docs/orgs.md.",
)
def run(
    events: tuple[str, ...],
    folder: Path | None,
    org_name: str | None,
    report_file: str | None,
    results_file: str | None,
    as_data: bool,
    connections: int,
    max_calls: int | None,
    restart: bool,
    linger: float,
    skip_delivered: bool,
    org_from_stdin: bool,
) -> None:
    """Deliver EVENTS to an org: files of JSON lines, or - for standard input.

    Each event is mapped, and its record is looked up, then created or updated. Running the same events again
    updates the same records. After a run that did not finish, the same command continues it.
    """
    if org_from_stdin and (org_name or not events or STANDARD_INPUT in events):
        raise click.UsageError("--org-from-stdin takes standard input: name files of events, and no --org.")
    source = event_source(events)
    check_outputs(events, report_file, results_file)
    gc.set_threshold(COLLECT_AFTER)
    with explained():
        project = load_project(project_folder())
        mappings = compiled_mappings(project, folder, org_name)
        mapper = Mapper(mappings)
        with (
            only_run(project.state, "sfmap run"),
            _output(report_file) as report_output,
            _output(results_file) as results,
            closing(Database(project.journal)) as journal,
            _opened(project, org_name, org_from_stdin, max_calls) as opened,
            _stop_signal() as stop,
        ):
            options = replace(
                run_options(project, org_name, connections),
                should_stop=stop.is_set,
                skip_delivered=skip_delivered or source.is_stream,
            )
            again = "Send the rest again." if source.is_stream else "The same command continues from there."
            say(f"Delivering to {opened.where}. Mappings: {_named(mappings)}.")
            with _ending_where_the_org_lets_nobody_in(opened, report_output, as_data, again):
                key = sign_in(opened, journal, options.waiter())
            ledger = Ledger(journal, key, source_name(source), is_stream=source.is_stream)
            resumed = resume(ledger, source, restart)
            if resumed.words:
                say(resumed.words)
            if results:
                results.go_on(resumed.results)
            source = replace(source, start=resumed.start, is_digested=not source.is_stream)
            with _progress(source) as watched:
                read = Stream(watched, linger) if source.is_stream else watched
                report, interruption = deliver_all(read, resumed, mapper, opened.org, ledger, options, results)
            again = _rest(read, report) if isinstance(read, Stream) else again
            _finish(report, interruption, report_output, as_data, again, ledger)


def _named(mappings: Sequence[CompiledMapping]) -> str:
    """The mappings by folder and name, for messages."""
    folders: dict[str, list[str]] = {}
    for compiled in mappings:
        folder, _, _ = compiled.mapping.source.file.replace(os.sep, "/").rpartition("/")
        folders.setdefault(folder, []).append(compiled.mapping.name)
    return "; ".join(f"{listed(names, 'and')} in {folder or '.'}" for folder, names in folders.items())


@click.command(name="dead-letters")
@org_option
@click.option("--reason", default="", metavar="TEXT", help="Only those whose reason contains this text.")
@click.option("--json", "as_data", is_flag=True, help="Print each as a JSON line with its event.")
@click.option("--export", "as_events", is_flag=True, help="Print only the events as received, one per line.")
@click.option("--discard", is_flag=True, help="Print and delete them: they are never delivered.")
def list_dead_letters(org_name: str | None, reason: str, as_data: bool, as_events: bool, discard: bool) -> None:
    """List the records that failed: number, position and reason. sfmap retry delivers them again."""
    write = letter_event if as_events else letter_json if as_data else letter_line
    listed = []
    with explained():
        project = load_project(project_folder())
        with closing(Database(project.journal)) as journal:
            entry = project.org(org_name)
            key = known_key(project, entry, journal)
            if key is None:
                say(
                    f"sfmap has not signed in to the org {entry.name} with these settings yet, so no dead"
                    f" letters are known. To sign in, run: sfmap limits --org {entry.name}"
                )
                return
            for letter in dead_letters(journal, key, reason):
                sys.stdout.buffer.write(write(letter))
                listed.append(letter.id)
            sys.stdout.flush()  # delete nothing that could not be written
            if discard:
                discard_dead_letters(journal, listed)
    if not listed:
        say("There is no such dead letter." if reason else "There are no dead letters.")
    elif discard:
        say(f"Dead letters deleted: {len(listed):,}.")


@click.command()
@click.argument("number", type=click.IntRange(1), required=False)
@mappings_option
@org_option
@_report
@_results
@_as_json
@_connections
@_max_calls
@click.option("--reason", default="", metavar="TEXT", help="Only those whose reason contains this text.")
def retry(
    number: int | None,
    folder: Path | None,
    org_name: str | None,
    report_file: str | None,
    results_file: str | None,
    as_data: bool,
    connections: int,
    max_calls: int | None,
    reason: str,
) -> None:
    """Deliver dead letters again with the current mappings: all, those with a reason, or the one with NUMBER.

    Dead letters that are delivered are removed.
    """
    check_outputs((), report_file, results_file)
    gc.set_threshold(COLLECT_AFTER)
    with explained():
        project = load_project(project_folder())
        mapper = Mapper(compiled_mappings(project, folder, org_name))
        with (
            only_run(project.state, "sfmap retry"),
            _output(report_file) as report_output,
            _output(results_file) as results,
            closing(Database(project.journal)) as journal,
            open_org(project, project.org(org_name), max_calls) as opened,
            _stop_signal() as stop,
        ):
            options = replace(run_options(project, org_name, connections), should_stop=stop.is_set)
            again = "The others remain dead letters."
            say(f"Delivering dead letters to {opened.where}.")
            with _ending_where_the_org_lets_nobody_in(opened, report_output, as_data, again):
                key = sign_in(opened, journal, options.waiter())
            source = DeadLetterSource(journal, key, reason, number or 0)
            ledger = Ledger(journal, key, source.name)
            ledger.begin_unless_begun()
            if results:
                results.go_on(NO_RESULTS)
            report, interruption = deliver_all(source, Resumed(), mapper, opened.org, ledger, options, results)
            if (number or reason) and not (report.events or interruption):
                raise click.UsageError("There is no such dead letter; sfmap dead-letters lists them.")
            _finish(report, interruption, report_output, as_data, again, ledger)


@click.command()
@org_option
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def limits(org_name: str | None, as_data: bool) -> None:
    """Print the org's daily limit of API calls and how many are left. This uses one call."""
    with explained():
        project = load_project(project_folder())
        with open_org(project, project.org(org_name)) as opened:
            usage = opened.org.limits()
            with closing(Database(project.journal)) as journal:
                remember_organization(journal, opened.entry, opened.key)
    if usage is None:
        say("The org did not report its limit.")
    elif as_data:
        click.echo(orjson.dumps({**asdict(usage), "left": usage.limit - usage.used}))
    else:
        click.echo(f"{usage.limit - usage.used:,} of {usage.limit:,} API calls are left for the current 24 hours.")


def run_options(project: Project, org_name: str | None, connections: int) -> RunOptions:
    """The project's settings for delivery to the org."""
    entry = project.org(org_name)
    usual = RunOptions()
    patience = usual.patience if entry.patience is None else replace(usual.patience, outage=entry.patience)
    return replace(
        usual,
        patience=patience,
        call_limit=usual.call_limit if entry.call_limit is None else entry.call_limit,
        connections=connections,
        batch_size=entry.batch_size or usual.batch_size,
        remember_days=project.repeats,
        say=say,
    )


@contextmanager
def _ending_where_the_org_lets_nobody_in(
    opened: OpenOrg, output: Output | None, as_data: bool, again: str
) -> Iterator[None]:
    try:
        yield
    except SfmapError as error:
        _finish(Report(calls=dict(opened.org.calls())), error, output, as_data, again)


def _finish(
    report: Report,
    interruption: SfmapError | None,
    output: Output | None,
    as_data: bool,
    again: str,
    ledger: Ledger | None = None,
) -> NoReturn:
    """Prints and writes the summary of the run, and exits; `again` says how to continue a run that ended early.

    Only then the run counts as finished: one that is killed before its summary was printed has work left.
    """
    say(report.summary())
    if report.fates["failed"]:
        say("Failed records are kept: sfmap dead-letters lists them, sfmap retry delivers them again.")
    data = orjson.dumps(report.as_json(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    if output:
        output.go_on(NO_RESULTS)
        output.write(data)
    if as_data:
        sys.stdout.buffer.write(data)
    if interruption:
        _end_early(interruption, report, again)
    if ledger:
        ledger.finish()
    sys.exit(ExitCode.EVENTS_FAILED if report.fates["failed"] else ExitCode.DONE)


def _end_early(interruption: SfmapError, report: Report, again: str) -> NoReturn:
    """Prints why the run ended and how to continue, and exits."""
    done = f"Every event up to {report.events:,} has its outcome" if report.events else "No event was delivered"
    held = f", except {report.held:,} records that wait for a write in doubt" if report.held else ""
    where = f"{done}{held}. {again}"
    is_stopped = isinstance(interruption, StopRequested)
    say(f"\n{interruption} {where}" if is_stopped else f"\nError: {interruption}\n{where}")
    sys.exit(interruption.exit_code)


def _rest(stream: Stream, report: Report) -> str:
    """What to send again after a stream that ended early."""
    undelivered = stream.read - report.events
    if undelivered <= 0:
        return "No further events were read: send those that follow."
    return f"{undelivered:,} more events were read but not delivered: send again all after that one."


def _opened(
    project: Project, org_name: str | None, from_stdin: bool, max_calls: int | None
) -> AbstractContextManager[OpenOrg]:
    if from_stdin:
        return nullcontext(open_ready(sys.stdin.read() if sys.stdin else "", max_calls))
    return open_org(project, project.org(org_name), max_calls)


def _output(name: str | None) -> AbstractContextManager[Output | None]:
    return nullcontext() if name is None else Output(name)


@contextmanager
def _stop_signal() -> Iterator[threading.Event]:
    """An event set by the first Ctrl-C or SIGTERM; a second one ends the command at once."""
    stop = threading.Event()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _frame: object) -> None:
        stop.set()
        # Not through sys.stderr: the signal may have arrived while a line is being written there.
        os.write(2, b"\nStopping after the call in flight; Ctrl-C again stops at once.\n")
        signal.signal(number, previous[signal.Signals(number)])

    for number in previous:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A source that moves a progress bar as its events are taken."""

    source: NdjsonSource
    bar: "click._termui_impl.ProgressBar[int]"

    def __iter__(self) -> Iterator[Received]:
        for received in self.source:
            yield received
            self.bar.update(len(received.raw) + 1)


@contextmanager
def _progress(source: NdjsonSource) -> Iterator[EventSource]:
    size = source.size()
    if size is None or not sys.stderr.isatty():
        yield source
        return
    with click.progressbar(length=size, label="Events", file=sys.stderr) as bar:
        bar.update(source.start.offset)
        yield _Watched(source, bar)
