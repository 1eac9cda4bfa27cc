"""Creates the tables of the state in PostgreSQL, and upgrades those of an earlier version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from sfmap.engine.journal.database import JournalFailed, Transaction
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.messages.hints import command_line

_LOCKED = "SELECT pg_advisory_xact_lock(hashtextextended('sfmap layout ' || current_schema(), 0))"
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLayout:
    tables: str
    """The statements that create them."""
    version: int
    upgrades: Mapping[int, str]
    """By version, the statements that make it the next one."""

    def prepare(self, journal: PostgresJournal) -> None:
        """Creates the tables if there are none. Raises `JournalFailed`, also for tables of another version."""
        with journal.transaction() as connection:
            version = self._version(connection)
        if version is None:
            self.upgrade(journal)
        elif version < self.version:
            raise JournalFailed(
                "the state in PostgreSQL was written by an earlier version of sfmap: end everything that uses it,"
                f" and run: {command_line('state', 'upgrade')}"
            )

    def upgrade(self, journal: PostgresJournal) -> str:
        """Upgrades the tables after copying them; returns the schema of the copies, empty if nothing was to do.

        Raises `JournalFailed`.
        """
        with journal.transaction() as connection:
            connection.execute(_LOCKED)
            version = self._version(connection)
            if version is None:
                connection.execute(self.tables)
                connection.execute("INSERT INTO layout VALUES (?)", (self.version,))
                return ""
            if version == self.version:
                return ""
            copies = _copy(connection, version)
            for step in range(version, self.version):
                connection.execute(self.upgrades[step])
            connection.execute("UPDATE layout SET version = ?", (self.version,))
            return copies

    def _version(self, connection: Transaction) -> int | None:
        """The version of the tables; None if there are none. Raises `JournalFailed` if it is a later one."""
        if connection.execute("SELECT to_regclass('layout')").fetchone()[0] is None:
            return None
        version = cast(int, connection.execute("SELECT version FROM layout").fetchone()[0])
        if version > self.version:
            raise JournalFailed(
                "the state in PostgreSQL was written by a later version of sfmap: install that one here, too"
            )
        return version


def _copy(connection: Transaction, version: int) -> str:
    """Copies all tables into a new schema; returns its name."""
    tables = [name for (name,) in connection.execute(_TABLES).fetchall()]
    copies = f"{connection.execute('SELECT current_schema()').fetchone()[0]}_version_{version}"
    connection.execute(f'CREATE SCHEMA "{copies}"')
    for name in tables:
        connection.execute(f'CREATE TABLE "{copies}"."{name}" AS TABLE "{name}"')
    return copies
