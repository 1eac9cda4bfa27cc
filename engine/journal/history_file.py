"""The history of one machine: a SQLite file beside the journal, which may be deleted at any time."""

from pathlib import Path

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.history import History
from sfmap.engine.journal.history_layout import HISTORY
from sfmap.engine.journal.sqlite_file import SqliteFile

FILE_NAME = "history.db"
_COMPANIONS = ("", "-wal", "-shm")


def read_history(folder: Path) -> History | None:
    """The history in the folder; None if there is none that can be read."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        return History(SqliteFile(path, HISTORY))
    except JournalFailed:
        return None


def history_database(folder: Path) -> SqliteFile:
    """The file, created if there is none. Raises `JournalFailed`, of an unreadable one `JournalUnreadable`."""
    return SqliteFile(folder / FILE_NAME, HISTORY)


def set_aside(folder: Path) -> Path:
    """Renames a file that cannot be read, so that a new one takes its place; returns its new name."""
    path = folder / FILE_NAME
    number = next(
        number for number in range(1, 1_000) if not path.with_name(f"{FILE_NAME}.unreadable-{number}").exists()
    )
    target = path.with_name(f"{FILE_NAME}.unreadable-{number}")
    for companion in _COMPANIONS:
        file = path.with_name(path.name + companion)
        if file.exists():
            file.replace(target.with_name(target.name + companion))
    return target
