"""`sfmap retry`: delivers dead letters again."""

from pathlib import Path

import click

from sfmap.engine.api.project import Project
from sfmap.engine.api.run_report import RunReport
from sfmap.engine.commands.arguments import (
    bulk_option,
    connections_option,
    mappings_option,
    max_calls_option,
    org_option,
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
from sfmap.engine.messages.hints import command_line, option


@click.command()
@click.argument("number", type=click.IntRange(1), required=False)
@mappings_option
@org_option
@report_option
@results_option
@summary_as_json_option
@connections_option
@bulk_option
@max_calls_option
@click.option("--reason", default="", metavar="TEXT", help="Only those whose reason contains this text.")
def retry(
    number: int | None,
    folder: Path | None,
    org_name: str | None,
    report_file: str | None,
    results_file: str | None,
    as_data: bool,
    connections: Connections,
    bulk: BulkMode | None,
    max_calls: int | None,
    reason: str,
) -> None:
    """Deliver dead letters again with the current mappings: all, those with a reason, or the one with NUMBER.

    Dead letters that are delivered are removed.
    """
    status = StatusLine()
    with explained(), stop_signal() as should_stop:
        project = Project(mappings=folder)
        org = project.file.org_option(org_name)

        def tell(report: RunReport) -> None:
            if (number or reason) and report.finished and not report.events:
                listing = command_line("dead-letters", *org)
                raise click.UsageError(f"There is no such dead letter. They are listed by: {listing}")
            print_summary(status, as_data, Hints(org=org, mappings=option("--mappings", folder)), report)

        report = project.retry(
            org=org_name,
            number=number or 0,
            reason=reason,
            connections=connections,
            bulk=bulk,
            max_calls=max_calls,
            results_file=results_file,
            report_file=report_file,
            keep_outcomes=False,
            should_stop=should_stop,
            on_message=status.say,
            on_progress=status.show,
            on_report=tell,
        )
    finish(report, "The others remain dead letters.")
