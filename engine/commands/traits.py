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
from sfmap.engine.commands.service_events import service_events
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.inspect.traits.trait_inventory import Inventory
from sfmap.engine.inspect.traits.trait_table import TraitTable
from sfmap.engine.wiring.source_opening import SourceOptions


@click.command()
@events_argument
@input_format_option
@mappings_option
@org_option
@click.option(
    "--from-service", is_flag=True, help="Instead of EVENTS, what sfmap serve accepted in the last days."
)
@click.option("--values", is_flag=True, help="With --from-service, show examples, too.")
@click.option("--mask", is_flag=True, help="Replace letters and digits of the examples.")
@click.option("--json", "as_data", is_flag=True, help="Print the inventory as JSON.")
def traits(
    events: tuple[str, ...],
    input_format: str | None,
    folder: Path | None,
    org_name: str | None,
    from_service: bool,
    values: bool,
    mask: bool,
    as_data: bool,
) -> None:
    """Show every path of EVENTS: how often it has a value, of which type, and which rule reads it.

    Events are listed by type, and track events by name. Nothing is sent.
    """
    if from_service and (events or input_format):
        raise click.UsageError("--from-service goes without EVENTS and --input-format.")
    if values and not from_service:
        raise click.UsageError("--values goes with --from-service: of EVENTS, examples are always shown.")
    unread = 0
    with explained():
        project = Project(mappings=folder)
        mapper = project.mapper(org_name)
        inventory = Inventory(keeps_values=values or not from_service, masks_values=mask)
        if from_service:
            inventory.add_all(service_events(project.file))
        else:
            source = project.open_events(event_names(events), SourceOptions(format=input_format or "", say=say))
            source.check()
            readable = ReadableEvents(source)
            inventory.add_all(readable)
            unread = readable.unread
    table = TraitTable(inventory=inventory, mappings=mapper.mappings)
    if as_data:
        click.echo(orjson.dumps(table.as_json(), option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(table.lines()))
        say(table.summary())
    sys.exit(ExitCode.EVENTS_FAILED if unread else ExitCode.DONE)
