"""Which organization each org of the project last signed in to, so that no call is needed to identify it."""

from typing import cast

from sfmap.engine.journal.database import Database, replacing


def remember_organization(database: Database, entry: str, organization: str) -> None:
    """Raises `JournalFailed`."""
    if organization_of(database, entry) != organization:
        with database.transaction() as connection:
            connection.execute(replacing("organizations", "entry", "organization"), (entry, organization))


def organization_of(database: Database, entry: str) -> str | None:
    """The organization of an entry; None if it has never signed in. Raises `JournalFailed`."""
    rows = database.rows("SELECT organization FROM organizations WHERE entry = ?", entry)
    return cast(str, rows[0][0]) if rows else None
