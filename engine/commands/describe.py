"""`sfmap describe`: prints the fields of an object."""

from dataclasses import asdict

import click
import orjson

from sfmap.engine.commands.arguments import org_option
from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.inspect.describe_cache import describe_one, description_lines
from sfmap.engine.project.project_file import load_project, project_folder


@click.command()
@click.argument("name", metavar="OBJECT")
@org_option
@click.option("--refresh", is_flag=True, help="Ask the org even if it was asked within half an hour.")
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
def describe(name: str, org_name: str | None, refresh: bool, as_data: bool) -> None:
    """Print the fields of OBJECT as the org describes them: types, lengths, what can be written and looked up."""
    with explained():
        project = load_project(project_folder())
        described, age = describe_one(project, project.org(org_name), name, refresh)
    if as_data:
        click.echo(orjson.dumps(asdict(described), option=orjson.OPT_INDENT_2))
        return
    click.echo("\n".join(description_lines(described)))
    say(f"As described {int(age // 60)} minutes ago; --refresh asks again." if age else "As described now.")
