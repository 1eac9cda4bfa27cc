"""JSON that is not line by line: every object is found, each with where it begins and ends."""

import io
import json
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.mapping.values.record import Json
from sfmap.engine.sources.formats import text_window
from sfmap.engine.sources.formats.json_objects import JsonObjects
from sfmap.engine.sources.reading import LONGEST_LINE
from sfmap.engine.sources.rows import FileDamaged, SourceRow

from ...steps import steps

CUT = "ends in the middle of what begins on line {}, at byte {} (was the file cut short?)"
CUT_BATCH = "ends in the middle of the batch that begins on line {}, at byte {} (was the file cut short?)"
NO_BATCH = "has a batch that is not JSON, on line 1"
OPEN = "ends before its list of events does (was the file cut short?)"
OTHER = "has something else after its list of events, on line {}"
NO_OBJECT = "{} instead of an event (a JSON object)"
NO_VALUE = "not JSON: Expecting value, column 1"
ONE, TWO = {"a": 1}, {"b": {"c": "}"}}

FILES: dict[str, tuple[list[object], str]] = {
    "": ([], ""),
    " \n": ([], ""),
    "\ufeff[]": ([], ""),
    '[{"a":1}]': ([ONE], ""),
    '[\n  {"a": 1},\n  {"b": {"c": "}"}}\n]\n': ([ONE, TWO], ""),
    '[{"a":1},]': ([ONE], ""),
    '[{"a":1}{"b":{"c":"}"}}]': ([ONE, TWO], ""),
    '{"a":1}{"b":{"c":"}"}}': ([ONE, TWO], ""),
    '{\n"a":\n1\n}\n{"a":1},\n{"a":1}': ([ONE, ONE, ONE], ""),
    '\ufeff{"a":1}\n\ufeff{"a":1}': ([ONE, ONE], ""),
    '[{"a":1}]\n[{"a":1}]': ([ONE, ONE], ""),
    '{"batch":[{"a":1},{"b":{"c":"}"}}],"x":"]}"}': ([ONE, TWO], ""),
    '{"x":{"batch":[{}]}, "y": "batch", "batch" : [ {"a":1} ] }\n{"batch":[{"a":1}]}': ([ONE, ONE], ""),
    '{"batch":[]}': ([], ""),
    '{"type":"identify","batch":[{"a":1}]}': ([{"type": "identify", "batch": [ONE]}], ""),
    '{"batch":{"a":1}}': ([{"batch": ONE}], ""),
    '{"x":"batch","y":[{"a":1}]}': ([{"x": "batch", "y": [ONE]}], ""),
    # the fields of a batch are its events', before or after its list
    '{"batch":[{"a":1},{"context":{"ip":"2"}}],"context":{"ip":"1","x":{}},"integrations":{"S":true},"more":1}': (
        [
            {"a": 1, "context": {"ip": "1", "x": {}}, "integrations": {"S": True}},
            {"context": {"ip": "2", "x": {}}, "integrations": {"S": True}},
        ],
        "",
    ),
    '{"sentAt":"s","batch":[{"sentAt":"t"},\n1]}\n{"batch":[{"a":1}]}\n{"batch":[{"a":1}],"sentAt":"u"}': (
        [{"sentAt": "t"}, NO_OBJECT.format("a number"), ONE, {"a": 1, "sentAt": "u"}],
        "",
    ),
    # what is no event is an unreadable row, and the rest is read
    '[1, "a,b", null, [{"a":1}], {"a":1}]': (
        [
            NO_OBJECT.format("a number"),
            NO_OBJECT.format("a text"),
            NO_OBJECT.format("null"),
            NO_OBJECT.format("a list") + "; write each event on one line",
            ONE,
        ],
        "",
    ),
    '{"a":1} oops {"a":1}}{"a":1}]': ([ONE, NO_VALUE, ONE, NO_VALUE, ONE, NO_VALUE], ""),
    '[{"a":}, {"a":1}, {a:"}"}, {"a":1}]': (
        [
            "not JSON: Expecting value, column 6",
            ONE,
            "not JSON: Expecting property name enclosed in double quotes, column 2",
            ONE,
        ],
        "",
    ),
    '{"a":NaN}\n{"a":1}': (["not JSON: NaN is not a JSON number", ONE], ""),
    # what is cut short
    "[": ([], OPEN),
    '[{"a":1}': ([ONE], OPEN),
    '[{"a":1},\n {"a":1': ([ONE], CUT.format(2, 11)),
    '{"a":1}\n{"a":"}': ([ONE], CUT.format(2, 8)),
    '{"a":1}\n{"a":{"a":1}': ([ONE], CUT.format(2, 8)),
    '{"batch":[{"a":1}': ([], CUT_BATCH.format(1, 0)),
    '{"batch":[{"a":1}]': ([], CUT_BATCH.format(1, 0)),
    '{"batch":[{"a":1}]}\n{"batch":[{"a":1}]': ([ONE], CUT_BATCH.format(2, 20)),
    '{"batch":[{"a":1}], oops}': (
        [],
        NO_BATCH + " (not JSON: Expecting property name enclosed in double quotes, column 14)",
    ),
    '{"batch":[{"a":1}}': ([], CUT_BATCH.format(1, 0)),
    '{"batch":[{"a":1}}}': ([], NO_BATCH),
    # what follows a list
    '[{"a":1}]\n{"a":1}': ([ONE], OTHER.format(2)),
    '{"batch":[{"a":1}]}\n\n{"a":1}': ([ONE], OTHER.format(3)),
    '{"batch":[{"a":1}]}\n[{"a":1}]': ([ONE], OTHER.format(2)),
    '[{"a":1}] x': ([ONE], OTHER.format(1)),
}


