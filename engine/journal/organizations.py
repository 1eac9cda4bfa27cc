"""Which organization each entry of the project has signed in to last: what names an org without asking it."""

from typing import cast

from sfmap.engine.journal.database import Database


def remember_organization(database: Database, entry: str, organization: str) -> None:
    """Raises `JournalFailed`."""
    if organization_of(database, entry) != organization:
        with database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO organizations VALUES (?, ?)", (entry, organization))


def organization_of(database: Database, entry: str) -> str | None:
    """None for an entry that has not signed in. Raises `JournalFailed`."""
    rows = database.rows("SELECT organization FROM organizations WHERE entry = ?", entry)
    return cast(str, rows[0][0]) if rows else None
