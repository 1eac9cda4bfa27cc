"""Leases: one process delivers to an org, and one that has lost its lease writes nothing more."""

from collections.abc import Iterator
from contextlib import ExitStack, closing

import psycopg
import pytest

from sfmap.engine.journal.database import JournalOutOfReach
from sfmap.engine.journal.entries import Commit
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.project_state import LeaseLost, LeaseTaken
from sfmap.engine.journal.shared.lease_session import LeaseSession
from sfmap.engine.journal.shared.shared_state import SharedState
from sfmap.engine.sources.event_source import START
from sfmap.engine.sources.queries.database_url import DatabaseUrl

from ..postgres import Postgres

LEASES = "application_name LIKE 'sfmap %s leases'"


class Stopped(Exception):
    """Ends a wait."""


def stop() -> None:
    raise Stopped


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def two(url: str) -> Iterator[tuple[SharedState, SharedState]]:
    """The state as two processes have it."""
    with (
        closing(SharedState(DatabaseUrl(url), "one")) as one,
        closing(SharedState(DatabaseUrl(url), "two")) as two,
    ):
        yield one, two


def end_session(postgres: Postgres, url: str, node: str) -> None:
    """As if the process had not been heard of for too long."""
    session = LEASES % node
    postgres.ask(url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {session}")
    while postgres.ask(url, f"SELECT 1 FROM pg_stat_activity WHERE {session}"):
        pass


def check_until_the_next_heartbeat(state: SharedState) -> None:
    while True:
        state.check_leases()


def test_one_process_has_the_lease_of_an_org(two: tuple[SharedState, SharedState]) -> None:
    one, other = two
    with one.lease("acme", "sfmap run"):
        with (
            pytest.raises(LeaseTaken, match=r"one \(sfmap run\) is delivering"),
            other.lease("acme", "sfmap serve"),
        ):
            pass
        with other.lease("beta", "sfmap run"):
            pass
    with other.lease("acme", "sfmap serve"):
        pass


def test_a_run_stands_in_line_for_what_gives_way(two: tuple[SharedState, SharedState]) -> None:
    one, other = two
    with ExitStack() as serving:
        lease = serving.enter_context(one.lease("acme", "sfmap serve", gives_way=True))
        assert not lease.is_wanted()

        def look() -> None:
            if lease.is_wanted():
                serving.close()

        def wait() -> None:
            """The other session stands in line again right after this."""

        waiting = iter([wait, wait, look])
        with pytest.raises(Stopped), other.lease("acme", "sfmap run", wait=lambda: next(waiting, stop)()):
            pass


def test_a_run_does_not_wait_for_another(two: tuple[SharedState, SharedState]) -> None:
    one, other = two
    with (
        one.lease("acme", "sfmap run"),
        pytest.raises(LeaseTaken, match="sfmap run"),
        other.lease("acme", "sfmap retry", wait=lambda: None),
    ):
        pass


def test_parts_are_delivered_side_by_side_and_never_beside_the_whole(two: tuple[SharedState, SharedState]) -> None:
    one, other = two
    with one.lease("acme", "sfmap run", part="events 0"), other.lease("acme", "sfmap run", part="events 1"):
        with pytest.raises(LeaseTaken), other.lease("acme", "sfmap run", part="events 0"):
            pass
        with pytest.raises(LeaseTaken), other.lease("acme", "sfmap serve"):
            pass
    with other.lease("acme", "sfmap serve"), pytest.raises(LeaseTaken), one.lease("acme", "", part="events 0"):
        pass


def test_after_another_has_taken_over_nothing_is_written(
    two: tuple[SharedState, SharedState], postgres: Postgres, url: str
) -> None:
    one, other = two
    with one.lease("acme", "sfmap serve") as lost:
        ledger = Ledger(lost.database, "acme", "spool")
        ledger.begin_unless_begun()
        end_session(postgres, url, "one")
        with other.lease("acme", "sfmap serve") as taken:
            with pytest.raises(LeaseLost):
                ledger.commit(Commit(position=START._replace(number=5)))
            Ledger(taken.database, "acme", "spool").commit(Commit(position=START._replace(number=7)))
    assert postgres.ask(url, "SELECT number FROM sources") == [(7,)]


def test_without_heartbeats_no_call_is_sent(
    two: tuple[SharedState, SharedState], postgres: Postgres, url: str
) -> None:
    one, _ = two
    one.check_leases()
    with one.lease("acme", "sfmap serve"):
        one.check_leases()
        end_session(postgres, url, "one")
        with pytest.raises(LeaseLost):
            check_until_the_next_heartbeat(one)
    one.check_leases()
    with one.lease("acme", "sfmap serve"):
        one.check_leases()


def test_the_lease_ends_before_the_database_frees_its_lock() -> None:
    assert LeaseSession.lasts < LeaseSession.ends_after


def test_writes_under_way_are_doubts_once_their_process_has_gone(two: tuple[SharedState, SharedState]) -> None:
    one, other = two
    with one.lease("acme", "sfmap run", part="events 0") as mine:
        Ledger(mine.database, "acme", "events 0").sending(60.0, b"[]", ())
        with other.lease("acme", "sfmap run", part="events 1") as theirs:
            assert Ledger(theirs.database, "acme", "events 1").in_flight() == []
        assert len(Ledger(mine.database, "acme", "events 0").in_flight()) == 1
    with other.lease("acme", "sfmap run", part="events 0") as theirs:
        (left,) = Ledger(theirs.database, "acme", "events 0").in_flight()
        assert left.seconds is not None
        assert 60 < left.seconds <= 60 + LeaseSession.lasts
    with other.lease("acme", "sfmap serve") as whole:
        assert len(Ledger(whole.database, "acme", "spool").in_flight()) == 1


def change_without_waiting(state: SharedState) -> None:
    with state.journal.transaction() as connection:
        connection.execute("SET LOCAL lock_timeout = '1ms'")
        connection.execute("UPDATE organizations SET organization = 'z'")


def test_a_transaction_that_the_database_ends_for_another_may_be_tried_again(
    two: tuple[SharedState, SharedState], url: str
) -> None:
    one, _ = two
    with one.journal.transaction() as connection:
        connection.execute("INSERT INTO organizations VALUES ('a', 'x')")
    with psycopg.connect(url) as other:
        other.execute("UPDATE organizations SET organization = 'y'")
        with pytest.raises(JournalOutOfReach, match="cannot be used now"):
            change_without_waiting(one)
    assert one.journal.rows("SELECT organization FROM organizations") == [("y",)]
