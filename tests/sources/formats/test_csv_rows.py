"""CSV files: how they are written is found out, and each row knows its place."""

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.sources.formats.csv_rows import CsvRows, column_names
from sfmap.engine.sources.formats.file_shape import detect
from sfmap.engine.sources.formats.format_options import USUAL_CSV, CsvOptions, FormatOptions
from sfmap.engine.sources.reading import LONGEST_LINE
from sfmap.engine.sources.rows import FileDamaged, SourceRow

from ...steps import steps

ANN = {"email": "a@b.co", "name": "Ann"}
BOB = {"email": "b@b.co", "name": "Bob"}


def read(reader: CsvRows, data: bytes, offset: int = 0) -> tuple[list[SourceRow], str]:
    rows = []
    try:
        for row in reader.rows(io.BytesIO(data), offset):
            rows.append(row)  # noqa: PERF402 - what came before the damage counts
    except FileDamaged as damage:
        return rows, damage.message
    return rows, ""


def detected(data: bytes, options: CsvOptions = USUAL_CSV, *, is_stated: bool = False) -> CsvRows:
    found = detect(data, "a.txt", FormatOptions(format="csv" if is_stated else "", csv=options))
    assert isinstance(found, CsvRows)
    return found


def values(data: bytes, options: CsvOptions = USUAL_CSV, *, is_stated: bool = False) -> list[object]:
    """What each row holds, or why it cannot be read."""
    rows, damage = read(detected(data, options, is_stated=is_stated), data)
    return [*(row.problem or row.values for row in rows), *([damage] if damage else [])]


FILES: dict[str, list[object]] = {
    "email,name\na@b.co,Ann\nb@b.co,Bob\n": [ANN, BOB],
    "email;name\r\na@b.co;Ann\r\nb@b.co;Bob": [ANN, BOB],
    "email\tname\na@b.co\tAnn\n": [ANN],
    "email|name\na@b.co|Ann\n": [ANN],
    "\ufeffemail,name\na@b.co,Ann\n": [ANN],
    "sep=;\nemail;name\na@b.co;Ann\n": [ANN],
    '\ufeff"SEP=,"\r\nemail,name\r\na@b.co,Ann\r\n': [ANN],
    "email,name\n\n,\n a@b.co ,Ann\n": [{"email": " a@b.co ", "name": "Ann"}],
    'email,name\n"a@b.co","Ann ""A"" B,\r\nC"\nb@b.co,Bob': [{**ANN, "name": 'Ann "A" B,\r\nC'}, BOB],
    "email,name\n,Ann\na@b.co,\n": [{"name": "Ann"}, {"email": "a@b.co"}],
    'email,name\n"",Ann\n': [{"name": "Ann"}],
    "email;revenue;note\na@b.co;1.234,50;#N/A\n": [{"email": "a@b.co", "revenue": "1.234,50", "note": "#N/A"}],
    "email,,email,email\n1,2,3,4\n": [{"email": "1", "column 2": "2", "email (2)": "3", "email (3)": "4"}],
    "email,name\na@b.co,Ann\nx\n1,2,3\nb@b.co,Bob\n" + "b@b.co,Bob\n" * 12: [
        ANN,
        "1 field instead of 2",
        "3 fields instead of 2",
        *[BOB] * 13,
    ],
    'email,name\na@b.co,Ann\n"a"b,c\nb@b.co,Bob\n': [ANN, "not CSV: ',' expected after '\"'", BOB],
    'email,name\na@b.co,Ann\nb@b.co,"Bob\n': [
        ANN,
        "ends inside the quotes of the record on line 3 (was the file cut short?)",
    ],
}


@pytest.mark.parametrize("text", FILES)
def test_csv_is_recognized_and_read(text: str) -> None:
    assert values(text.encode()) == FILES[text]
    check(detected(text.encode()), text.encode())


def check(reader: CsvRows, data: bytes) -> None:
    """Each row knows its place, and reading continues after it."""
    rows, damage = read(reader, data)
    for count, row in enumerate(rows, 1):
        assert data[: row.end].endswith(row.raw)
        assert read(reader, data, row.end) == (rows[count:], damage)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_by_its_mark(encoding: str) -> None:
    text = "\ufeffemail\tname\na@b.co\tĊ\u0a0a\u0a00\u0b0a\nb@b.co\tBob\n"
    data = text.encode(encoding)
    assert values(data) == [{"email": "a@b.co", "name": "Ċ\u0a0a\u0a00\u0b0a"}, BOB]
    check(detected(data), data)
    without = data[2:]
    assert values(without, CsvOptions(encoding=encoding), is_stated=True)[1:] == [BOB]


