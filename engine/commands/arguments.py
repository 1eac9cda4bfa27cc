"""Arguments and options shared by several commands: events, mappings, the org, output files."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

import click

from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.ndjson import STANDARD_INPUT, NdjsonSource

EVENTS_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)


events_argument = click.argument("events", nargs=-1, type=EVENTS_FILE)


mappings_option = click.option(
    "--mappings",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of mappings to use instead of the project's or the shipped ones.",
)


org_option = click.option(
    "--org", "org_name", metavar="NAME", help="An org of sfmap.yaml (default: the local org)."
)


report_option = click.option(
    "--report", "report_file", metavar="FILE", help="Write the summary as JSON to this file."
)


results_option = click.option(
    "--results", "results_file", metavar="FILE", help="Write a JSON line for each event to this file."
)


summary_as_json_option = click.option(
    "--json", "as_data", is_flag=True, help="Print the summary as JSON on stdout."
)


connections_option = click.option(
    "--connections", type=click.IntRange(1, 25), default=4, show_default=True, help="API calls at once, up to 25."
)


max_calls_option = click.option(
    "--max-calls", type=click.IntRange(1), metavar="N", help="Stop before the API call after N."
)


def event_source(events: tuple[str, ...]) -> NdjsonSource:
    if not events and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("Name a file of events, or pipe them in.")
    if events.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read only once.")
    return NdjsonSource(events or (STANDARD_INPUT,), _standard_input())


def _standard_input() -> BinaryIO | None:
    """Standard input as a separate file: Python closes `sys.stdin` on exit while a thread may still read it."""
    return None if sys.stdin is None else open(sys.stdin.fileno(), "rb", closefd=False)


def compiled_mappings(
    project: ProjectFile, folder: Path | None, org_name: str | None
) -> tuple[CompiledMapping, ...]:
    return compile_mappings(chosen_mappings(project, folder, org_name))


def check_outputs(events: tuple[str, ...], *outputs: str | None) -> None:
    """Checks that no output overwrites the events or the other output; devices such as /dev/null may repeat."""
    taken = [name for name in events if name != STANDARD_INPUT]
    for name in filter(None, outputs):
        if any(_is_same_file(name, other) for other in taken):
            raise click.UsageError(f"{name} is named twice: it would be overwritten.")
        if os.path.isfile(name) or not os.path.exists(name):
            taken.append(name)


def _is_same_file(one: str, other: str) -> bool:
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)
