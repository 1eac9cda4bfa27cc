"""Upgrades the state of a project, and moves that of its folder to where sfmap.yaml says."""

import socket
from collections.abc import Iterator
from contextlib import closing

from sfmap.engine.journal.folder_state import journal_file
from sfmap.engine.journal.lock import only_run
from sfmap.engine.journal.spool_file import spool_database
from sfmap.engine.messages.counts import counted
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.queries.database_url import DatabaseUrl
from sfmap.engine.wiring.state_opening import FOLDER_FILES, shared_url

_COMMAND = "sfmap state upgrade"
_MOVED = "taken-over"


def upgrade_state(project: ProjectFile, org_name: str | None) -> Iterator[str]:
    """Upgrades the state, after copying it; gives in words what was done.

    If it is in PostgreSQL, takes over what waits in the project's folder: events of its spool will be delivered
    to the org with the name. Raises `JournalFailed`, `ProjectBusy`, `NoSuchOrg`, `SecretMissing` or
    `ExtraMissing`.
    """
    if project.shared_state is None:
        yield _upgrade_folder(project)
        return
    url = shared_url(project)
    yield _upgrade_shared(url)
    if any((project.state / name).exists() for name in FOLDER_FILES):
        yield _take_over(project, url, project.org(org_name).name)


def _upgrade_folder(project: ProjectFile) -> str:
    with only_run(project.state, _COMMAND), closing(journal_file(project.state / "journal.db")) as journal:
        if journal.copy:
            return f"The journal in {project.state} was upgraded. As it was, it is in {journal.copy}."
        return f"The journal in {project.state} is up to date."


def _upgrade_shared(url: DatabaseUrl) -> str:
    # psycopg belongs to an extra, so it is imported only where the state is in PostgreSQL.
    from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
    from sfmap.engine.journal.shared.shared_tables import SHARED

    with closing(PostgresJournal(url, _COMMAND)) as shared:
        copies = SHARED.upgrade(shared)
    if copies:
        return f"The state in PostgreSQL was upgraded. Its tables as they were are in the schema {copies}."
    return f"The state in PostgreSQL at {url.host} is up to date."


def _take_over(project: ProjectFile, url: DatabaseUrl, org_entry: str) -> str:
    from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
    from sfmap.engine.journal.shared.taking_over import take_over

    folder = f"{socket.gethostname()}:{project.state.resolve()}"
    with only_run(project.state, _COMMAND), closing(PostgresJournal(url, _COMMAND)) as shared:
        with (
            closing(journal_file(project.state / "journal.db")) as journal,
            closing(spool_database(project.state / "spool.db")) as spool,
        ):
            waiting = take_over(journal, spool, shared, folder=folder, org_entry=org_entry)
        for file in (project.state / name for name in FOLDER_FILES):
            file.rename(file.with_name(f"{file.name}.{_MOVED}"))
    return (
        f"Took over the state in {project.state}, with {counted(waiting, 'event')} waiting for the org"
        f" {org_entry}."
        f" Its files there now end in .{_MOVED}."
    )
