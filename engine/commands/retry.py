"""`sfmap retry`: delivers dead letters again."""

from pathlib import Path
from typing import NoReturn

import click

from sfmap.engine.commands.arguments import (
    check_outputs,
    compiled_mappings,
    connections_option,
    mappings_option,
    max_calls_option,
    org_option,
    report_option,
    results_option,
    summary_as_json_option,
)
from sfmap.engine.commands.opening import OpenRun, RunArguments, collect_rarely, open_run
from sfmap.engine.commands.summary import finish, sign_in_or_finish
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.delivery.deliver_all import deliver_all
from sfmap.engine.files.output import NO_RESULTS
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.project_file import load_project, project_folder


@click.command()
@click.argument("number", type=click.IntRange(1), required=False)
@mappings_option
@org_option
@report_option
@results_option
@summary_as_json_option
@connections_option
@max_calls_option
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
    collect_rarely()
    arguments = RunArguments(
        org_name=org_name,
        report_file=report_file,
        results_file=results_file,
        as_data=as_data,
        connections=connections,
        max_calls=max_calls,
    )
    with explained():
        project = load_project(project_folder())
        mapper = Mapper(compiled_mappings(project, folder, org_name))
        with open_run("sfmap retry", project, arguments) as started:
            say(f"Delivering dead letters to {started.opened.where}.")
            _deliver(started, mapper, reason, number or 0)


def _deliver(run: OpenRun, mapper: Mapper, reason: str, number: int) -> NoReturn:
    again = "The others remain dead letters."
    key = sign_in_or_finish(run, again)
    source = DeadLetterSource(run.journal, key, reason=reason, number=number)
    ledger = Ledger(run.journal, key, source.name)
    ledger.begin_unless_begun()
    if run.results:
        run.results.continue_from(NO_RESULTS)
    report, interruption = deliver_all(
        source,
        mapper=mapper,
        org=run.opened.org,
        ledger=ledger,
        options=run.options,
        results=run.results,
    )
    if (number or reason) and not (report.events or interruption):
        raise click.UsageError("There is no such dead letter; sfmap dead-letters lists them.")
    finish(run, report, interruption, again, ledger)
