"""`sfmap plan`: shows what a run would create and change, and writes nothing."""

import sys
from pathlib import Path

import click
import orjson

from sfmap.engine.api.project import Project
from sfmap.engine.commands.arguments import (
    event_names,
    events_argument,
    input_format_option,
    mappings_option,
    max_calls_option,
    org_option,
)
from sfmap.engine.commands.delivering import stop_signal
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode

_PUT_BACK = (
    "To be able to put the old values back, deliver with --save-old FILE;"
    " later sfmap plan --put-back FILE shows what that would change."
)


@click.command()
@events_argument
@input_format_option
@mappings_option
@org_option
@max_calls_option
@click.option("--restart", is_flag=True, help="Plan from the first event, even if the last run did not finish.")
@click.option("--skip-delivered", is_flag=True, help="Skip events whose messageId was delivered before.")
@click.option("--out", "out_file", metavar="FILE", help="Write a JSON line for each record to this file.")
@click.option(
    "--max-changes",
    type=click.IntRange(0),
    metavar="N",
    help="Exit with 2 if more than N records would be created, changed or deleted.",
)
@click.option("--json", "as_data", is_flag=True, help="Print the plan as JSON on stdout.")
def plan(
    events: tuple[str, ...],
    input_format: str | None,
    folder: Path | None,
    org_name: str | None,
    max_calls: int | None,
    restart: bool,
    skip_delivered: bool,
    out_file: str | None,
    max_changes: int | None,
    as_data: bool,
) -> None:
    """Show what `sfmap run` would do with EVENTS in an org: records, and each field's old and new values.

    Records are looked up, which takes API calls; nothing is written. What rules, triggers and flows of the org do
    is not known before.
    """
    with explained(), stop_signal() as should_stop:
        planned = Project(mappings=folder).plan(
            event_names(events),
            org=org_name,
            input_format=input_format,
            restart=restart,
            skip_delivered=skip_delivered or None,
            max_calls=max_calls,
            out_file=out_file,
            should_stop=should_stop,
            on_message=say,
        )
    if as_data:
        click.echo(orjson.dumps(planned.as_json(), option=orjson.OPT_INDENT_2))
    else:
        click.echo(str(planned))
        if planned.records["changed"]:
            say(f"\n{_PUT_BACK}")
    if max_changes is not None and planned.touched > max_changes:
        say(
            f"\nError: {planned.touched:,} {'record' if planned.touched == 1 else 'records'} would be created,"
            f" changed or deleted; --max-changes is {max_changes:,}."
        )
        sys.exit(ExitCode.BROKEN)
    sys.exit(ExitCode.EVENTS_FAILED if planned.report.fates["failed"] else ExitCode.DONE)
