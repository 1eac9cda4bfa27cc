"""The history of a service whose nodes share their state: tables of its own in PostgreSQL."""

from typing import cast

from sfmap.engine.journal.database import JournalUnreadable, Transaction
from sfmap.engine.journal.history_layout import HISTORY
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal

_LOCKED = "SELECT pg_advisory_xact_lock(hashtextextended('sfmap history ' || current_schema(), 0))"
_NAMES = ("history_layout", "history_events", "history_raw", "history_outcomes", "history_minutes")
_TABLES = """\
CREATE TABLE history_layout (version BIGINT NOT NULL);
CREATE TABLE history_events (
    number BIGINT PRIMARY KEY, org TEXT, source TEXT, came DOUBLE PRECISION, type TEXT, title TEXT,
    message_id TEXT, size BIGINT
);
CREATE TABLE history_raw (number BIGINT PRIMARY KEY, raw BYTEA);
CREATE TABLE history_outcomes (
    event BIGINT, mapping TEXT, item BIGINT, org TEXT, fate TEXT, object TEXT, record TEXT, reason TEXT,
    answer TEXT, notes TEXT, revision TEXT, decided DOUBLE PRECISION, PRIMARY KEY (event, mapping, item)
);
CREATE INDEX history_decided ON history_outcomes (org, decided);
CREATE TABLE history_minutes (
    org TEXT, minute BIGINT, mapping TEXT, fate TEXT, outcomes BIGINT, PRIMARY KEY (org, minute, mapping, fate)
);
"""


def prepare_history(journal: PostgresJournal) -> None:
    """Creates the tables if there are none. Raises `JournalFailed`, of another version `JournalUnreadable`."""
    with journal.transaction() as connection:
        connection.execute(_LOCKED)
        version = _version(connection)
        if version is None:
            connection.execute(_TABLES)
            connection.execute("INSERT INTO history_layout VALUES (?)", (HISTORY.version,))
        elif version != HISTORY.version:
            raise JournalUnreadable("the history in PostgreSQL was written by another version of sfmap")


def set_history_aside(journal: PostgresJournal) -> str:
    """Moves the tables into a schema of their own; returns its name. Raises `JournalFailed`."""
    with journal.transaction() as connection:
        connection.execute(_LOCKED)
        schema = cast(str, connection.execute("SELECT current_schema()").fetchone()[0])
        taken = cast(
            int,
            connection.execute(
                "SELECT count(*) FROM pg_namespace WHERE nspname LIKE ?", (f"{schema}_history_%",)
            ).fetchone()[0],
        )
        aside = f"{schema}_history_{taken + 1}"
        connection.execute(f'CREATE SCHEMA "{aside}"')
        for name in _NAMES:
            connection.execute(f'ALTER TABLE IF EXISTS {name} SET SCHEMA "{aside}"')
        return aside


def _version(connection: Transaction) -> int | None:
    """The version of the tables; None if there are none."""
    if connection.execute("SELECT to_regclass('history_layout')").fetchone()[0] is None:
        return None
    return cast(int, connection.execute("SELECT version FROM history_layout").fetchone()[0])
