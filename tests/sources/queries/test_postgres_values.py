"""Each type of PostgreSQL as an event has it."""

from zoneinfo import ZoneInfo

import pytest

from sfmap.engine.mapping.values.record import Json

from .conftest import Database

EXPECTED: list[tuple[str, Json]] = [
    # SQL, its JSON; "left out" stands for no value
    ("7::smallint", 7),
    ("9223372036854775807", 9223372036854775807),
    ("12345678901234567890123::numeric", 12345678901234567890123),
    ("10.50::numeric(10,2)", 10.5),
    ("0.1234567890123456789::numeric", "0.1234567890123456789"),
    ("'NaN'::numeric", "left out: NaN"),
    ("'infinity'::float8", "left out: infinity"),
    ("0.1::float8", 0.1),
    ("0.1::real", 0.1),
    ("'$1.50'::money", "$1.50"),
    ("true", True),
    ("NULL::text", "left out"),
    ("'ab'::char(5)", "ab"),
    ("'ab  '::varchar(5)", "ab  "),
    ("ARRAY['ab'::char(3), NULL]", ["ab", None]),
    ("'2026-01-01 10:00:00.123456+02'::timestamptz", "2026-01-01T08:00:00.123456Z"),
    ("'12026-01-01 10:00:00+00'::timestamptz", "12026-01-01T10:00:00Z"),
    ("'0044-03-15 10:00:00+00 BC'::timestamptz", "0044-03-15 10:00:00+00 BC"),
    ("'infinity'::timestamptz", "left out: infinity"),
    ("'-infinity'::timestamptz", "left out: infinity"),
    ("ARRAY['infinity'::timestamptz, '2026-01-01+00']", [None, "2026-01-01T00:00:00Z"]),
    ("'2026-07-01 10:00:00'::timestamp", "2026-07-01T08:00:00Z"),
    ("'infinity'::timestamp", "left out: infinity"),
    ("'12026-01-01 10:00:00'::timestamp", "12026-01-01 10:00:00"),
    ("'2026-01-31'::date", "2026-01-31"),
    ("'infinity'::date", "left out: infinity"),
    ("'12026-01-31'::date", "12026-01-31"),
    ("'24:00'::time", "24:00:00"),
    ("'09:30+02'::timetz", "09:30:00+02"),
    ("'1 month 2 hours'::interval", "P1MT2H"),
    ("'6ecd8c99-4036-403d-bf84-cf8400f67836'::uuid", "6ecd8c99-4036-403d-bf84-cf8400f67836"),
    ("'10.0.0.1'::inet", "10.0.0.1"),
    ("'10.0.0.0/8'::cidr", "10.0.0.0/8"),
    ("'[1,5)'::int4range", "[1,5)"),
    ("'{[1,5),[7,9)}'::int4multirange", "{[1,5),[7,9)}"),
    ("""'{"a": 1.10, "b": [null, 12345678901234567890]}'::jsonb""", {"a": 1.1, "b": [None, 12345678901234567890]}),
    ("'[1, 2]'::json", [1, 2]),
    ("'null'::jsonb", "left out"),
    ("repeat('[', 600)::text || repeat(']', 600)", "[" * 600 + "]" * 600),
    ("(repeat('[', 600) || repeat(']', 600))::json", "[" * 600 + "]" * 600),
    ("'{1,2}'::int[]", [1, 2]),
    ("'{{1,2},{3,4}}'::int[]", [[1, 2], [3, 4]]),
    ("'\\x00ff'::bytea", "left out: binary data"),
    ("'101'::bit(3)", "101"),
    ("'(1,2)'::point", "(1,2)"),
    ("'<a/>'::xml", "<a/>"),
    ("'a b'::tsvector", "'a' 'b'"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "expected"), EXPECTED, ids=lambda value: str(value)[:40])
