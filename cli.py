"""The `sfmap` command: loads each command from the module of its name in `engine/commands`.

Data goes to stdout, messages to stderr. Exit codes: 0 success; 1 some events failed; 2 wrong usage, an invalid
mapping, or output that could not be written; 3 the org could not be used; 70 a bug in sfmap; 130 stopped by
Ctrl-C; 141 the reader of the output closed it (`| head`), as for programs that end with SIGPIPE.
"""

from importlib import import_module
from typing import NoReturn

import click

from sfmap.engine.commands.exit import run

COMMANDS = {
    "backfill": "Make records of years of events, on Spark.",
    "check": "Check the project file and every mapping.",
    "dead-letters": "List the records that failed.",
    "describe": "Print the fields of an object as the org describes them.",
    "dev": "Edit mappings in a browser, with their records.",
    "diff": "Compare the results with those of another revision.",
    "init": "Create a project: mappings, sample events, a CI workflow.",
    "limits": "Print the daily limit of API calls, and how many are left.",
    "migrate": "Make a project of the settings of another product.",
    "org": "Run the local org, or copy another org's objects to it.",
    "plan": "Show what a run would create and change, and write nothing.",
    "render": "Print what events would send.",
    "retry": "Deliver dead letters again with the current mappings.",
    "run": "Deliver events to an org.",
    "schema": "Print the JSON Schema of mapping files, for editors.",
    "serve": "Accept events over HTTP, and deliver them.",
    "state": "Upgrade the journal and the spool, or move them to PostgreSQL.",
    "suggest": "Draft mappings from events and the fields of an org.",
    "test": "Render the sample events and compare with their snapshots.",
    "traits": "Show what arrives: each path, how often, and which rule reads it.",
}
"""By name, the line of each command in the list of commands; a command is in the module of that name."""


class Commands(click.Group):
    """A group that imports a command's module only when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"sfmap.engine.commands.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sfmap")
def sfmap() -> None:
    """Deliver customer events to Salesforce with mappings in YAML."""


def main() -> NoReturn:
    """Runs the command that the arguments name."""
    run(sfmap)
