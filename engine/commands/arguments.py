"""Arguments and options shared by several commands: events, mappings, the org, output files."""

import sys
from pathlib import Path
from typing import cast

import click

from sfmap.engine.delivery.write_pace import MOST_CONNECTIONS, Connections
from sfmap.engine.language.model import BULK_MODES
from sfmap.engine.sources.formats.format_options import FORMATS
from sfmap.engine.sources.stores.standard_input import STANDARD_INPUT

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


class ConnectionsType(click.ParamType[Connections]):
    """A number of connections, or `auto`."""

    name = "number"
    _range = click.IntRange(1, MOST_CONNECTIONS)

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Connections:
        """The number, or `auto`."""
        if value == "auto":
            return "auto"
        try:
            return self._range.convert(cast(int, value), param, ctx)  # it reads texts
        except click.BadParameter:
            self.fail(f"{value!r} is neither a number from 1 to {MOST_CONNECTIONS} nor auto.", param, ctx)


connections_option = click.option(
    "--connections",
    type=ConnectionsType(),
    metavar="N",
    default="auto",
    show_default=True,
    help="Writes at once: 1 to 25, or auto for as many as the org bears. Look-ups go beside them.",
)


bulk_option = click.option(
    "--bulk",
    type=click.Choice(BULK_MODES),
    help="Write by bulk jobs: where records are many, always, or never (default: as sfmap.yaml says, or auto).",
)


max_calls_option = click.option(
    "--max-calls", type=click.IntRange(1), metavar="N", help="Stop before the API call after N."
)


put_back_option = click.option(
    "--put-back",
    metavar="FILE",
    help="Instead of EVENTS, the old values in a file that run --save-old has written.",
)


def names_to_put_back(put_back: str | None, events: tuple[str, ...]) -> tuple[str, ...]:
    """The file of old values; empty without one."""
    if put_back is not None and events:
        raise click.UsageError("--put-back goes without EVENTS.")
    return () if put_back is None else (put_back,)


def event_names(events: tuple[str, ...], source: str | None = None) -> tuple[str, ...]:
    """What the events are read from: standard input if nothing is named."""
    if source is not None:
        if events:
            raise click.UsageError("Name events, or a --source of sfmap.yaml, but not both.")
        return (source,)
    if not events and (sys.stdin is None or sys.stdin.isatty()):
        raise click.UsageError("Name a file of events or a source of sfmap.yaml, or pipe events in.")
    if events.count(STANDARD_INPUT) > 1:
        raise click.UsageError("Standard input (-) can be read only once.")
    return events or (STANDARD_INPUT,)
