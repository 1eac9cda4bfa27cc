"""The state of a project in PostgreSQL: several machines accept events, and one at a time delivers to each org."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import NamedTuple, cast

from sfmap.engine.journal.database import JournalFailed, Tenure
from sfmap.engine.journal.project_state import LeaseLost, LeaseTaken
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.journal.shared.fenced_journal import FencedJournal
from sfmap.engine.journal.shared.lease_session import LeaseSession, org_lock
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.journal.shared.shared_history import prepare_history, set_history_aside
from sfmap.engine.journal.shared.shared_nodes import SharedNodes, deliverer
from sfmap.engine.journal.shared.shared_spool import SharedSpool
from sfmap.engine.journal.shared.shared_tables import SHARED
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.sources.queries.database_url import DatabaseUrl

_TAKEN = """\
INSERT INTO leases (org, part, epoch, node, command, gives_way, since) VALUES (?, ?, 1, ?, ?, ?, now())
ON CONFLICT (org, part) DO UPDATE SET epoch = leases.epoch + 1, node = excluded.node, command = excluded.command,
    gives_way = excluded.gives_way, since = excluded.since
RETURNING epoch"""
_HOLDERS = """\
SELECT part, epoch, node, command, gives_way FROM leases WHERE org = ? ORDER BY since DESC LIMIT 1"""


class _Holder(NamedTuple):
    """Who took a lease of the org last."""

    part: str
    epoch: int
    node: str
    command: str
    gives_way: bool


@dataclass(frozen=True, slots=True)
class OrgLease:
    """Implements `Lease`."""

    database: FencedJournal
    session: LeaseSession
    org_lock: str

    def is_wanted(self) -> bool:
        return self.session.is_wanted(self.org_lock)


class SharedState:
    """Implements `State`. Leases are taken and given back by one thread."""

    def __init__(self, url: DatabaseUrl, node: str) -> None:
        """`node` is the name of this process, which others are shown. Raises `JournalFailed`."""
        self._url = url
        self._node = node
        self.journal = PostgresJournal(url, node)
        SHARED.prepare(self.journal)
        self._delivering = PostgresJournal(url, f"{node} delivering")
        self._session: LeaseSession | None = None
        self._leases = 0
        """How many leases this process has."""

    def close(self) -> None:
        self._end_session()
        self._delivering.close()
        self.journal.close()

    def deliver_alone(self, _command: str) -> AbstractContextManager[None]:
        return nullcontext()

    @contextmanager
    def lease(
        self,
        org: str,
        command: str,
        *,
        part: str = "",
        gives_way: bool = False,
        wait: Callable[[], object] | None = None,
    ) -> Iterator[OrgLease]:
        if wait is None and not part and (other := deliverer(self.journal, org)):
            raise _taken(f"{other.name} ({other.command})")  # known without a session
        session = self._begun_session()
        locks = _Locks(session=session, org=org, part=part)
        try:
            self._stand_in_line(locks, org, wait)
            epoch = self._take(org, part, command, gives_way=gives_way)
            tenure = Tenure(part, epoch, slack=LeaseSession.lasts)
            self._leases += 1
        except BaseException:
            self._end_session_if_unused()
            raise
        try:
            journal = FencedJournal(journal=self._delivering, org=org, tenure=tenure)
            yield OrgLease(journal, session, locks.of_org)
        finally:
            self._leases -= 1
            if not session.is_over:
                with suppress(JournalFailed):  # a database that cannot be told frees them by itself
                    locks.free()
            self._end_session_if_unused()

    def check_leases(self) -> None:
        session = self._session
        if session is not None:
            session.check()

    def spool(self, org_entry: str, bounds: Bounds) -> AbstractContextManager[Spool]:
        return closing(SharedSpool(self._url, self._node, org_entry, bounds))

    def open_history(self) -> PostgresJournal:
        journal = PostgresJournal(self._url, f"{self._node} history")
        try:
            prepare_history(journal)
        except JournalFailed:
            journal.close()
            raise
        return journal

    def set_history_aside(self) -> str:
        return set_history_aside(self.journal)

    def nodes(self, org_entry: str) -> Nodes:
        return SharedNodes(self.journal, self._node, org_entry)

    def _stand_in_line(self, locks: "_Locks", org: str, wait: Callable[[], object] | None) -> None:
        """Takes the locks. Raises `LeaseTaken`."""
        before: _Holder | None = None
        while not locks.take(waits=wait is not None):
            holder = self._holder(org)
            # A new holder may have the lock before it is known who it is: it counts the second time.
            if wait is None or (holder and holder == before and not holder.gives_way):
                who = f"{holder.node} ({holder.command})" if holder else "another process"
                raise _taken(who)
            before = holder
            wait()

    def _take(self, org: str, part: str, command: str, *, gives_way: bool) -> int:
        """Notes that this process has the lease, so that no other writes under it; returns its epoch."""
        with self._delivering.transaction() as connection:
            if part:
                others = "UPDATE leases SET epoch = epoch + 1 WHERE org = ? AND part = ''"
            else:
                others = "UPDATE leases SET epoch = epoch + 1 WHERE org = ?"
            connection.execute(others, (org,))
            row = connection.execute(_TAKEN, (org, part, self._node, command, gives_way)).fetchone()
            return cast(int, row[0])

    def _holder(self, org: str) -> _Holder | None:
        rows = self.journal.rows(_HOLDERS, org)
        return _Holder(*rows[0]) if rows else None  # type: ignore[arg-type]

    def _begun_session(self) -> LeaseSession:
        if self._session is not None and self._session.is_over:
            if self._leases:
                raise LeaseLost("the session of another lease has been lost")
            self._end_session()
        if self._session is None:
            self._session = LeaseSession(self._url, self._node)
        return self._session

    def _end_session_if_unused(self) -> None:
        if not self._leases:
            self._end_session()

    def _end_session(self) -> None:
        if self._session is not None:
            self._session.close()
            self._session = None


def _taken(who: str) -> LeaseTaken:
    return LeaseTaken(f"{who} is delivering to this org; start again when it has ended")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Locks:
    """The advisory locks of a lease: on the org, which deliverers of its parts share, and on the part."""

    session: LeaseSession
    org: str
    part: str

    @property
    def of_org(self) -> str:
        return org_lock(self.org)

    @property
    def of_part(self) -> str:
        return f"part {self.part} of {self.of_org}"

    def take(self, *, waits: bool) -> bool:
        """Whether they could be taken. Raises `JournalFailed`."""
        if not self.session.lock(self.of_org, is_shared=bool(self.part), waits=waits):
            return False
        if not self.part or self.session.lock(self.of_part):
            return True
        self.session.unlock(self.of_org, is_shared=True)
        return False

    def free(self) -> None:
        """Raises `JournalFailed`."""
        if self.part:
            self.session.unlock(self.of_part)
        self.session.unlock(self.of_org, is_shared=bool(self.part))