def read(data: bytes, offset: int = 0) -> tuple[list[SourceRow], str]:
    rows = []
    try:
        for row in JsonObjects().rows(io.BytesIO(data), offset):
            rows.append(row)  # noqa: PERF402 - what came before the damage counts
    except FileDamaged as damage:
        return rows, damage.message
    return rows, ""


@pytest.fixture(params=[1, 3, 256 * 1024])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_window, "WINDOW", request.param)


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize("text", FILES)
def test_objects_are_read(text: str) -> None:
    rows, damage = read(text.encode())
    assert ([row.values or row.problem for row in rows], damage) == FILES[text]
    check(text.encode(), rows, damage, is_batch="batch" in text)


def check(data: bytes, rows: list[SourceRow], damage: str, *, is_batch: bool = False) -> None:
    """Each row knows its place, and reading continues after it."""
    for count, row in enumerate(rows, 1):
        if data[: row.end].endswith(row.raw):
            assert row.line == data[: row.end - len(row.raw)].count(b"\n") + 1
        else:
            assert (json.loads(row.raw), is_batch) == (row.values, True)
        assert read(data, row.end) == (rows[count:], damage)


TEXT = st.text(st.sampled_from('{}[]",\\:ab\n\u00e4😀'), max_size=8)
VALUE: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=9,
)
OBJECT = st.dictionaries(TEXT, VALUE, max_size=4)
INDENT = st.sampled_from([None, 0, 1, 4])


@given(
    objects=st.lists(OBJECT, max_size=6),
    indent=INDENT,
    is_ascii=st.booleans(),
    shape=st.sampled_from(["array", "batch", "bare"]),
    between=st.sampled_from(["", "\n", "\r\n", " ", ",\n"]),
    size=st.sampled_from([1, 2, 7, 64, 2**18]),
)
def test_any_objects_are_read_in_any_layout(
    objects: list[dict[str, Json]], indent: int | None, is_ascii: bool, shape: str, between: str, size: int
) -> None:
    if shape == "bare":
        text = between.join(json.dumps(one, indent=indent, ensure_ascii=is_ascii) for one in objects)
    else:
        whole = objects if shape == "array" else {"sentAt": "{[", "batch": objects, "context": {"a": "]"}}
        text = json.dumps(whole, indent=indent, ensure_ascii=is_ascii)
    data = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_window, "WINDOW", size)
        rows, damage = read(data)
        common = {"sentAt": "{[", "context": {"a": "]"}} if shape == "batch" else {}
        assert (damage, [row.values for row in rows]) == ("", [{**common, **one} for one in objects])
        check(data, rows, damage, is_batch=shape == "batch")


@given(st.lists(OBJECT, min_size=1, max_size=4), INDENT, st.data())
def test_a_cut_list_gives_all_whole_objects_and_then_says_so(
    objects: list[Json], indent: int | None, data: st.DataObject
) -> None:
    whole = json.dumps(objects, indent=indent).encode()
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    rows, damage = read(cut)
    assert damage
    assert [row.values for row in rows if row.values is not None] == objects[: len(rows)]
    for row in rows:
        assert row.values is not None or row.problem


@given(st.text(st.sampled_from('{}[]",\\: a1\n'), max_size=24).map(str.encode), st.sampled_from([1, 5, 2**18]))
def test_nothing_is_lost_of_any_text(data: bytes, size: int) -> None:
    """Each byte is in a row, or separates rows, or there is damage; and small windows change nothing."""
    with pytest.MonkeyPatch.context() as patch:
        expected = read(data)
        patch.setattr(text_window, "WINDOW", size)
        rows, damage = read(data)
    assert (rows, damage) == expected
    check(data, rows, damage)
    if not damage and not data.lstrip(b" \n,").startswith((b"[", b"{")):
        left, begin = b"", 0
        for row in rows:
            left += data[begin : row.end - len(row.raw)]
            begin = row.end
        assert not (left + data[begin:]).strip(b" \n,")


def test_an_object_over_the_limit_is_one_unreadable_row() -> None:
    long = b'{"a":"' + b"}" * (LONGEST_LINE + 5_000_000) + b'"}'
    for data in (b'[{"a":1},' + long + b',{"a":2}]', b'{"a":1}' + long + b'\n{"a":2}'):
        (first, middle, last), damage = read(data)
        assert (first.values, last.values, damage) == ({"a": 1}, {"a": 2}, "")
        assert (middle.values, middle.problem) == (None, "longer than 64 MiB")
        assert len(middle.raw) == LONGEST_LINE + 1


def large(inner: str) -> Iterator[bytes]:
    """Objects of very different sizes, made to be hard."""
    dice = Random(5)
    for number in range(400):
        text = inner * dice.choice([1, 1, 1, 300, 20_000])
        yield json.dumps({"n": number, "text": text, "x": {"y": [{"z": {}}]}}).encode()


@pytest.mark.parametrize("inner", ["{", "}", "}{", '"', "\\", "ab"])
def test_reading_twice_as_much_takes_twice_the_steps(inner: str) -> None:
    objects = list(large(inner))
    once = _lines_run(b"[" + b",".join(objects) + b"]", 400)
    twice = _lines_run(b"[" + b",".join(objects + objects) + b"]", 800)
    assert twice <= 2.1 * once


def _lines_run(data: bytes, expected: int) -> int:
    """How many lines of Python run while so many objects are read."""

    def work() -> None:
        rows = list(JsonObjects().rows(io.BytesIO(data)))
        assert len([row for row in rows if row.values]) == expected

    return steps(work)
