"""The rows of a table or query become events, in the order of the cursor, and each has its place."""

from dataclasses import replace

import pytest

from sfmap.engine.sources.event_source import START, SourceFailed
from sfmap.engine.sources.reading import read_event

from .conftest import Database, ids

TABLE = """\
CREATE TABLE people (id integer PRIMARY KEY, updated_at timestamp NOT NULL, email varchar(80), refused integer)"""
CURSOR = ("updated_at", "id")


def people(database: Database, *rows: tuple[int, str]) -> None:
    database.execute(TABLE)
    for number, updated in rows:
        database.execute("INSERT INTO people VALUES (?, ?, ?, NULL)", number, updated, f"p{number}@b.example")


def test_rows_come_in_the_order_of_the_cursor(database: Database) -> None:
    people(database, (3, "2026-01-01 10:00:00"), (1, "2026-01-01 11:00:00"), (2, "2026-01-01 10:00:00"))

    rows = list(database.source(table="people", cursor=CURSOR))

    assert ids(rows) == [2, 3, 1]
    assert [row.number for row in rows] == [row.line for row in rows] == [1, 2, 3]
    assert rows[0].place.startswith("warehouse[2026-01-01")
    assert rows[0].place.endswith(", 2]")
    assert {row.file for row in rows} == {"warehouse"}
    assert database.notes == []


