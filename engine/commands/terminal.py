"""Messages to the user on stderr."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from sfmap.engine.errors import SfmapError
from sfmap.engine.local_org.process import LocalOrgFailed
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, Part, render_all


def say(text: str) -> None:
    """Prints to stderr, in color on a terminal unless NO_COLOR (no-color.org) is set."""
    click.echo(text, err=True, color=False if os.environ.get("NO_COLOR") else None)


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
    return click.style(
        text, fg=str(look["fg"]) if "fg" in look else None, bold=bool(look.get("bold")), dim=bool(look.get("dim"))
    )


def counted(diagnostics: Sequence[Diagnostic]) -> str:
    count = sum(diagnostic.severity == "error" for diagnostic in diagnostics)
    return f"{count} mistake{'' if count == 1 else 's'}"


@contextmanager
def explained() -> Iterator[None]:
    """Ends the command with a message and an exit code on every expected failure."""
    try:
        yield
    except SfmapError as error:
        say(_explanation(error))
        sys.exit(error.exit_code)


def _explanation(error: SfmapError) -> str:
    if isinstance(error, Mistakes):
        return f"{render_all(error.diagnostics, styled)}\n\n{counted(error.diagnostics)}; nothing was done."
    return str(error) if isinstance(error, LocalOrgFailed) else f"Error: {error}"
