"""`sfmap run`: delivers events to an org."""

import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypedDict, Unpack

import click

from sfmap.engine.api.project import Project
from sfmap.engine.api.run_report import RunReport
from sfmap.engine.commands.arguments import (
    bulk_option,
    connections_option,
    event_names,
    events_argument,
    input_format_option,
    mappings_option,
    max_calls_option,
    names_to_put_back,
    org_option,
    put_back_option,
    report_option,
    results_option,
    summary_as_json_option,
)
from sfmap.engine.commands.delivering import stop_signal
from sfmap.engine.commands.status_line import StatusLine
from sfmap.engine.commands.summary import Hints, finish, print_summary
from sfmap.engine.commands.terminal import explained
from sfmap.engine.delivery.write_pace import Connections
from sfmap.engine.language.model import BulkMode
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import option
from sfmap.engine.sources.stores.standard_input import STANDARD_INPUT


class _Bounds(TypedDict):
    """Options that are those of `Project.run`."""

    connections: Connections
    bulk: BulkMode | None
    max_calls: int | None
    report_file: str | None
    results_file: str | None
    save_old: str | None
    restart: bool
    until_end: bool
    linger: float


@click.command()
@events_argument
@mappings_option
@org_option
@report_option
@results_option
@summary_as_json_option
@connections_option
@bulk_option
@max_calls_option
@click.option(
    "--records",
    metavar="DIR",
    help="Instead of EVENTS, the records that sfmap backfill has made: its folder, or a file of it.",
)
@click.option(
    "--save-old",
    metavar="FILE",
    help="Add the values that are overwritten to this file; reading them takes more API calls.",
)
@put_back_option
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
@click.option("--source", "source", metavar="NAME", help="Deliver this source of sfmap.yaml.")
@click.option("--until-end", is_flag=True, help="Of a topic, deliver what it has now, and end.")
@input_format_option
@click.option(
    "--linger",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="How long an event from standard input or a topic waits for others.",
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
    as_data: bool,
    records: str | None,
    put_back: str | None,
    changed: bool,
    since: datetime | None,
    source: str | None,
    input_format: str | None,
    skip_delivered: bool,
    org_from_stdin: bool,
    **bounds: Unpack[_Bounds],
) -> None:
    """Deliver EVENTS to an org: files, folders, patterns, URLs, a source of sfmap.yaml, or - for standard input.

    Each event is mapped, and its record is looked up, then created or updated. Running the same events again
    updates the same records. After a run that did not finish, the same command continues it.
    """
    of_events = (events, source, skip_delivered, changed, since, input_format)
    status = StatusLine()
    with explained(), stop_signal() as should_stop:
        project = Project(mappings=folder)
        names = names_to_put_back(put_back, events) or (
            _records(records, of_events) if records else _names(events, source, org_name, org_from_stdin)
        )
        org = None if org_from_stdin else project.file.org_option(org_name)
        hints = _hints(org, folder, input_format, () if records or source or put_back else names)
        report = project.run(
            names,
            put_back=put_back is not None,
            org=org_name,
            records=records is not None,
            session=_printed_session() if org_from_stdin else None,
            changed=changed,
            since=since,
            input_format=input_format,
            skip_delivered=skip_delivered or None,
            should_stop=should_stop,
            keep_outcomes=False,
            on_message=status.say,
            on_progress=status.show,
            on_report=partial(print_summary, status, as_data, hints),
            **bounds,
        )
    finish(report, _again(report))


def _names(
    events: tuple[str, ...], source: str | None, org_name: str | None, org_from_stdin: bool
) -> tuple[str, ...]:
    names = event_names(events, source)
    if org_from_stdin and (org_name or STANDARD_INPUT in names):
        raise click.UsageError("--org-from-stdin takes standard input: name files of events, and no --org.")
    return names


def _records(records: str, of_events: tuple[object, ...]) -> str:
    """The folder of records; `of_events` is what only events have."""
    if any(of_events):
        words = "--records goes without EVENTS, --source, --skip-delivered, --changed, --since and --input-format."
        raise click.UsageError(words)
    return records


def _hints(
    org: tuple[str, ...] | None, folder: Path | None, input_format: str | None, names: Sequence[str]
) -> Hints:
    """`names` are the events that `sfmap render` could show."""
    mappings = option("--mappings", folder)
    again = (*mappings, *(org or ()), *option("--input-format", input_format), *names)
    return Hints(org=org, mappings=mappings, rendering=again if names and STANDARD_INPUT not in names else ())


def _printed_session() -> str:
    return sys.stdin.read() if sys.stdin else ""


def _again(report: RunReport) -> str:
    """How to continue a run that ended early."""
    if report.is_resumable:
        return "The same command continues from there."
    if report.undelivered is None:
        return "Send the rest again."
    if report.undelivered <= 0:
        return "Continue with the next event."
    events = f"{counted(report.undelivered, 'more event')} {'was' if report.undelivered == 1 else 'were'} read"
    return f"{events} but not delivered: resend everything after that event."
