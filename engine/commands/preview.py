"""`sfmap render` and `sfmap diff`: show what events would send, without an org."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import click

from sfmap.engine.commands.arguments import (
    compiled_mappings,
    event_source,
    events_argument,
    mappings_option,
    org_option,
)
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.inspect.payload_diff import differences
from sfmap.engine.inspect.rendering import MOST_JOBS, Rendering, render_all
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import chosen_mappings
from sfmap.engine.project.project_file import load_project, project_folder
from sfmap.engine.project.revision import mapper_at
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.testing.cases import rendered

_BUFFER = 256 * 1024


@click.command()
@events_argument
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
    folder: Path | None,
    org_name: str | None,
    as_format: Literal["json", "soap"] | None,
    explain: bool,
    jobs: int | None,
) -> None:
    """Print what EVENTS would send: one JSON line for each record, or with the reason why there is none.

    With --explain, print each field with its rule as text, or with --format json as JSON.
    """
    if explain and as_format == "soap":
        raise click.UsageError("--explain works with --format json or without --format.")
    source = event_source(events)
    failed = False
    with explained():
        mappings = chosen_mappings(load_project(project_folder()), folder, org_name)
        rendering = Rendering(mappings, as_format, explain)
        with open(sys.stdout.fileno(), "wb", _BUFFER, closefd=False) as out:
            for text, is_rejected in render_all(rendering, source, jobs):
                out.write(text)
                failed = failed or is_rejected
                if source.is_stream:
                    out.flush()  # show each result as soon as its event arrives
    sys.exit(ExitCode.EVENTS_FAILED if failed else ExitCode.DONE)


@click.command()
@events_argument
@click.option(
    "--from", "revision", default="HEAD", metavar="REV", help="A git revision (default: HEAD) or a folder."
)
@click.option("--json", "as_data", is_flag=True, help="Print a JSON line for each event that changed.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything changed.")
def diff(events: tuple[str, ...], revision: str, as_data: bool, exit_code: bool) -> None:
    """Show how the results for EVENTS differ between the current mappings and another revision or folder."""
    source = event_source(events)
    with explained():
        before = mapper_at(project_folder(), revision)
        after = Mapper(compiled_mappings(load_project(project_folder()), None, None))
        compared = changed = unread = 0
        for received in source:
            if received.event is None:
                say(f"{received.place}: {received.problem}")
                unread += 1
                continue
            compared += 1
            found = differences(rendered(before, received.event), rendered(after, received.event))
            changed += bool(found)
            if found and as_data:
                line = {"event": received.number, "differences": [asdict(one) for one in found]}
                click.echo(json_bytes(line))
            elif found:
                click.echo("\n".join([f"event {received.number}", *(f"  {one}" for one in found)]))
        say(f"{compared:,} events compared, {changed:,} changed.")
    sys.exit(ExitCode.EVENTS_FAILED if unread or (changed and exit_code) else ExitCode.DONE)
