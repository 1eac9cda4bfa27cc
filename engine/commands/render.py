"""`sfmap render`: prints what events would send."""

import sys
from pathlib import Path
from typing import Literal

import click

from sfmap.engine.api.project import Project
from sfmap.engine.commands.arguments import (
    event_names,
    events_argument,
    input_format_option,
    mappings_option,
    org_option,
)
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.inspect.rendering import MOST_JOBS, Rendering, render_all
from sfmap.engine.wiring.source_opening import SourceOptions

_BUFFER = 256 * 1024


@click.command()
@events_argument
@input_format_option
@mappings_option
@org_option
@click.option(
    "--format",
    "as_format",
    type=click.Choice(["json", "soap"]),
    help="JSON lines (default), or the SOAP envelopes of creates.",
)
@click.option("--explain", is_flag=True, help="Show for each field which rule gave its value, and why.")
@click.option(
    "--jobs",
    type=click.IntRange(1, MOST_JOBS),
    metavar="N",
    help="Processes (default: one, or one per core for large files). Standard input is always read by one.",
)
def render(
    events: tuple[str, ...],
    input_format: str | None,
    folder: Path | None,
    org_name: str | None,
    as_format: Literal["json", "soap"] | None,
    explain: bool,
    jobs: int | None,
) -> None:
    """Print what EVENTS would send: one JSON line for each record, or one that says why there is none.

    With --explain, print each field with its rule as text, or with --format json as JSON.
    """
    if explain and as_format == "soap":
        raise click.UsageError("--explain works with --format json or without --format.")
    with explained():
        project = Project(mappings=folder)
        source = project.open_events(event_names(events), SourceOptions(format=input_format or "", say=say))
        source.check()
        mappings = project.chosen_mappings(org_name)
        rendering = Rendering(mappings, as_format, explain)
        with open(sys.stdout.fileno(), "wb", _BUFFER, closefd=False) as out:
            failed = render_all(rendering, source, jobs, out)
    sys.exit(ExitCode.EVENTS_FAILED if failed else ExitCode.DONE)
