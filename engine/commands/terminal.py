"""Messages to the user on stderr, and the exit codes of expected failures."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from sfmap.engine.files.output import CannotWrite
from sfmap.engine.http.address import CannotServe
from sfmap.engine.inspect.describe_cache import NoSuchObject
from sfmap.engine.inspect.rendering import RenderingFailed
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.lock import ProjectBusy
from sfmap.engine.local_org.process import LocalOrgFailed
from sfmap.engine.org.port import OrgError
from sfmap.engine.project.project_file import NoSuchOrg
from sfmap.engine.project.revision import NoRevision
from sfmap.engine.project.secrets import SecretMissing
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, Part, render_all
from sfmap.engine.yaml_files.files import CannotRead

EVENTS_FAILED = 1


BROKEN = 2


ORG_UNUSABLE = 3


INTERRUPTED = 130


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


def org_words(error: OrgError) -> str:
    return f"{error.message} {error.advice}".rstrip()


@contextmanager
def explained() -> Iterator[None]:
    """Ends the command with a message and an exit code on every expected failure."""
    try:
        yield
    except Mistakes as mistakes:
        say(f"{render_all(mistakes.diagnostics, styled)}\n\n{counted(mistakes.diagnostics)}; nothing was done.")
        sys.exit(BROKEN)
    except (
        CannotRead,
        CannotServe,
        CannotWrite,
        JournalFailed,
        NoRevision,
        NoSuchObject,
        NoSuchOrg,
        ProjectBusy,
        RenderingFailed,
        SecretMissing,
        SourceFailed,
    ) as error:
        say(f"Error: {error}")
        sys.exit(BROKEN)
    except LocalOrgFailed as error:
        say(str(error))
        sys.exit(error.exit_code)
    except OrgError as error:
        say(f"Error: {org_words(error)}")
        sys.exit(ORG_UNUSABLE)
