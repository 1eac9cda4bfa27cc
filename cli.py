"""The `sfmap` command: its commands by name, each in a module of `engine/commands`.

Data goes to stdout, words to stderr. Exit codes: 0 all well; 1 some events failed; 2 wrong usage or a broken
mapping, or output that could not be written; 3 the org could not be used; 70 a mistake in sfmap; 130 stopped by
Ctrl-C; 141 whoever reads the output has closed it (`| head`), as for programs that end by SIGPIPE.
"""

from importlib import import_module
from typing import NoReturn

import click

from sfmap.engine.commands.ending import run

COMMANDS = {
    "check": ("check.check", "Check the project file and every mapping."),
    "dead-letters": ("deliver.list_dead_letters", "List what failed and waits for sfmap retry."),
    "describe": ("check.describe_object", "Print the fields of an object as the org describes them."),
    "diff": ("preview.diff", "Show what another revision's mappings made of the events."),
    "init": ("project.init", "Make a project: mappings, sample events, a CI workflow."),
    "limits": ("deliver.limits", "Print how many API calls the org allows in a day."),
    "org": ("org.org", "The local org as a server; copies of another org's shape."),
    "render": ("preview.render", "Print what events would send."),
    "retry": ("deliver.retry", "Deliver dead letters again, by today's mappings."),
    "run": ("deliver.run", "Deliver events to an org."),
    "schema": ("project.schema", "Print the JSON Schema of mapping files, for editors."),
    "serve": ("serve.serve", "Accept events over HTTP, and deliver them."),
    "test": ("project.test", "Render the sample events and compare with their snapshots."),
}
"""By name: where the command is, and its line in the list of commands."""


class Commands(click.Group):
    """Imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(".")
        command: click.Command = getattr(import_module(f"sfmap.engine.commands.{module}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sfmap")
def sfmap() -> None:
    """Customer events into Salesforce, by mappings in YAML."""


def main() -> NoReturn:
    """Runs the command that the arguments name."""
    run(sfmap)
