"""NDJSON: the events of a file, each with where it ends."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.sources.formats.json_lines import JsonLines
from sfmap.engine.sources.reading import LONGEST_LINE

FILES = {
    "": [],
    "\n \r\n\t\n": [],
    '{"a":1}': [(7, 1, "")],
    '{"a":1}\n{"a":2}\n': [(8, 1, ""), (16, 2, "")],
    '\ufeff{"a":1}\r\n\r\n{"a":2}': [(12, 1, ""), (21, 3, "")],
    '{"a":1}\r{"a":2}\n': [(16, 1, "not JSON: Extra data, line 2, column 1")],
    "[1]\n{\nnull\n{}": [
        (4, 1, "a list instead of an event (a JSON object); write each event on one line"),
        (6, 2, "not JSON: write each event on one line"),
        (11, 3, "null instead of an event (a JSON object)"),
        (13, 4, ""),
    ],
}


@pytest.mark.parametrize("text", FILES)
def test_each_line_is_an_event(text: str) -> None:
    data = text.encode()
    rows = list(JsonLines().rows(io.BytesIO(data)))
    expected = [(end, line, re.sub(r"Extra data.*", "Extra data", problem)) for end, line, problem in FILES[text]]
    assert [(row.end, row.line, re.sub(r"Extra data.*", "Extra data", row.problem)) for row in rows] == expected
    for row in rows:
        assert (row.values is None) == bool(row.problem)
        assert data[: row.end].endswith(row.raw)


def test_a_line_over_the_limit_is_one_unreadable_row() -> None:
    data = b'{"a":1}\n' + b"x" * (LONGEST_LINE + 3_000_000) + b'\n{"a":2}\n'
    first, long, last = JsonLines().rows(io.BytesIO(data))
    assert (first.values, last.values, last.line, last.end) == ({"a": 1}, {"a": 2}, 3, len(data))
    assert (long.values, long.problem, long.end) == (None, "longer than 64 MiB", len(data) - 8)
    assert len(long.raw) == LONGEST_LINE + 1


LINE = st.one_of(
    st.sampled_from([b'{"a":1}', b"", b" ", b"[]", b"{", b'{"b":"\xc3\xa4"}', b"\xef\xbb\xbf{}", b"\xff"]),
    st.binary(max_size=9).map(lambda data: data.replace(b"\n", b"")),
)


@given(st.lists(LINE, max_size=9), st.sampled_from([b"\n", b"\r\n"]))
def test_every_row_can_be_continued_after(lines: list[bytes], ending: bytes) -> None:
    data = ending.join(lines)
    rows = list(JsonLines().rows(io.BytesIO(data)))
    for count, row in enumerate(rows, 1):
        assert list(JsonLines().rows(io.BytesIO(data), row.end, row.line)) == rows[count:]


def test_the_hint_is_said_once() -> None:
    rows = JsonLines(hint="is this CSV?").rows(io.BytesIO(b"email\na@b.co\n"))
    assert [row.problem for row in rows] == [
        "not JSON: Expecting value, column 1; is this CSV?",
        "not JSON: Expecting value, column 1",
    ]


WHOLE = st.integers(-(10**25), 10**25) | st.sampled_from([-(10**19) + 1, -(2**63) - 1, 2**64, 10**19])
BLANKS = st.text(" \t\r", max_size=2)


@given(st.lists(st.tuples(BLANKS, WHOLE, BLANKS), min_size=1, max_size=3))
def test_a_number_keeps_all_its_digits_wherever_it_stands(numbers: list[tuple[str, int, str]]) -> None:
    written = ",".join(f"{before}{number}{after}" for before, number, after in numbers)
    (row,) = JsonLines().rows(io.BytesIO(f'{{"a":{numbers[0][1]},"b":[{written}]}}'.encode()))
    assert row.values == {"a": numbers[0][1], "b": [number for _, number, _ in numbers]}
