"""Messages to the user on stderr: in color and as wide as the terminal, if it is one."""

import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

from sfmap.engine.errors import SfmapError
from sfmap.engine.messages.counts import counted
from sfmap.engine.messages.hints import program
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, Part, render_all

_USUAL_WIDTH = 80
_WIDEST = 120
"""Longer lines are hard to read, however wide the terminal is."""


def say(text: str) -> None:
    """Prints to stderr, in color on a terminal unless NO_COLOR (no-color.org) is set."""
    click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)


def say_message(text: str) -> None:
    """Prints a message in sentences, broken between words on a terminal. A command at its end stays whole."""
    width = terminal_width()
    say("\n".join(_broken(text, width)) if width else text)


def terminal_width() -> int | None:
    """The columns to write in; None if stderr is no terminal, where lines are never broken."""
    if not sys.stderr.isatty():
        return None
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return min(columns or _USUAL_WIDTH, _WIDEST)


def _broken(text: str, width: int) -> Iterator[str]:
    for line in text.split("\n"):
        sentence, found, command = line.rpartition(f": {program()} ")
        if len(line) <= width or line.startswith(" "):
            yield line
        elif found:
            yield from textwrap.wrap(f"{sentence}:", width, break_long_words=False, break_on_hyphens=False)
            yield f"  {program()} {command}"
        else:
            yield from textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)


_LOOKS: dict[Part, dict[str, str | bool]] = {
    "place": {"bold": True},
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "message": {"bold": True},
    "code": {"dim": True},
    "margin": {"fg": "blue"},
    "caret": {"fg": "red", "bold": True},
}


def styled(text: str, part: Part) -> str:
    look = _LOOKS[part]
    # None and not False, which would turn the intensity back to normal: bold and dim share that code.
    return click.style(
        text, fg=str(look["fg"]) if "fg" in look else None, bold="bold" in look or None, dim="dim" in look or None
    )


def error_text(error: SfmapError) -> str:
    """The error as a message."""
    return f"{styled('Error:', 'error')} {error}"


def counted_mistakes(diagnostics: Sequence[Diagnostic]) -> str:
    return counted(sum(diagnostic.severity == "error" for diagnostic in diagnostics), "mistake")


def say_error(error: SfmapError) -> None:
    from sfmap.engine.local_org.process import LocalOrgFailed

    if isinstance(error, Mistakes):
        say(f"{mistakes_text(error.diagnostics)}\n\n{counted_mistakes(error.diagnostics)}; nothing was done.")
    else:
        say_message(str(error) if isinstance(error, LocalOrgFailed) else error_text(error))


@contextmanager
def explained(explain: Callable[[SfmapError], object] = say_error) -> Iterator[None]:
    """Ends the command with a message and an exit code on every expected failure."""
    try:
        yield
    except SfmapError as error:
        explain(error)
        sys.exit(error.exit_code)


def mistakes_text(diagnostics: Sequence[Diagnostic]) -> str:
    """The diagnostics, each with the line of its file."""
    return render_all(diagnostics, styled, terminal_width())
