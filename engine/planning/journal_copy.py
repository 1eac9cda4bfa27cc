"""A copy of a project's journal, so that a plan begins where a run would, and leaves the journal as it is."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sfmap.engine.files.private_files import private_file
from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.folder_state import journal_file


@contextmanager
def journal_copy(journal: Path | None) -> Iterator[Database]:
    """The copy, in a temporary folder; an empty journal without a file. Raises `JournalFailed`."""
    with tempfile.TemporaryDirectory(prefix="sfmap-plan-") as folder:
        copy = Path(folder) / "journal.db"
        if journal is not None and journal.exists():
            private_file(copy)
            try:
                with closing(_read_only(journal)) as source, closing(sqlite3.connect(copy)) as target:
                    source.backup(target)
            except sqlite3.Error as error:
                raise JournalFailed(f"{journal} cannot be read: {error}.") from None
        with closing(journal_file(copy)) as database:
            yield database


def _read_only(journal: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True)
