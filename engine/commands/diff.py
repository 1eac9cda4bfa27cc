"""`sfmap diff`: shows what a change of mappings does to sample events."""

import sys
from dataclasses import asdict

import click

from sfmap.engine.api.project import Project
from sfmap.engine.commands.arguments import event_names, events_argument
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.errors import ExitCode
from sfmap.engine.inspect.payload_diff import differences
from sfmap.engine.messages.counts import counted
from sfmap.engine.project.revision import mapper_at
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.testing.cases import rendered
from sfmap.engine.wiring.source_opening import SourceOptions


@click.command()
@events_argument
@click.option(
    "--from", "revision", default="HEAD", metavar="REV", help="A git revision (default: HEAD) or a folder."
)
@click.option("--json", "as_data", is_flag=True, help="Print a JSON line for each event that changed.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything changed.")
def diff(events: tuple[str, ...], revision: str, as_data: bool, exit_code: bool) -> None:
    """Show how the results for EVENTS differ between the current mappings and another revision or folder."""
    with explained():
        project = Project()
        source = project.open_events(event_names(events), SourceOptions(say=say))
        source.check()
        before, after = mapper_at(project.folder, revision), project.mapper()
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
        say(f"{counted(compared, 'event')} compared, {changed:,} changed.")
    sys.exit(ExitCode.EVENTS_FAILED if unread or (changed and exit_code) else ExitCode.DONE)
