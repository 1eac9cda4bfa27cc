"""One run at a time in a project: two at once could both look a record up, find none, and create it twice."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


class ProjectBusy(Exception):
    """Another run holds the project, or its folder cannot be written; the message says which."""


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Holds the project whose state is in `folder` until the context or the process ends, however it ends.

    SQLite's file lock does it: it works on every system and dies with its process. Raises `ProjectBusy`.
    """
    with closing(_held(folder)):
        yield


def _held(folder: Path) -> sqlite3.Connection:
    holder = folder / "run.pid"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / "run.lock", timeout=0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        holder.write_text(str(os.getpid()))
    except sqlite3.Error as error:
        if "locked" in str(error):
            process = holder.read_text() if holder.exists() else "unknown"
            message = (
                f"another run is delivering in this folder (process {process}); start again when it has ended"
            )
            raise ProjectBusy(message) from None
        raise ProjectBusy(f"cannot write into {folder}: {error}") from None
    except OSError as error:
        raise ProjectBusy(f"cannot write into {folder}: {error.strerror}") from None
    return lock
