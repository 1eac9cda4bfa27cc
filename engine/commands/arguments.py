"""Arguments and options shared by several commands: events, mappings, the org, output files."""

import os
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import click

from sfmap.engine.commands.terminal import say
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import ResumableSource
from sfmap.engine.sources.formats.file_shape import FORMATS
from sfmap.engine.sources.stores.standard_input import STANDARD_INPUT
from sfmap.engine.wiring.source_opening import USUAL_OPTIONS, SourceOptions, open_source

events_argument = click.argument("events", nargs=-1)


input_format_option = click.option(
    "--input-format",
    type=click.Choice(FORMATS),
    help="Read the events as this format, instead of telling it by their content.",
)


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


def event_source(
    project: ProjectFile, events: tuple[str, ...], options: SourceOptions = USUAL_OPTIONS
) -> ResumableSource:
    """The events that a command names. Raises `SfmapError`."""
    if not events and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("Name a file of events or a source of sfmap.yaml, or pipe events in.")
    if events.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read only once.")
    options = replace(options, standard_input=_standard_input(), say=say)
    return open_source(project, events or (STANDARD_INPUT,), options)


def _standard_input() -> BinaryIO | None:
    """Standard input as a separate file: Python closes `sys.stdin` on exit while a thread may still read it."""
    return None if sys.stdin is None else open(sys.stdin.fileno(), "rb", closefd=False)


def compiled_mappings(
    project: ProjectFile, folder: Path | None, org_name: str | None
) -> tuple[CompiledMapping, ...]:
    return compile_mappings(chosen_mappings(project, folder, org_name))


def check_outputs(files: Iterable[str], *outputs: str | None) -> None:
    """Checks that no output overwrites these files or the other output; devices such as /dev/null may repeat."""
    taken = list(files)
    for name in filter(None, outputs):
        if any(_is_same_file(name, other) for other in taken):
            raise click.UsageError(f"{name} is named twice: it would be overwritten.")
        if os.path.isfile(name) or not os.path.exists(name):
            taken.append(name)


def _is_same_file(one: str, other: str) -> bool:
    if os.path.exists(one) and os.path.exists(other):
        return os.path.samefile(one, other)
    return os.path.realpath(one) == os.path.realpath(other)
