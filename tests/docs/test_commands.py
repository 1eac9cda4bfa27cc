"""docs/commands.md is generated from the commands and their help."""

import inspect
import re
from collections.abc import Iterator

import click

from sfmap.cli import COMMANDS, sfmap

from ..folder import REPOSITORY
from .pages import page_of

INTRODUCTION = """\
# Commands

`sfmap --help` lists the commands, and `sfmap COMMAND --help` prints what this page says of each. A command uses
the nearest `sfmap.yaml`, in the current folder or above.

Data goes to stdout, messages to stderr, in color on a terminal unless `NO_COLOR` is set. Events come from files
with one JSON object per line; `-` is standard input.

| exit code | meaning |
|---:|---|
| 0 | success |
| 1 | some events failed or could not be read, or something is different (`diff --exit-code`, `test`) |
| 2 | wrong usage, an invalid mapping, a file that cannot be read or written, or another run in the project |
| 3 | the org could not be used: sign-in, permissions, limits, outages |
| 70 | a bug in sfmap; with `SFMAP_TRACEBACK=1` the command shows where |
| 130 | stopped by Ctrl-C |
| 141 | the reader of the output closed it, as `head` does |

To complete commands and options in bash, put `eval "$(_SFMAP_COMPLETE=bash_source sfmap)"` into `~/.bashrc`.
For zsh and fish it is `zsh_source` and `fish_source`.
"""

MORE = {
    "backfill": """\
[scale.md](scale.md#spark) says what it guarantees and folds, and how spark-submit runs it. `sfmap-backfill` is
this command by itself.""",
    "check": """\
[diagnostics.md](diagnostics.md) explains each code, such as `SF012`, and how a warning is silenced. `--coverage`
lists the rules that never fire and the traits that reach no field.""",
    "dead-letters": "[reliability.md](reliability.md#dead-letters) has examples.",
    "init": "[project.md](project.md) describes the files that it creates.",
    "org": "[orgs.md](orgs.md#the-local-org) describes what the local org can do.",
    "run": """\
A line of `--results` has the event's outcome, the record's id, the reason, and what was cut or left out.
[reliability.md](reliability.md) says how a run is continued, which events count as delivered before, and what
happens for each kind of failure.""",
    "serve": "[serve.md](serve.md) has clients, keys, limits, metrics and how to run it as a service.",
    "test": "[project.md](project.md#samples-and-snapshots) describes how samples and snapshots work together.",
}
"""What the help of a command has no room for."""


def command_reference() -> str:
    context = click.Context(sfmap, info_name="sfmap")
    rows = [f"| [`sfmap {name}`](#sfmap-{name}) | {line} |" for name, line in COMMANDS.items()]
    sections = [part for name in COMMANDS for part in sections_of(sfmap, name, context)]
    return "\n".join([INTRODUCTION, "| command | |\n|---|---|", *rows, "", "\n\n".join(sections), ""])


def sections_of(group: click.Group, name: str, parent: click.Context) -> Iterator[str]:
    """What the page says of a command, and then of the commands in it."""
    command = group.get_command(parent, name)
    assert command
    context = click.Context(command, info_name=name, parent=parent)
    options = [one for one in command.params if isinstance(one, click.Option)]
    parts = [
        f"{'###' if parent.parent else '##'} {context.command_path}",
        f"    {context.command_path} {' '.join(command.collect_usage_pieces(context))}",
        inspect.cleandoc(command.help or ""),
        MORE.get(name, ""),
        "\n".join(option_line(one, context) for one in options),
    ]
    yield "\n\n".join(part for part in parts if part)
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from sections_of(command, inner, context)


def option_line(option: click.Option, context: click.Context) -> str:
    """The option as a line of the help has it: `--jobs INTEGER RANGE`, `Processes.  [default: 1; 1<=x<=64]`."""
    names, text = option.get_help_record(context) or ("", "")
    meaning, _, extras = text.removesuffix("]").partition("  [")
    sentences = [meaning, *(in_words(extra) for extra in extras.split("; ") if extra)]
    return f"- `{names.replace(' RANGE', '')}`: {' '.join(sentences)}"


def in_words(extra: str) -> str:
    between = re.fullmatch(r"(\d+)<=x<=(\d+)", extra)
    if between:
        return f"From {between[1]} to {between[2]}."
    name, _, value = extra.partition(": ")
    return f"Default: `{value}`." if name == "default" else f"At least {extra.removeprefix('x>=')}."


def test_the_command_reference_is_up_to_date() -> None:
    assert page_of("commands.md", command_reference()) == command_reference()


def test_every_command_is_in_the_changelog() -> None:
    changelog = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    assert [name for name in COMMANDS if f"sfmap {name}" not in changelog] == []
