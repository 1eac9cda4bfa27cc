"""One run at a time in a project: two at once could both look a record up, find none, and create it twice."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sfmap.engine.private import private_database, private_file, private_folder


class ProjectBusy(Exception):
    """Another run holds the project, or its folder cannot be written; the message says which."""


@contextmanager
def only_run(folder: Path, command: str) -> Iterator[None]:
    """Holds the project whose state is in `folder` until the context or the process ends, however it ends.

    `command` is what others are told who come meanwhile.

    SQLite's file lock does it: it works on every system and dies with its process. Raises `ProjectBusy`.
    """
    with closing(_held(folder, command)):
        yield


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
                message += (
                    ". It delivers dead letters again when asked to: by kill -USR1, or the button on its page"
                )
            raise ProjectBusy(message) from None
        raise ProjectBusy(f"cannot write into {folder}: {error}") from None
    except OSError as error:
        raise ProjectBusy(f"cannot write into {folder}: {error.strerror}") from None
    return lock
