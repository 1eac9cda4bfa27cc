"""The journal of a process that has a lease: its transactions fail once another process has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sfmap.engine.journal.database import JournalTime, Tenure, Transaction
from sfmap.engine.journal.project_state import LeaseLost
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal


@dataclass(frozen=True, slots=True, kw_only=True)
class FencedJournal:
    """Implements `Database`."""

    journal: PostgresJournal
    org: str
    tenure: Tenure

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        return self.journal.rows(query, *values)

    @contextmanager
    def transaction(self, *, is_durable: bool = True) -> Iterator[Transaction]:
        """Raises `LeaseLost`."""
        with self.journal.transaction(is_durable=is_durable) as connection:
            # Whoever takes the lease changes this row, and so waits for the transaction.
            query = "SELECT epoch FROM leases WHERE org = ? AND part = ? FOR SHARE"
            found = connection.execute(query, (self.org, self.tenure.part)).fetchone()
            if found is None or found[0] != self.tenure.epoch:
                raise LeaseLost("another process has begun to deliver to this org")
            yield connection

    def moment(self) -> JournalTime:
        return self.journal.moment()

    def close(self) -> None:
        """Leaves the connection open, which others use, too."""
