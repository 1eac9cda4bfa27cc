"""What the nodes of a service know of one another."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from sfmap.engine.journal.shared.shared_state import SharedState
from sfmap.engine.serve.node_list import duration, node_lines
from sfmap.engine.sources.queries.database_url import DatabaseUrl

from ..postgres import Postgres

ORG = "00D000000000001"


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.new_database()


@pytest.fixture
def states(url: str) -> Iterator[tuple[SharedState, SharedState]]:
    """The state as two processes have it."""
    with ExitStack() as stack:
        one, other = SharedState(DatabaseUrl(url), "one"), SharedState(DatabaseUrl(url), "other")
        stack.callback(one.close)
        stack.callback(other.close)
        yield one, other


def test_nodes_are_listed_until_they_leave(states: tuple[SharedState, SharedState]) -> None:
    one, other = (state.nodes("production") for state in states)
    one.tell(accepted=3, delivered=0)
    other.tell(accepted=1, delivered=4)
    assert [(node.name, node.accepted, node.delivered) for node in one.all()] == [("one", 3, 0), ("other", 1, 4)]
    one.tell(accepted=5, delivered=0)
    assert [node.accepted for node in other.all()] == [5, 1]
    one.leave()
    assert [node.name for node in other.all()] == ["other"]


def test_nodes_for_another_org_are_not_listed(states: tuple[SharedState, SharedState]) -> None:
    states[0].nodes("production").tell(accepted=1, delivered=1)
    assert states[1].nodes("sandbox").all() == []


def test_a_process_of_the_same_name_starts_at_zero(states: tuple[SharedState, SharedState], url: str) -> None:
    before, after = states[0].nodes("production"), states[0].nodes("production")
    before.tell(accepted=3, delivered=3)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE nodes SET started = started - interval '1 hour'")
    after.tell(accepted=0, delivered=0)
    assert [(node.name, node.accepted, node.started < 3_600) for node in after.all()] == [("one", 0, True)]


def test_the_one_that_delivers_is_known_while_it_has_the_lease(states: tuple[SharedState, SharedState]) -> None:
    one, other = states
    nodes = other.nodes("production")
    assert nodes.deliverer(ORG) is None
    with one.lease(ORG, "sfmap run"):
        deliverer = nodes.deliverer(ORG)
        assert deliverer
        assert (deliverer.name, deliverer.command) == ("one", "sfmap run")
        assert nodes.deliverer("00D000000000002") is None
    assert nodes.deliverer(ORG) is None


def test_a_run_that_delivers_is_in_the_list(states: tuple[SharedState, SharedState]) -> None:
    one, other = states
    nodes = other.nodes("production")
    nodes.tell(accepted=2, delivered=1)
    with one.lease(ORG, "sfmap run"):
        lines = [(line.name, line.is_own, bool(line.delivers)) for line in node_lines(nodes, ORG)]
    assert lines == [("other", True, False), ("one (sfmap run)", False, True)]


def test_wishes_are_kept_in_order_until_they_are_done(states: tuple[SharedState, SharedState]) -> None:
    one, other = (state.nodes("production") for state in states)
    one.wish(ORG, [7, 3])
    other.wish(ORG, [3, 0])
    assert other.wishes(ORG) == [7, 3, 0]
    assert other.wishes("00D000000000002") == []
    other.forget(ORG, 3)
    assert one.wishes(ORG) == [7, 0]


DURATIONS = [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3_599, "59 min"), (7_300, "2 h"), (86_400 * 3.5, "3 d")]


@pytest.mark.parametrize(("seconds", "text"), DURATIONS)
def test_a_duration_is_in_its_largest_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text