def test_a_value(postgresql: Database, sql: str, expected: Json) -> None:
    query = f"SELECT 1 AS id, {sql} AS value"

    (row,) = postgresql.source(query=query, cursor=("id",), zone=ZoneInfo("Europe/Berlin"))

    assert row.event
    traits = row.event["traits"]
    assert isinstance(traits, dict)
    if isinstance(expected, str) and expected.startswith("left out"):
        assert "value" not in traits
        _, _, reason = expected.partition(": ")
        assert postgresql.notes == (
            [f"warehouse: column value holds {reason}, which is left out"] if reason else []
        )
    else:
        assert traits["value"] == expected
        assert type(traits["value"]) is type(expected)
        assert postgresql.notes == []


CURSORS = [
    ("timestamptz", "'2026-01-01 10:00:00.000001+00'", "'2026-01-01 10:00:00.000002+00'"),
    ("timestamp", "'2026-01-01 10:00:00.000001'", "'2026-01-01 10:00:00.000002'"),
    ("date", "'0044-03-15 BC'", "'2026-01-01'"),
    ("numeric", "0.10000000000000000000000001", "0.10000000000000000000000002"),
    ("float8", "0.1::float8 + 0.2", "0.30000000000000010"),
    ("real", "0.1", "0.10000001"),
    ("bigint", "9223372036854775806", "9223372036854775807"),
    ("smallint", "-32768", "-32767"),
    ("uuid", "'6ecd8c99-4036-403d-bf84-cf8400f67836'", "'6ecd8c99-4036-403d-bf84-cf8400f67837'"),
    ("char(3)", "'a'", "'b'"),
    ("text COLLATE \"C\"", "'B'", "'a'"),
    ("bytea", "'\\x00'", "'\\x01'"),
    ("inet", "'10.0.0.1'", "'10.0.0.2'"),
    ("interval", "'29 days'", "'1 month 1 day'"),
    ("boolean", "false", "true"),
    ("mood", "'sad'", "'glad'"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "first", "second"), CURSORS)
def test_a_run_continues_exactly_after_a_value_of_any_type(
    postgresql: Database, kind: str, first: str, second: str
) -> None:
    postgresql.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
    postgresql.execute(f"CREATE TABLE t (at {kind} NOT NULL, name text NOT NULL)")
    postgresql.execute(f"INSERT INTO t VALUES ({first}, 'a'), ({first}, 'b'), ({second}, 'a'), ({second}, 'b')")
    source = postgresql.source(table="t", cursor=("at", "name"))
    rows = list(source)

    assert len(rows) == 4
    for done, row in enumerate(rows, start=1):
        assert list(source.starting_at(row.position)) == rows[done:]
    again = list(source.starting_at(source.next_start(rows[-1].position)))
    assert [row.event for row in again] in ([], [row.event for row in rows][-len(again) :])


def test_infinite_times_are_reported_and_never_become_the_mark(postgresql: Database) -> None:
    postgresql.execute("CREATE TABLE t (id int, at timestamptz)")
    postgresql.execute(
        "INSERT INTO t VALUES (1, '2026-01-01'), (2, 'infinity'), (3, '-infinity'), (4, '9999-01-01')"
    )
    source = postgresql.source(table="t", cursor=("at", "id"))

    (row,) = source
    assert postgresql.notes == [
        "warehouse: 2 rows have infinity in at: not read",
        "warehouse: 1 row has at in the future: read when it has come",
    ]
    postgresql.execute("INSERT INTO t VALUES (5, '2026-01-02')")
    assert len(list(source.starting_at(source.next_start(row.position)))) == 2


def test_a_long_table_needs_an_index(postgresql: Database) -> None:
    postgresql.execute("CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL)")
    postgresql.execute("INSERT INTO t SELECT i, '2026-01-01' FROM generate_series(1, 40000) i")
    postgresql.execute("ANALYZE t")
    source = postgresql.source(table="t", cursor=("at", "id"))

    row = next(iter(source))
    assert postgresql.notes == ["warehouse: each page sorts all rows: an index helps, CREATE INDEX ON t (at, id)"]
    assert 1 / 50_000 < (source.share(row.position) or 0) < 1 / 30_000

    postgresql.notes.clear()
    postgresql.execute("CREATE INDEX ON t (at, id)")
    next(iter(source))
    assert postgresql.notes == []
