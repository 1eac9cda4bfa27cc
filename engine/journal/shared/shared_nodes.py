"""The nodes that share a journal in PostgreSQL: who runs, who delivers, and what one asks of another."""

from collections.abc import Iterable, Sequence
from typing import cast

from sfmap.engine.journal.service_nodes import Deliverer, ServiceNode
from sfmap.engine.journal.shared.lease_session import lock_key, org_lock
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal

_TOLD = """\
INSERT INTO nodes (org, node, started, seen, accepted, delivered) VALUES (?, ?, now(), now(), ?, ?)
ON CONFLICT (org, node) DO UPDATE SET seen = now(), accepted = excluded.accepted, delivered = excluded.delivered"""
_FORGOTTEN = "DELETE FROM nodes WHERE org = ? AND seen < now() - interval '10 minutes'"
_NODES = """\
SELECT node, extract(epoch FROM now() - started)::float8, extract(epoch FROM now() - seen)::float8,
    accepted, delivered
FROM nodes WHERE org = ? ORDER BY started, node"""
_DELIVERER = """\
SELECT node, command, extract(epoch FROM now() - since)::float8 FROM leases WHERE org = ?
    AND EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND ((classid::bigint << 32) | objid::bigint) = ?)
ORDER BY leases.since DESC LIMIT 1"""


class SharedNodes:
    """Implements `Nodes`."""

    def __init__(self, journal: PostgresJournal, own_name: str, org_entry: str) -> None:
        self.own_name = own_name
        self._journal = journal
        self._org = org_entry
        self._is_known = False
        """Whether this process has told something: what one of the same name told before it does not count."""

    def tell(self, accepted: int, delivered: int) -> None:
        if not self._is_known:
            self.leave()
            self._is_known = True
        with self._journal.transaction() as connection:
            connection.execute(_TOLD, (self._org, self.own_name, accepted, delivered))
            connection.execute(_FORGOTTEN, (self._org,))

    def leave(self) -> None:
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM nodes WHERE org = ? AND node = ?", (self._org, self.own_name))

    def all(self) -> Sequence[ServiceNode]:
        rows = cast(list[tuple[str, float, float, int, int]], self._journal.rows(_NODES, self._org))
        return [
            ServiceNode(name=name, started=started, seen=seen, accepted=accepted, delivered=delivered)
            for name, started, seen, accepted, delivered in rows
        ]

    def deliverer(self, org: str) -> Deliverer | None:
        return deliverer(self._journal, org)

    def wish(self, org: str, letters: Iterable[int]) -> None:
        with self._journal.transaction() as connection:
            connection.executemany(
                "INSERT INTO wishes (org, letter) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(org, letter) for letter in letters],
            )

    def wishes(self, org: str) -> Sequence[int]:
        rows = self._journal.rows("SELECT letter FROM wishes WHERE org = ? ORDER BY id", org)
        return [cast(int, row[0]) for row in rows]

    def forget(self, org: str, letter: int) -> None:
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM wishes WHERE org = ? AND letter = ?", (org, letter))


def deliverer(journal: PostgresJournal, org: str) -> Deliverer | None:
    """The process that has a lease of the org now; of several for parts of it, the one that took it last."""
    rows = cast(list[tuple[str, str, float]], journal.rows(_DELIVERER, org, lock_key(org_lock(org))))
    return Deliverer(name=rows[0][0], command=rows[0][1], since=rows[0][2]) if rows else None
