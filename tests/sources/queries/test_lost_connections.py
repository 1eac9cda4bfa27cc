"""A connection that is lost is opened again, and reading goes on at the cursor."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import psycopg
import pytest

from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.event_source import SourceFailed

from ...postgres import running_postgres
from .conftest import AllTraits, Database, ids, of_postgres

CURSOR = ("updated_at", "id")
SESSIONS = """\
SELECT state, backend_xmin FROM pg_stat_activity
WHERE application_name = 'sfmap' AND datname = current_database()"""


@dataclass(frozen=True)
class Cutting:
    """Ends all connections of sfmap when it shapes the row of that number."""

    url: str
    rows: tuple[int, ...]
    shaped: list[int] = field(default_factory=list)

    def event(self, values: Mapping[str, Json], identity: bytes) -> tuple[Event | None, str]:
        self.shaped.append(1)
        if len(self.shaped) in self.rows:
            cut(self.url)
        return AllTraits().event(values, identity)


def cut(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'sfmap'"
            " AND datname = current_database()"
        )


@pytest.fixture
def people(postgresql: Database) -> Database:
    postgresql.execute("CREATE TABLE people (id int PRIMARY KEY, updated_at timestamptz NOT NULL, pad text)")
    postgresql.execute(
        "INSERT INTO people SELECT i, '2026-01-01', repeat('x', 50000) FROM generate_series(1, 900) i"
    )
    return postgresql


def test_reading_goes_on_after_a_cut_in_a_page_and_between_pages(people: Database) -> None:
    waits: list[float] = []
    shape = Cutting(people.url, (1, 450, 1000))
    source = people.source(table="people", cursor=CURSOR)
    source = replace(source, shape=shape, rows_of_page=400, wait=waits.append)

    found = []
    for row in source:
        found.append(row)
        if row.number == 400:
            cut(people.url)

    assert ids(found) == list(range(1, 901))
    assert [row.number for row in found] == list(range(1, 901))
    assert len(waits) == 4


def test_a_database_that_stays_away_ends_the_run_after_growing_waits() -> None:
    waits: list[float] = []
    with running_postgres() as postgres:
        database = of_postgres(postgres.new_database(), "postgresql")
        database.execute("CREATE TABLE people (id int PRIMARY KEY)")
        database.execute("INSERT INTO people VALUES (1), (2)")
        source = replace(database.source(table="people", cursor=("id",)), rows_of_page=1, wait=waits.append)
        rows = iter(source)
        assert ids([next(rows)]) == [1]

    with pytest.raises(SourceFailed) as failed:
        next(rows)

    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    assert str(failed.value) == f"warehouse: cannot connect to 127.0.0.1:{postgres.port}: Connection refused"


def test_a_database_that_never_answered_is_not_tried_again(postgresql: Database) -> None:
    waits: list[float] = []
    source = replace(postgresql.source(url="postgresql://u@127.0.0.1:1/x", table="people"), wait=waits.append)

    with pytest.raises(SourceFailed):
        list(source)

    assert waits == []


def test_no_transaction_stays_open_between_pages(people: Database) -> None:
    source = replace(people.source(table="people", cursor=CURSOR), rows_of_page=10)

    states = set()
    with psycopg.connect(people.url, autocommit=True) as observer:
        for row in source:
            if row.number % 10 == 5 and row.number < 100:
                states |= set(observer.execute(SESSIONS).fetchall())

    assert states == {("idle", None)}
