"""Allows one run at a time in a project: two could both find no record for a lookup, and create it twice."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.files.private_files import private_database, private_file, private_folder


class ProjectBusy(SfmapError):
    """Another run has locked the project, or its folder cannot be written; the message says which."""


@contextmanager
def only_run(folder: Path, command: str) -> Iterator[None]:
    """Locks the project whose state is in `folder` until the context or the process ends.

    `command` is shown to other runs that try to start.

    Uses SQLite's file lock, which works on every system and ends with the process. Raises `ProjectBusy`.
    """
    with closing(_held(folder, command)):
        yield


def running_command(folder: Path) -> str:
    """The command that was the last to lock the project, if its process is alive; otherwise empty."""
    try:
        command, _, number = (folder / "run.pid").read_text().rpartition(", process ")
        os.kill(int(number), 0)
    except PermissionError:
        return command  # another user's
    except (OSError, ValueError):
        return ""
    return command


def _held(folder: Path, command: str) -> sqlite3.Connection:
    holder = folder / "run.pid"
    try:
        private_folder(folder)
        private_database(folder / "run.lock")
        lock = sqlite3.connect(folder / "run.lock", timeout=0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        private_file(holder)
        holder.write_text(f"{command}, process {os.getpid()}")
    except sqlite3.Error as error:
        if "locked" in str(error):
            other = holder.read_text() if holder.exists() else "unknown"
            message = f"another run is delivering in this folder ({other}); start again when it has ended"
            if "serve" in other:
                message += ". The button on its page delivers dead letters again, as does:"
                message += f" kill -USR1 {other.rpartition(' ')[2]}"
            raise ProjectBusy(message) from None
        raise ProjectBusy(f"cannot write into {folder}: {error}") from None
    except OSError as error:
        raise ProjectBusy(f"cannot write into {folder}: {error.strerror}") from None
    return lock
