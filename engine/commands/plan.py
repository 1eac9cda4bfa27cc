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
    names_to_put_back,
    org_option,
    put_back_option,
)
from sfmap.engine.commands.delivering import stop_signal
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.messages.counts import counted

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
@put_back_option
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
    put_back: str | None,
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
            names_to_put_back(put_back, events) or event_names(events),
            put_back=put_back is not None,
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
        if planned.records["changed"] and put_back is None:
            say(f"\n{_PUT_BACK}")
    if max_changes is not None and planned.touched > max_changes:
        say(
            f"\nError: {counted(planned.touched, 'record')} would be created,"
            f" changed or deleted; --max-changes is {max_changes:,}."
        )
        sys.exit(ExitCode.BROKEN)
    sys.exit(ExitCode.EVENTS_FAILED if planned.report.fates["failed"] else ExitCode.DONE)