def test_another_encoding_counts_only_where_it_is_stated() -> None:
    data = "email;name\na@b.co;Jürgen\n".encode("windows-1252")
    assert values(data, CsvOptions(encoding="windows-1252")) == [{"email": "a@b.co", "name": "Jürgen"}]


def test_a_row_that_is_not_utf_8_is_unreadable() -> None:
    data = "email,name\na@b.co,Jürgen\n".encode() + b"b@b.co,J\xfcrgen\nb@b.co,Bob\n"
    assert values(data) == [{"email": "a@b.co", "name": "Jürgen"}, "not UTF-8", BOB]


def test_options_come_first() -> None:
    data = b"a;b,c\nd;e,f\n"
    assert values(data, CsvOptions(delimiter=";")) == [{"a": "d", "b,c": "e,f"}]
    assert values(data, CsvOptions(delimiter=",", header=False)) == [
        {"column 1": "a;b", "column 2": "c"},
        {"column 1": "d;e", "column 2": "f"},
    ]
    check(CsvRows(has_header=False), data)


def test_one_column_is_read_where_csv_is_stated() -> None:
    data = b'email\na@b.co\n"b,c"\n'
    assert values(data, is_stated=True) == [{"email": "a@b.co"}, {"email": "b,c"}]
    assert detected(data, is_stated=True).columns == ("email",)


def test_the_columns_are_known_before_reading() -> None:
    assert detected(b"sep=;\nE-Mail;;E-Mail\n1;2;3\n").columns == ("E-Mail", "column 2", "E-Mail (2)")


def test_names_of_columns_are_unique() -> None:
    assert column_names(["a", "a (2)", "a", " a ", ""]) == ("a", "a (2)", "a (3)", "a (4)", "column 5")


def test_quotes_that_stay_open_end_the_reading_with_their_line() -> None:
    data = b'email,name\na@b.co,Ann\nb@b.co,"Bob\n' + b"c@b.co,Cy\n" * 200_000
    rows, damage = read(CsvRows(), data)
    assert [row.values for row in rows] == [ANN]
    assert damage == "has quotes in the record on line 3 that are not closed within 1 MiB"
    one_line = b'email,name\na@b.co,"' + b"x" * 3_000_000 + b'"\n'
    assert [len(str((row.values or {})["name"])) for row in CsvRows().rows(io.BytesIO(one_line))] == [3_000_000]


def test_a_line_over_the_limit_is_one_unreadable_row() -> None:
    data = b"email,name\na@b.co,Ann\n" + b"x" * (LONGEST_LINE + 2_000_000) + b"\nb@b.co,Bob\n"
    (first, long, last), damage = read(CsvRows(), data)
    assert (first.values, last.values, last.line, last.end, damage) == (ANN, BOB, 4, len(data), "")
    assert (long.values, long.problem, long.end) == (None, "longer than 64 MiB", len(data) - 11)


CELL = st.text(st.sampled_from('a,;"\t|\r\n ä😀{'), max_size=6)


@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=5),
    delimiter=st.sampled_from(",;\t|"),
    is_quoted=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
)
def test_what_was_written_is_read(
    rows: list[tuple[str, ...]], delimiter: str, is_quoted: bool, encoding: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL)
    writer.writerow(["x", "y", "z"])
    writer.writerows(rows)
    data = ("\ufeff" + text.getvalue()).encode(encoding)
    reader = CsvRows(delimiter=delimiter, encoding=encoding)
    expected = [{name: cell for name, cell in zip("xyz", row, strict=True) if cell} for row in rows if any(row)]
    assert [row.values for row in read(reader, data)[0]] == expected
    check(reader, data)


def test_reading_twice_as_much_takes_twice_the_steps() -> None:
    def read_rows(rows: int) -> Callable[[], object]:
        data = b"email,name\n" + b'a@b.co,"A\nB"\n' * rows

        def work() -> None:
            assert len(list(CsvRows().rows(io.BytesIO(data)))) == rows

        return work

    assert steps(read_rows(2_000)) <= 2.1 * steps(read_rows(1_000))


@pytest.mark.parametrize("header", [b'email,"na"me', b"email,n\xe4me", b"email\rname"])
def test_a_header_that_cannot_be_read_ends_the_reading(header: bytes) -> None:
    with pytest.raises(FileDamaged, match="has a header that cannot be read"):
        list(CsvRows().rows(io.BytesIO(header + b"\na@b.co,J\xc3\xa4n\n")))
