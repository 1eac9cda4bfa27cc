"""An empty database of each kind, and sources that read it."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.queries.query_settings import QuerySettings
from sfmap.engine.sources.queries.query_source import QuerySource

from ...postgres import Postgres

SQLITE = ("sqlite", "SQLAlchemy with sqlite")
POSTGRES = ("postgresql", "SQLAlchemy with postgresql")


class AllTraits:
    """Every column is a trait; the message id is what the source gives."""

    def event(self, values: Mapping[str, Json], identity: bytes) -> tuple[Event | None, str]:
        if "refused" in values:
            return None, "refused by the shape"
        return {"type": "identify", "messageId": identity.hex(), "traits": dict(values)}, ""


@dataclass(frozen=True, kw_only=True)
class Database:
    kind: str
    url: str
    execute: Callable[..., object]
    notes: list[str] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        return self.kind in SQLITE

    def source(self, **settings: Any) -> QuerySource:
        return QuerySource(
            settings=QuerySettings(**{"url": self.url, **settings}),
            name="warehouse",
            shape=AllTraits(),
            say=self.notes.append,
        )


@pytest.fixture(params=[*SQLITE, *POSTGRES])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    return empty_database(request, tmp_path)


@pytest.fixture
def postgresql(postgres: Postgres) -> Database:
    return of_postgres(postgres.new_database(), "postgresql")


def empty_database(request: pytest.FixtureRequest, folder: Path) -> Database:
    if request.param in POSTGRES:
        return of_postgres(request.getfixturevalue("postgres").new_database(), request.param)
    return of_sqlite(folder / "rows.db", request.param)


def of_sqlite(path: Path, kind: str) -> Database:
    def execute(sql: str, *values: object) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(sql, values)

    scheme = "sqlite" if kind == "sqlite" else "sqlite+pysqlite"
    return Database(kind=kind, url=f"{scheme}:///{path}", execute=execute)


def of_postgres(url: str, kind: str) -> Database:

    def execute(sql: str, *values: object) -> None:
        with psycopg.connect(url) as connection:
            connection.execute(sql.replace("?", "%s").encode(), values or None)

    return Database(
        kind=kind,
        url=url if kind == "postgresql" else url.replace("postgresql:", "postgresql+psycopg:"),
        execute=execute,
    )


def ids(rows: list[Received]) -> list[Json]:
    """The column `id` of each row."""
    found = []
    for row in rows:
        assert row.event
        traits = row.event["traits"]
        assert isinstance(traits, dict)
        found.append(traits["id"])
    return found
