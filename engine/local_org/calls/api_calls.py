"""API calls: one at a time, each counted against the daily limit and logged."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sfmap.engine.local_org.calls.fair_lock import FairLock
from sfmap.engine.local_org.calls.sessions import ApiSession, ApiSessions
from sfmap.engine.local_org.faults.fault_plan import InjectedFault
from sfmap.engine.local_org.faults.org_faults import Fault, database_failed, unexpected
from sfmap.engine.local_org.records.exchanges import Exchange, kept
from sfmap.engine.local_org.records.object_schema import Schema
from sfmap.engine.local_org.records.store import LoggedCall, Store, now

_LONGEST_ABOUT = 200


class ApiCalls:
    """Runs the calls of SOAP and REST on the store."""

    def __init__(
        self,
        store: Store,
        schema: Schema,
        sessions: ApiSessions,
        *,
        daily_limit: int,
        on_logged: Callable[[LoggedCall], None],
    ) -> None:
        self.store = store
        self.schema = schema
        self.sessions = sessions
        self.daily_limit = daily_limit
        self._on_logged = on_logged
        self.lock = FairLock()
        """The lock around executing and logging a call."""

    @contextmanager
    def look(self) -> Iterator[Store]:
        """Exclusive access to the store, for reading only."""
        with self.lock:
            yield self.store

    @contextmanager
    def call(
        self, token: str, operation: str, about: str, exchange: Exchange, injected: InjectedFault | None = None
    ) -> Iterator[ApiSession]:
        """A counted and logged call, in a transaction of the store. Raises `Fault`."""
        with self.lock:
            started = time.perf_counter()
            try:
                self.check(token, injected)
                session = self.sessions.find(token, was_accepted=injected is not None and injected.is_late)
                self.count()
                with self.store.transaction():
                    yield session
            except Fault as fault:
                exchange.outcome = fault.code
                raise
            except sqlite3.Error as error:
                exchange.outcome = database_failed(error).code
                raise
            finally:
                took = time.perf_counter() - started
                kind = injected.kind if injected else ""
                self.log(
                    operation,
                    about,
                    outcome=exchange.outcome,
                    seconds=took,
                    exchange=exchange,
                    records=exchange.records,
                    fault=kind,
                )

    def check(self, token: str, injected: InjectedFault | None) -> None:
        """Raises the `Fault` with which the plan answers the whole call, if it does."""
        if injected and injected.fault:
            if injected.kind == "expired_session":
                self.sessions.close(token)
            raise injected.fault

    def miss(self, operation: str, about: str, *, exchange: Exchange, injected: InjectedFault) -> None:
        """Logs a call that a fault of the plan kept from being executed."""
        with self.lock:
            self.log(operation, about, outcome="not done", seconds=0, exchange=exchange, fault=injected.kind)

    def count(self) -> int:
        """Counts a call of today, even if it then fails; returns their number. Raises `Fault` at the limit."""
        with self.store.transaction():
            used = self.store.calls_today()
            if used >= self.daily_limit:
                raise unexpected("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.store.count_call()
        return used + 1

    def log(
        self,
        operation: str,
        about: str,
        *,
        outcome: str,
        seconds: float,
        exchange: Exchange,
        records: int = 0,
        fault: str = "",
    ) -> None:
        logged = LoggedCall(
            at=now(),
            operation=operation,
            object_name=about[:_LONGEST_ABOUT],
            records=records,
            outcome=outcome,
            milliseconds=round(seconds * 1000, 1),
            fault=fault,
        )
        with self.store.transaction():
            self.store.log(logged, kept(exchange))
        self._on_logged(logged)
