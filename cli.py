"""The `sfmap` command: its commands by name, each in a module of `engine/commands`.

Data goes to stdout, words to stderr. Exit codes: 0 all well; 1 some events failed; 2 wrong usage or a broken
mapping, or output that could not be written; 3 the org could not be used; 130 stopped by Ctrl-C; 141 whoever
reads the output has closed it (`| head`), as for programs that end by SIGPIPE.
"""

import errno
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import shell_complete

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
    """Runs the command that the arguments name; whatever ends it, it ends in words and with its exit code."""
    _hold_closed_streams()
    sys.exit(_exit_code())


_UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def _exit_code() -> str | int | None:
    try:
        code = _run()
        sys.stdout.flush()  # what fails later fails without words
        return code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:
        _drop_output()
        return 141
    except OSError as error:
        # Every other file that cannot be written has its own exception.
        if error.errno not in _UNWRITTEN or error.filename:
            raise
        _drop_output()
        with suppress(OSError):
            click.echo(f"Error: cannot write standard output: {error.strerror}", err=True)
        return 2


def _run() -> str | int | None:
    """click's own `main` would end as though events had failed where the output or the person wants no more."""
    if instruction := os.environ.get("_SFMAP_COMPLETE"):
        return shell_complete(sfmap, {}, "sfmap", "_SFMAP_COMPLETE", instruction)
    try:
        with sfmap.make_context("sfmap", sys.argv[1:]) as context:
            sfmap.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code
    return 0


def _drop_output() -> None:
    """Otherwise the interpreter tries once more to write what is left, at its very end, and complains."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hold_closed_streams() -> None:
    """A standard stream that is closed keeps its number, lest it becomes that of the next file that is opened."""
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: SIM115 - what is written there fails
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