def test_a_row_is_an_event_that_can_be_read_again(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"))

    (row,) = database.source(table="people", cursor=CURSOR)

    assert row.event
    assert read_event(row.raw) == (row.event, "")
    traits = row.event["traits"]
    assert isinstance(traits, dict)
    assert "refused" not in traits
    assert traits["email"] == "p1@b.example"


def test_what_the_shape_refuses_is_an_event_that_cannot_be_read(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"))
    database.execute("UPDATE people SET refused = 1")

    (row,) = database.source(table="people", cursor=CURSOR)

    assert (row.event, row.problem) == (None, "refused by the shape")


def test_a_query_is_read_like_a_table(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"), (2, "2026-01-01 10:00:00"), (3, "2026-01-01 10:00:00"))
    query = "SELECT id, updated_at FROM people WHERE email LIKE 'p%' AND email <> ':x' AND id > 1 -- x"

    rows = list(database.source(query=query, cursor=CURSOR))

    assert ids(rows) == [2, 3]


def test_a_semicolon_ends_a_query(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"))

    assert len(list(database.source(query="SELECT * FROM people ;\n", cursor=CURSOR))) == 1


def test_a_table_without_a_cursor_is_read_as_a_whole_by_its_primary_key(database: Database) -> None:
    people(database, (2, "2026-01-01 10:00:00"), (1, "2026-01-02 10:00:00"))
    source = database.source(table="people")

    rows = list(source)

    assert ids(rows) == [1, 2]
    assert not source.remembers
    assert source.next_start(rows[-1].position) == START
    assert {row.repeat_key for row in rows} == {""}


def test_pages_end_anywhere_without_a_row_lost_or_doubled(database: Database) -> None:
    people(database, *((number, "2026-01-01 10:00:00") for number in range(1, 11)))
    source = database.source(table="people", cursor=CURSOR)

    for rows_of_page in range(1, 13):
        assert ids(list(replace(source, rows_of_page=rows_of_page))) == list(range(1, 11))


def test_pages_are_halved_when_they_are_too_large(database: Database) -> None:
    people(database, *((number, "2026-01-01 10:00:00") for number in range(1, 21)))
    source = replace(database.source(table="people", cursor=CURSOR), bytes_of_page=400)

    assert ids(list(source)) == list(range(1, 21))


def test_a_run_continues_after_any_row(database: Database) -> None:
    people(database, *((number, f"2026-01-01 10:00:{number // 3:02}") for number in range(1, 8)))
    source = database.source(table="people", cursor=CURSOR)
    rows = list(source)

    for done, row in enumerate(rows, start=1):
        rest = list(source.starting_at(row.position))
        assert rest == rows[done:]


def test_the_share_of_the_rows_that_is_read(database: Database) -> None:
    people(database, *((number, "2026-01-01 10:00:00") for number in range(1, 5)))
    if not database.is_sqlite:
        database.execute("ANALYZE people")
    source = database.source(table="people", cursor=CURSOR)

    shares = [source.share(row.position) for row in source]

    assert shares == ([None] * 4 if "SQLAlchemy" in database.kind else [0.25, 0.5, 0.75, 1.0])


def test_a_continued_run_ends_where_it_would_have_ended(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"), (2, "2026-01-01 10:00:01"))
    source = database.source(table="people", cursor=CURSOR)
    first = next(iter(source))
    database.execute("INSERT INTO people VALUES (3, '2026-01-01 10:00:02', NULL, NULL)")

    assert ids(list(source.starting_at(first.position))) == [2]


@pytest.mark.parametrize(("overlap", "found"), [(0.0, [2, 4]), (5.0, [6, 2, 4]), (10.0, [3, 6, 2, 4])])
def test_the_next_run_finds_rows_that_are_late_by_the_overlap(
    database: Database, overlap: float, found: list[int]
) -> None:
    people(database, (1, "2026-01-01 10:00:00"), (3, "2026-01-01 10:00:10"), (2, "2026-01-01 10:00:20"))
    source = database.source(table="people", cursor=CURSOR, overlap=overlap)
    rows = list(source)
    assert ids(rows) == [1, 3, 2]
    database.execute("INSERT INTO people VALUES (4, '2026-01-01 10:00:30', NULL, NULL)")
    database.execute("INSERT INTO people VALUES (5, '2026-01-01 10:00:09.999', NULL, NULL)")
    database.execute("INSERT INTO people VALUES (6, '2026-01-01 10:00:15', NULL, NULL)")

    start = source.next_start(rows[-1].position)
    again = list(source.starting_at(start))

    assert ids(again) == found
    assert again[0].number == 1
    assert source.next_start(start) == start


def test_a_repeat_is_recognized_and_a_change_is_none(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"), (2, "2026-01-01 10:00:00"))
    source = database.source(table="people", cursor=CURSOR)
    rows = list(source)
    database.execute("UPDATE people SET email = 'new@b.example' WHERE id = 2")

    again = list(source.starting_at(source.next_start(rows[-1].position)))

    assert ids(again) == [1, 2]
    assert again[0].repeat_key == rows[0].repeat_key != ""
    assert again[1].repeat_key != rows[1].repeat_key
    assert again[0].event == rows[0].event


def test_sources_of_other_names_have_other_repeats(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"))
    source = database.source(table="people", cursor=CURSOR)

    assert {row.repeat_key for row in source}.isdisjoint(row.repeat_key for row in replace(source, name="other"))


def test_a_number_as_cursor_has_an_overlap_in_its_own_unit(database: Database) -> None:
    people(database, *((number, "2026-01-01 10:00:00") for number in (1, 2, 3, 5)))
    source = database.source(table="people", cursor=("id",), overlap=2)
    rows = list(source)
    database.execute("INSERT INTO people VALUES (4, '2026-01-01 10:00:00', NULL, NULL)")

    assert ids(list(source.starting_at(source.next_start(rows[-1].position)))) == [3, 4, 5]


def test_text_as_cursor_has_no_overlap_and_says_so(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"), (2, "2026-01-01 10:00:00"))
    database.execute("INSERT INTO people VALUES (8, '2026-01-01 10:00:00', NULL, NULL)")
    source = database.source(table="people", cursor=("email",))
    rows = list(source)
    database.execute("INSERT INTO people VALUES (3, '2026-01-01 10:00:00', 'p3@b.example', NULL)")
    database.execute("INSERT INTO people VALUES (9, '2026-01-01 10:00:00', NULL, NULL)")
    database.notes.clear()

    assert ids(list(source.starting_at(source.next_start(rows[-1].position)))) == [3]
    assert (
        "warehouse: email is neither time nor number, so overlap does nothing: late rows are missed"
        in database.notes
    )


def test_rows_without_a_cursor_are_reported(database: Database) -> None:
    database.execute("CREATE TABLE people (id integer NOT NULL, updated_at timestamp)")
    database.execute("INSERT INTO people VALUES (1, NULL), (2, '2026-01-01 10:00:00'), (3, NULL)")

    assert ids(list(database.source(table="people", cursor=CURSOR))) == [2]
    assert database.notes == ["warehouse: 2 rows have NULL in updated_at or id: not read"]


def test_rows_of_the_future_wait_until_it_has_come(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"), (2, "9998-01-01 10:00:00"))
    source = database.source(table="people", cursor=CURSOR)
    (row,) = source

    assert ids([row]) == [1]
    assert database.notes == ["warehouse: 1 row has updated_at in the future: read when it has come"]
    database.execute("INSERT INTO people VALUES (3, '2026-01-01 10:00:05', NULL, NULL)")
    assert ids(list(source.starting_at(source.next_start(row.position)))) == [1, 3]


def test_an_empty_table_has_no_events(database: Database) -> None:
    people(database)
    source = database.source(table="people", cursor=CURSOR)

    assert list(source) == []
    assert source.next_start(START) == START
    assert source.columns() == ("id", "updated_at", "email", "refused")


def test_a_position_belongs_to_its_table_and_cursor(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"))
    source = database.source(table="people", cursor=CURSOR)
    (row,) = source
    other = database.source(table="people", cursor=("id",))

    assert source.is_unchanged_up_to(START)
    assert source.is_unchanged_up_to(row.position)
    assert not other.is_unchanged_up_to(row.position)
    assert other.next_start(row.position) == START
    with pytest.raises(SourceFailed, match="cursor have changed since the last run: --restart reads all rows"):
        list(other.starting_at(row.position))


def test_names_are_quoted(database: Database) -> None:
    database.execute('CREATE TABLE "Order Lines" ("select" integer PRIMARY KEY, "per%cent:x" integer)')
    database.execute('INSERT INTO "Order Lines" VALUES (1, 2)')

    (row,) = database.source(table="Order Lines", cursor=("select",))

    assert row.event
    assert row.event["traits"] == {"select": 1, "per%cent:x": 2}


def test_the_shape_gets_the_identity_that_repeats_are_recognized_by(database: Database) -> None:
    people(database, (1, "2026-01-01 10:00:00"))

    (row,) = database.source(table="people", cursor=CURSOR)

    assert row.event
    assert row.event["messageId"] == row.repeat_key
