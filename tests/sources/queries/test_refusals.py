"""A query that cannot be read says why in one sentence, without a password, before the first row."""

import sys
from pathlib import Path
from typing import Any

import pytest

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import ExtraMissing

from ...postgres import Postgres
from .conftest import Database, of_sqlite

SECRETS = ("s3cr:t@x", "s3cr%3At%40x", "wr0ng", "t@x")
CHECK_NAME = ": check the name, and write its schema, as in web.identifies"


@pytest.fixture
def shop(postgresql: Database) -> Database:
    postgresql.execute("CREATE TABLE people (id bigint PRIMARY KEY, updated_at timestamptz NOT NULL, doc json)")
    postgresql.execute("INSERT INTO people SELECT i, '2026-01-01', '{}' FROM generate_series(1, 20) i")
    postgresql.execute("CREATE TABLE keyless (id int)")
    postgresql.execute(
        "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD 's3cr:t@x'; EXCEPTION WHEN OTHERS THEN END $$"
    )
    return postgresql


def refusal(database: Database, **settings: Any) -> str:
    chosen = {"table": "people", "cursor": ("updated_at", "id"), **settings}
    if "query" in settings:
        chosen["table"] = ""
    with pytest.raises(SourceFailed) as failed:
        list(database.source(**chosen))
    said = str(failed.value)
    assert said.startswith("warehouse: ")
    assert not [secret for secret in SECRETS if secret in said]
    assert "\n" not in said
    return said.removeprefix("warehouse: ")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": "poeple"}, f'relation "poeple" does not exist{CHECK_NAME}'),
        ({"table": "web.people"}, f'schema "web" does not exist{CHECK_NAME}'),
        (
            {"cursor": ("updated_on", "id")},
            "people has no column updated_on for the cursor; it has id, updated_at, doc",
        ),
        (
            {"cursor": ("updated_at",)},
            "two rows have the same updated_at: 2026-01-01 00:00:00+00; rows could be missed:"
            " add a column to the cursor that makes it unique",
        ),
        (
            {"cursor": ("doc", "id")},
            "could not identify an ordering operator for type json:"
            " choose columns for the cursor that can be ordered",
        ),
        (
            {"table": "keyless", "cursor": ()},
            "keyless has no primary key: write its cursor, such as cursor: [updated_at, id]",
        ),
        (
            {"query": "SELECT * FROM people", "cursor": ()},
            "a query needs its cursor, such as cursor: [updated_at, id]: the columns that order its rows,"
            " of which the first may repeat and the last makes it unique",
        ),
        ({"query": "SELECT *, 1 AS id FROM people"}, "two columns of the query are named id: rename one with AS"),
        ({"query": "SELCT nme FROM people"}, 'the query is not valid SQL: syntax error at or near "FROM"'),
        ({"query": "SELECT nme FROM people"}, 'column "nme" does not exist'),
        (
            {"query": "SELECT id, updated_at FROM people; DROP TABLE people"},
            'the query is not valid SQL: syntax error at or near ";"',
        ),
        ({"query": "SELECT 1 / (id - 10), id, updated_at FROM people"}, "division by zero"),
        (
            {"query": "SELECT id, updated_at, pg_sleep(9)::text AS s FROM people", "timeout": 0.2},
            "a statement took longer than 0.2 seconds: an index on the cursor's columns helps",
        ),
        ({"table": ""}, "write either table or query"),
        ({"cursor": ("id", "id")}, "cursor names a column twice"),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_settings_that_do_not_fit_the_database(shop: Database, settings: dict[str, Any], said: str) -> None:
    assert refusal(shop, **settings) == said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "postgresql://reader:wr0ng@{host}/{name}",
            'cannot connect to {host}: password authentication failed for user "reader"',
        ),
        (
            "postgresql://reader:s3cr%3At%40x@{host}/{name}",
            "permission denied for table people:"
            " grant reader to read it (GRANT SELECT, and GRANT USAGE of its schema)",
        ),
        (
            "postgresql://postgres@{host}/elsewhere",
            'cannot connect to {host}: database "elsewhere" does not exist',
        ),
        ("postgresql://u:wr0ng@127.0.0.1:1/{name}", "cannot connect to 127.0.0.1:1: Connection refused"),
        (
            "postgresql://reader:s3cr:t@x@{host}/{name}",
            "the url cannot be taken apart: in a password, write special characters as %XX, such as %40 for @",
        ),
        (
            "postgresql://reader:wr0ng/t@x@{host}/{name}",
            "the url cannot be taken apart: in a password, write special characters as %XX, such as %40 for @",
        ),
        (
            "postgresql://reader:wr0ng@{host}/{name}?sslmod=no",
            "the url is not one of PostgreSQL: write postgresql://user@host/name",
        ),
        (
            "postgresql+psycopg://reader:wr0ng@{host}/{name}",
            'password authentication failed for user "reader"',
        ),
        ("postgresql+psycopg://reader:s3cr%3At%40x@{host}/{name}", "permission denied for table people"),
        (
            "mssql+pymssql://reader:wr0ng@{host}/{name}",
            "mssql+pymssql needs the package pymssql: install it with pip",
        ),
        ("imaginary://reader:wr0ng@{host}/{name}", "SQLAlchemy knows no imaginary: install its dialect with pip"),
        (
            "wr0ng",
            "the url is empty or has no scheme: write a URL such as postgresql://user:password@host/name",
        ),
        ("sqlite:///nowhere.db", "there is no file nowhere.db"),
    ],
)
def test_urls_by_which_nothing_is_read(shop: Database, postgres: Postgres, url: str, said: str) -> None:
    names = {"host": f"127.0.0.1:{postgres.port}", "name": shop.url.rpartition("/")[2]}

    assert refusal(shop, url=url.format(**names)) == said.format(**names)


