"""Runs the command line, and ends every command with a message and an exit code."""

import errno
import gc
import os
import sys
from contextlib import suppress
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from sfmap.engine.errors import ExitCode

_COLLECT_AFTER = 100_000
"""Allocations between garbage collections: with the default of 700 they take a sixth of a run, with half as many
as these still a tenth."""
_UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def run(command: click.Command) -> NoReturn:
    """Runs the command that the arguments name."""
    gc.set_threshold(_COLLECT_AFTER)
    _hold_closed_streams()
    code = _exit_code(command)
    gc.freeze()  # otherwise Python walks through all objects again, several times, before the process ends
    sys.exit(code)


def _exit_code(command: click.Command) -> str | int | None:
    try:
        code = _run(command)
        sys.stdout.flush()  # a later failure would be silent
        return code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return ExitCode.OUTPUT_CLOSED
    except OSError as error:
        # Other files that cannot be written have their own exceptions.
        if error.errno not in _UNWRITTEN or error.filename:
            return _mistake(error)
        _drop_output()
        with suppress(OSError):
            click.echo(f"Error: cannot write standard output: {error.strerror}", err=True)
        return ExitCode.BROKEN
    except Exception as error:  # noqa: BLE001 - a traceback tells a person nothing
        return _mistake(error)


def _mistake(error: Exception) -> int:
    if os.environ.get("SFMAP_TRACEBACK"):
        raise error
    from sfmap.engine.delivery.internal_error import internal_error

    what = f"Error: this is a bug in sfmap: {internal_error(error)}."
    with suppress(OSError):
        click.echo(f"{what} Please report it; SFMAP_TRACEBACK=1 prints the traceback.", err=True)
    return ExitCode.INTERNAL_ERROR


def _run(command: click.Command) -> str | int | None:
    """Runs the command without click's exit codes, which would report failed events on Ctrl-C or a closed pipe."""
    if instruction := os.environ.get("_SFMAP_COMPLETE"):
        return shell_complete(command, {}, "sfmap", "_SFMAP_COMPLETE", instruction)
    try:
        with command.make_context("sfmap", sys.argv[1:]) as context:
            command.invoke(context)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code
    return ExitCode.DONE


def _drop_output() -> None:
    """Discards buffered output, which the interpreter would otherwise try to write again on exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _hold_closed_streams() -> None:
    """Reserves the number of a closed standard stream, so that the next opened file does not get it."""
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(os.open(os.devnull, os.O_RDONLY), "w")  # noqa: SIM115 - what is written there fails
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
