"""`sfmap schema`: prints or writes the JSON Schema of mapping files."""

import click
import orjson

from sfmap.engine.commands.terminal import explained, say
from sfmap.engine.inspect.project_schema import SchemaRequest, project_schema, write_schema
from sfmap.engine.language.json_schema import json_schema
from sfmap.engine.project.project_file import load_project, project_folder


@click.command()
@click.option("--org", "org_name", metavar="NAME", help="Offer the objects and fields of this org of sfmap.yaml.")
@click.option("--object", "objects", multiple=True, metavar="OBJECT", help="Offer this object, too (repeatable).")
@click.option(
    "--samples", multiple=True, metavar="EVENTS", help="Offer the paths of these events as sources (repeatable)."
)
@click.option("--write", is_flag=True, help="Write it beside the mappings, where editors look for it.")
def schema(org_name: str | None, objects: tuple[str, ...], samples: tuple[str, ...], write: bool) -> None:
    """Print the JSON Schema of mapping files, for editors.

    By itself it knows the mapping language. With --org or --samples, editors also complete the org's objects,
    fields and picklist values, and the paths of the events, without their values. A written schema is renewed by
    sfmap describe --refresh.
    """
    if not (org_name or objects or samples or write):
        click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))
        return
    request = SchemaRequest(org_name, samples, objects)
    with explained():
        project = load_project(project_folder())
        if not write:
            click.echo(orjson.dumps(project_schema(project, request), option=orjson.OPT_INDENT_2))
            return
        path = write_schema(project, request)
    say(f"Wrote {path}.")