def test_a_host_that_does_not_exist(shop: Database) -> None:
    said = refusal(shop, url="postgresql://u:wr0ng@no.such.invalid/shop")

    assert said.startswith("cannot connect to no.such.invalid: failed to resolve host 'no.such.invalid'")


def test_a_query_cannot_write(shop: Database) -> None:
    shop.execute("CREATE FUNCTION grab() RETURNS int LANGUAGE sql AS 'DELETE FROM people RETURNING 1'")
    query = "SELECT grab(), id, updated_at FROM people"

    assert refusal(shop, query=query) == "cannot execute DELETE in a read-only transaction: sfmap only reads"
    through_sqlalchemy = shop.url.replace("postgresql:", "postgresql+psycopg:")
    assert refusal(shop, query=query, url=through_sqlalchemy) == "cannot execute DELETE in a read-only transaction"


def test_a_file_that_is_no_database(postgresql: Database, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,updated_at\n" * 100, "utf-8")

    assert refusal(postgresql, url=f"sqlite:///{tmp_path}/people.csv") == "file is not a database"


def test_sqlite_says_what_it_does_not_have(tmp_path: Path) -> None:
    database = of_sqlite(tmp_path / "rows.db", "sqlite")
    database.execute("CREATE TABLE people (id integer PRIMARY KEY, updated_at text)")

    assert refusal(database, table="poeple") == "no such table: poeple"
    assert refusal(database, query="SELECT nme FROM people") == "no such column: nme"


@pytest.mark.parametrize("first", ["timestamp", "sent_at", "original_timestamp", "Timestamp"])
def test_the_clock_of_the_sender_is_refused_as_cursor(postgresql: Database, first: str) -> None:
    postgresql.execute(f'CREATE TABLE identifies (id int, received_at timestamptz, "{first}" timestamptz)')
    chosen = {"table": "identifies", "cursor": (first, "id")}

    assert refusal(postgresql, **chosen) == (
        f"cursor: {first} is usually set by the clock of the sender, so rows that come late would be missed:"
        " use received_at; if the database sets it, write cursor_is_set_by_database: true"
    )
    assert list(postgresql.source(**chosen, cursor_is_set_by_database=True)) == []


@pytest.mark.parametrize(("scheme", "library"), [("postgresql", "psycopg"), ("mysql+pymysql", "sqlalchemy")])
def test_a_missing_library(
    postgresql: Database, monkeypatch: pytest.MonkeyPatch, scheme: str, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)

    with pytest.raises(ExtraMissing) as missing:
        list(postgresql.source(url=f"{scheme}://u:wr0ng@127.0.0.1/x", table="people", cursor=("id",)))

    assert str(missing.value).startswith("cannot read warehouse: this needs sfmap[sql]: ")
    assert str(missing.value).endswith("pip install 'sfmap[sql]'")
