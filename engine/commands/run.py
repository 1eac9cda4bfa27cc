"""`sfmap run`: delivers events to an org."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from sfmap.engine.commands.arguments import (
    check_outputs,
    compiled_mappings,
    connections_option,
    event_source,
    events_argument,
    input_format_option,
    mappings_option,
    max_calls_option,
    org_option,
    report_option,
    results_option,
    summary_as_json_option,
)
from sfmap.engine.commands.opening import OpenRun, RunArguments, collect_rarely, open_run
from sfmap.engine.commands.status_line import status_line
from sfmap.engine.commands.summary import finish, sign_in_or_finish
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.delivery.deliver_all import deliver_all
from sfmap.engine.delivery.progress import Progress
from sfmap.engine.delivery.report import Report
from sfmap.engine.delivery.resuming import resume
from sfmap.engine.delivery.windows import Stream
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.project_file import load_project, project_folder
from sfmap.engine.sources.event_source import ResumableSource
from sfmap.engine.sources.stores.standard_input import STANDARD_INPUT
from sfmap.engine.wiring.source_opening import SourceOptions
from sfmap.engine.yaml_files.diagnostics import listed


@click.command()
@events_argument
@mappings_option
@org_option
@report_option
@results_option
@summary_as_json_option
@connections_option
@max_calls_option
@click.option(
    "--restart",
    is_flag=True,
    help="Start at the first event even if the last run did not finish, and take files that were delivered.",
)
@click.option("--changed", is_flag=True, help="Of a source, take also delivered files that have changed since.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="Of a source, take only files modified since then (UTC).",
)
@input_format_option
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
    changed: bool,
    since: datetime | None,
    input_format: str | None,
    linger: float,
    skip_delivered: bool,
    org_from_stdin: bool,
) -> None:
    """Deliver EVENTS to an org: files, folders, patterns, URLs, a source of sfmap.yaml, or - for standard input.

    Each event is mapped, and its record is looked up, then created or updated. Running the same events again
    updates the same records. After a run that did not finish, the same command continues it.
    """
    if org_from_stdin and (org_name or not events or STANDARD_INPUT in events):
        raise click.UsageError("--org-from-stdin takes standard input: name files of events, and no --org.")
    collect_rarely()
    with explained():
        project = load_project(project_folder())
        options = SourceOptions(
            format=input_format or "",
            since=since.replace(tzinfo=UTC).timestamp() if since else None,
            takes_changed=changed,
        )
        source = event_source(project, events, options)
        check_outputs((file.name for file in source.files), report_file, results_file)
        source.check()
        arguments = RunArguments(
            org_name=org_name,
            report_file=report_file,
            results_file=results_file,
            as_data=as_data,
            connections=connections,
            max_calls=max_calls,
            org_from_stdin=org_from_stdin,
            skip_delivered=skip_delivered or source.may_repeat,
        )
        mappings = compiled_mappings(project, folder, org_name)
        mapper = Mapper(mappings)
        with open_run("sfmap run", project, arguments) as started:
            say(f"Delivering to {started.opened.where}. Mappings: {_named(mappings)}.")
            _deliver(started, source, mapper, restart=restart, linger=linger)


def _deliver(run: OpenRun, source: ResumableSource, mapper: Mapper, *, restart: bool, linger: float) -> NoReturn:
    again = "Send the rest again." if source.is_stream else "The same command continues from there."
    key = sign_in_or_finish(run, again)
    ledger = Ledger(run.journal, key, source.name, is_stream=source.is_stream)
    resumed = resume(ledger, source, restart)
    if resumed.words:
        say(resumed.words)
    if run.results:
        run.results.continue_from(resumed.results)
    read = Stream(resumed.source, linger) if source.is_stream else resumed.source
    before = Report.continued_from(resumed.tally)
    start = Progress(events=before.events, failed=before.fates["failed"], position=resumed.start)
    with status_line(resumed.source, start) as status:
        report, interruption = deliver_all(
            read,
            resumed=resumed,
            mapper=mapper,
            org=run.opened.org,
            ledger=ledger,
            options=replace(run.options, say=status.say, on_progress=status.show),
            results=run.results,
        )
    finish(run, report, interruption, _rest(read, report) if isinstance(read, Stream) else again, ledger)


def _named(mappings: Sequence[CompiledMapping]) -> str:
    """The mappings by folder and name, for messages."""
    folders: dict[str, list[str]] = {}
    for compiled in mappings:
        folder, _, _ = compiled.mapping.source.file.replace(os.sep, "/").rpartition("/")
        folders.setdefault(folder, []).append(compiled.mapping.name)
    return "; ".join(f"{listed(names, 'and')} in {folder or '.'}" for folder, names in folders.items())


def _rest(stream: Stream, report: Report) -> str:
    """What to send again after a stream that ended early."""
    undelivered = stream.read - report.events
    if undelivered <= 0:
        return "Continue with the next event."
    return f"{undelivered:,} more events were read but not delivered: resend everything after that event."
