"""Whole commands that messages tell a person to run.

A message ends with its command, or has it on a line of its own, so that it can be copied.
"""

import os
import shlex
import sys
import sysconfig
from functools import cache
from pathlib import Path

_NAME = "sfmap"


def command_line(*words: str) -> str:
    """The command with these words, as a shell takes it."""
    return f"{program()} {shlex.join(words)}"


def command_line_in(folder: Path, *words: str) -> str:
    """The command for a person who has changed to the folder first."""
    typed = shlex.split(program())[0]
    there = os.path.relpath(typed, folder) if os.sep in typed and not os.path.isabs(typed) else typed
    return shlex.join([there, *words])


def option(name: str, value: object) -> tuple[str, ...]:
    """The words of an option; none without a value."""
    return (name, str(value)) if value else ()


def again(*more: str) -> str:
    """The command that runs, with more words; empty in a Python program that is no command."""
    return command_line(*sys.argv[1:], *more) if _is_own(Path(sys.argv[0])) else ""


@cache
def program() -> str:
    """What to type for this program: its name if the PATH has it, or else its path."""
    own = _own_path()
    from shutil import which

    found = which(_NAME)
    if own is None or (found and Path(found).samefile(own)):
        return _NAME
    path = str(own)
    return shlex.quote(path if os.sep in path else os.path.join(os.curdir, path))


def pip_install(*packages: str) -> str:
    """The command that installs packages for the Python that runs this."""
    from shutil import which

    found = which("pip")
    is_own = found and Path(found).parent.resolve() == Path(sys.executable).parent.resolve()
    pip = "pip" if is_own else f"{shlex.quote(sys.executable)} -m pip"
    return f"{pip} install {shlex.join(packages)}"


def _own_path() -> Path | None:
    """The program as it was started, or the installed one where a Python program has imported it."""
    started = Path(sys.argv[0]) if sys.argv else Path()
    if _is_own(started) and started.is_file():
        return started
    installed = Path(sysconfig.get_path("scripts")) / _NAME
    return installed if installed.is_file() else None


def _is_own(started: Path) -> bool:
    return started.stem == _NAME and started.suffix in ("", ".exe")
