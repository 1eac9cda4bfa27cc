"""`sfmap schema`: prints the JSON Schema of mapping files."""

import click
import orjson

from sfmap.engine.language.json_schema import json_schema


@click.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors."""
    click.echo(orjson.dumps(json_schema(), option=orjson.OPT_INDENT_2))
