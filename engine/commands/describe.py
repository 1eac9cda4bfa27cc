"""`sfmap describe`: prints the fields of an object, and renews what editors know of the org."""

from dataclasses import asdict

import click
import orjson

from sfmap.engine.commands.arguments import org_option
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.inspect.describe_cache import describe_one, description_lines
from sfmap.engine.inspect.project_schema import renew_schema
from sfmap.engine.messages.hints import command_line
from sfmap.engine.project.project_file import ProjectFile, load_project, project_folder


@click.command()
@click.argument("name", metavar="[OBJECT]", required=False)
@org_option
@click.option("--refresh", is_flag=True, help="Ask the org even if it was asked within half an hour.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def describe(name: str | None, org_name: str | None, refresh: bool, as_data: bool) -> None:
    """Print the fields of OBJECT as the org describes them: types, lengths, what can be written and looked up.

    With --refresh, the schema file that editors complete from is renewed; without OBJECT, nothing else is done.
    """
    with explained():
        project = load_project(project_folder())
        if name:
            _print(project, name, org_name, refresh, as_data)
        elif not refresh:
            raise click.UsageError("Name an object, or give --refresh to ask the org for those of the mappings.")
        if refresh:
            _renew(project, org_name, is_asked=not name)


def _print(project: ProjectFile, name: str, org_name: str | None, refresh: bool, as_data: bool) -> None:
    described, age = describe_one(project, project.org(org_name), name, refresh)
    if as_data:
        click.echo(orjson.dumps(asdict(described), option=orjson.OPT_INDENT_2))
        return
    click.echo("\n".join(description_lines(described)))
    say(f"As described {int(age // 60)} minutes ago; --refresh asks again." if age else "As described now.")


def _renew(project: ProjectFile, org_name: str | None, is_asked: bool) -> None:
    org = project.org(org_name).name
    path = renew_schema(project, org, refresh=is_asked)
    if path:
        say(f"Renewed {path}, from which editors complete.")
    elif is_asked:
        say(f"There is no schema file for {org}. To make it: {command_line('schema', '--org', org, '--write')}")
