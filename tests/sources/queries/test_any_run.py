"""Runs over a table that changes meanwhile, killed at any row, compared with a list of what must be found."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import psycopg
import pytest

from sfmap.engine.sources.event_source import START, Position, Received
from sfmap.engine.sources.queries.query_source import QuerySource

from ...examples import mostly_soak
from ...postgres import Postgres
from .conftest import POSTGRES, SQLITE, Database, of_postgres, of_sqlite

SEEDS = range(16)
OVERLAP = 4
"""In ticks, of which each kind of column makes its own unit."""
_BEGUN = datetime(2026, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Clock:
    """A type of column, and how a tick is written in it."""

    database: str
    type: str
    at: Callable[[int], object]
    overlap: float = OVERLAP


CLOCKS = {
    "timestamptz": Clock(
        database="postgresql", type="timestamptz", at=lambda tick: f"{_BEGUN + timedelta(seconds=tick)}+00"
    ),
    "microseconds": Clock(
        database="postgresql",
        type="timestamp",
        at=lambda tick: _BEGUN + timedelta(microseconds=tick),
        overlap=OVERLAP / 1_000_000,
    ),
    "date": Clock(
        database="postgresql",
        type="date",
        at=lambda tick: date(2026, 1, 1) + timedelta(days=tick),
        overlap=OVERLAP * 86_400,
    ),
    "number": Clock(database="postgresql", type="numeric", at=lambda tick: tick),
    "timestamptz by SQLAlchemy": Clock(
        database="SQLAlchemy with postgresql",
        type="timestamptz",
        at=lambda tick: f"{_BEGUN + timedelta(milliseconds=tick)}+00",
        overlap=OVERLAP / 1000,
    ),
    "text": Clock(
        database="sqlite", type="text", at=lambda tick: (_BEGUN + timedelta(seconds=tick)).isoformat() + ".5Z"
    ),
    "text by SQLAlchemy": Clock(
        database="SQLAlchemy with sqlite", type="text", at=lambda tick: str(_BEGUN + timedelta(seconds=tick))
    ),
    "real": Clock(database="sqlite", type="real", at=lambda tick: tick / 2, overlap=OVERLAP / 2),
}


@dataclass
class World:
    """The table, and everything that was ever in it."""

    database: Database
    clock: Clock
    random: Random
    now: int = 0
    """The latest tick in the table."""
    versions: dict[int, int] = field(default_factory=dict)
    """By id, how often the row was written."""
    ticks: dict[int, int] = field(default_factory=dict)
    """By id, the time of the row."""

    def write(self) -> None:
        """Inserts or updates some rows, of which some are late by at most the overlap."""
        for _ in range(self.random.randrange(4)):
            tick = max(0, self.now + self.random.randint(-OVERLAP, 2))
            self.now = max(self.now, tick)
            if self.versions and self.random.random() < 0.3:
                key = self.random.choice(list(self.versions))
                sql = "UPDATE people SET at = ?, version = ? WHERE id = ?"
            else:
                key = len(self.versions) + 1
                sql = "INSERT INTO people (at, version, id) VALUES (?, ?, ?)"
            self.versions[key] = self.versions.get(key, 0) + 1
            self.ticks[key] = tick
            self.database.execute(sql, self.clock.at(tick), self.versions[key], key)


@pytest.mark.parametrize("seed", mostly_soak(SEEDS, quick=2))
@pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
def test_each_row_is_found_once_a_run_and_late_ones_by_the_next(
    clock: Clock, seed: int, tables: dict[str, Database]
) -> None:
    random = Random(seed)
    database = tables[clock.database]
    database.execute("DROP TABLE IF EXISTS people")
    not_null = "" if random.random() < 0.2 else " NOT NULL"
    database.execute(f"CREATE TABLE people (id integer PRIMARY KEY, at {clock.type}{not_null}, version integer)")
    world = World(database=database, clock=clock, random=random)
    source = database.source(table="people", cursor=("at", "id"), overlap=clock.overlap)
    source = replace(source, rows_of_page=random.randint(1, 6))
    for _ in range(10):
        world.write()

    position = START
    keys: list[str] = []
    found: dict[int, int] = {}
    for last in (False, False, False, True):
        begun = dict(world.versions), dict(world.ticks)
        rows = list(one_run(source.starting_at(position), world, may_change=not last))
        check_run(rows, world, begun, everything=position == START)
        keys += [row.repeat_key for row in rows if row.repeat_key not in keys]
        found |= {traits(row)["id"]: traits(row)["version"] for row in rows}
        position = source.next_start(rows[-1].position) if rows else position
        if not last:
            world.write()

    assert found == world.versions
    assert len(keys) <= sum(world.versions.values()), "a repeat was not recognized"


def one_run(source: QuerySource, world: World, *, may_change: bool) -> Iterator[Received]:
    """The rows of a run that is killed at some of them and continued, while the table changes."""
    position: Position | None = source.start
    while position is not None:
        begun, position = position, None
        for row in source.starting_at(begun):
            yield row
            if may_change and world.random.random() < 0.2:
                world.write()
            if world.random.random() < 0.1:
                position = row.position
                break


def check_run(
    rows: list[Received], world: World, begun: tuple[dict[int, int], dict[int, int]], *, everything: bool
) -> None:
    """The rows are in order, each once, and those that did not change are all there."""
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    places = [row.row for row in rows]
    assert len(set(places)) == len(places)
    versions, ticks = begun
    unchanged = {key for key, version in versions.items() if world.versions[key] == version}
    seen = [key for key in (traits(row)["id"] for row in rows) if key in unchanged]
    assert len(set(seen)) == len(seen)
    assert all((ticks[a], a) < (ticks[b], b) for a, b in pairwise(seen))
    if everything:
        assert set(seen) == unchanged


def traits(row: Received) -> dict[str, int]:
    assert row.event
    found = row.event["traits"]
    assert isinstance(found, dict)
    return {key: value for key, value in found.items() if isinstance(value, int)}


@pytest.fixture(scope="module")
def tables(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Database]]:
    """By kind, a database for all cases, since a new one for each takes longer than the case."""
    folder = tmp_path_factory.mktemp("tables")
    url = postgres.new_database()
    with (
        psycopg.connect(url, autocommit=True) as server,
        closing(sqlite3.connect(folder / "rows.db", isolation_level=None)) as file,
    ):
        file.execute("PRAGMA synchronous = off")
        databases = [
            *(replace(of_sqlite(folder / "rows.db", kind), execute=on_file(file)) for kind in SQLITE),
            *(replace(of_postgres(url, kind), execute=on_server(server)) for kind in POSTGRES),
        ]
        yield {database.kind: database for database in databases}


def on_file(file: sqlite3.Connection) -> Callable[..., object]:
    return lambda sql, *values: file.execute(sql, values)


def on_server(server: "psycopg.Connection[Any]") -> Callable[..., object]:
    return lambda sql, *values: server.execute(sql.replace("?", "%s").encode(), values or None)
