"""`sfmap traits`: shows what arrives, and which rules read it."""

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
    org_option,
)
from sfmap.engine.commands.readable_events import ReadableEvents
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.inspect.traits.trait_inventory import inventory_of
from sfmap.engine.inspect.traits.trait_table import TraitTable
from sfmap.engine.wiring.source_opening import SourceOptions


@click.command()
@events_argument
@input_format_option
@mappings_option
@org_option
@click.option("--mask", is_flag=True, help="Replace letters and digits of the examples.")
@click.option("--json", "as_data", is_flag=True, help="Print the inventory as JSON.")
def traits(
    events: tuple[str, ...],
    input_format: str | None,
    folder: Path | None,
    org_name: str | None,
    mask: bool,
    as_data: bool,
) -> None:
    """Show every path of EVENTS: how often it has a value, of which type, and which rule reads it.

    Events are listed by type, and track events by name. Nothing is sent.
    """
    with explained():
        project = Project(mappings=folder)
        source = project.open_events(event_names(events), SourceOptions(format=input_format or "", say=say))
        source.check()
        mapper = project.mapper(org_name)
        readable = ReadableEvents(source)
        table = TraitTable(inventory=inventory_of(readable, masks_values=mask), mappings=mapper.mappings)
    if as_data:
        click.echo(orjson.dumps(table.as_json(), option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(table.lines()))
        say(table.summary())
    sys.exit(ExitCode.EVENTS_FAILED if readable.unread else ExitCode.DONE)
