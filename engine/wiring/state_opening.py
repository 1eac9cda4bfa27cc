"""Opens the state of a project: in its folder, or in the database that sfmap.yaml names."""

import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager

from sfmap.engine.errors import SfmapError
from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.folder_state import FolderState
from sfmap.engine.journal.history import History
from sfmap.engine.journal.history_file import read_history
from sfmap.engine.journal.project_state import State
from sfmap.engine.messages.hints import command_line
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.queries.database_url import DatabaseUrl

FOLDER_FILES = ("journal.db", "spool.db")


def open_state(project: ProjectFile, node: str = "") -> AbstractContextManager[State]:
    """The project's journal and spool. `node` is the name of this process where several share them.

    Raises `JournalFailed`, `SecretMissing` or `ExtraMissing`.
    """
    if project.shared_state is None:
        return closing(FolderState(project.state))
    url = shared_url(project)
    if left := [name for name in FOLDER_FILES if (project.state / name).exists()]:
        raise JournalFailed(
            f"{project.state} holds a {left[0]} of before `state` was set in sfmap.yaml; to take over what"
            f" waits in it, run: {command_line('state', 'upgrade')}"
        )
    # psycopg belongs to an extra, so it is imported only where the state is in PostgreSQL.
    from sfmap.engine.journal.shared.shared_state import SharedState

    return closing(SharedState(url, node or usual_node_name()))


def shared_url(project: ProjectFile) -> DatabaseUrl:
    """The URL of the shared state. Raises `JournalFailed`, `SecretMissing` or `ExtraMissing`."""
    needed("psycopg", "postgres", "keep the state in PostgreSQL")
    url = DatabaseUrl(project.state_url().strip())
    if url.scheme not in ("postgresql", "postgres"):
        raise JournalFailed("state is the URL of a PostgreSQL database: write postgresql://user@host/name")
    try:
        url.check()
    except SourceFailed as error:
        raise JournalFailed(f"state in sfmap.yaml: {error}") from None
    return url


@contextmanager
def open_journal(project: ProjectFile) -> Iterator[Database]:
    """The journal alone. Raises as `open_state` does."""
    with open_state(project) as state:
        yield state.journal


def open_history(project: ProjectFile) -> History | None:
    """The history of the project's service; None if there is none, or it cannot be read now."""
    if project.shared_state is None:
        return read_history(project.state)
    try:
        with open_state(project) as state:
            return History(state.open_history())
    except SfmapError:
        return None


def usual_node_name() -> str:
    """The name of this process: its machine and its number there."""
    return f"{socket.gethostname()}:{os.getpid()}"
