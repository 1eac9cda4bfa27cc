"""Types, lengths and characters: what a field gets of a value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.mapping.record import Value
from sfmap.engine.mapping.values import Unfit, clean_text, convert, cut, length
from sfmap.engine.spec.model import ValueType

CONVERTED: list[tuple[ValueType | None, Value, Value]] = [
    (None, 5, 5),
    (None, True, True),
    ("string", 813, "813"),
    ("string", 813.0, "813"),
    ("string", 1.5, "1.5"),
    ("string", True, "true"),
    ("integer", "4", 4),
    ("integer", " 4.0 ", 4),
    ("integer", 4.0, 4),
    ("number", "1.5", 1.5),
    ("number", "12", 12),
    ("boolean", "Yes", True),
    ("boolean", 0, False),
    ("date", "2026-11-23", "2026-11-23"),
    ("date", "2026-11-23T22:00:00-08:00", "2026-11-23"),
    ("datetime", "2026-11-23T22:00:00-08:00", "2026-11-24T06:00:00.000Z"),
    ("datetime", "2026-11-23T22:00:00.123456Z", "2026-11-23T22:00:00.123Z"),
    ("datetime", "2026-11-23", "2026-11-23T00:00:00.000Z"),
    ("email", " a@b.co ", "a@b.co"),
    ("phone", 5551234, "5551234"),
    ("picklist", " Hot ", "Hot"),
    ("id", "00Q000000000001", "00Q000000000001EAA"),
]

UNFIT: list[tuple[ValueType | None, Value]] = [
    (None, float("inf")),
    (None, 10**18),
    ("integer", "1,000"),
    ("integer", 1.5),
    ("integer", True),
    ("integer", 2**31),
    ("number", "$5"),
    ("number", "1e5"),
    ("boolean", "maybe"),
    ("date", "23.11.2026"),
    ("date", 20261123),
    ("datetime", "0001-01-01T00:00:00+14:00"),
    ("email", "a@b"),
    ("email", "a b@c.co"),
    ("id", "00Q"),
]


@pytest.mark.parametrize(("type_", "value", "converted"), CONVERTED)
def test_convert(type_: ValueType | None, value: Value, converted: Value) -> None:
    result = convert(value, type_)
    assert (result, type(result)) == (converted, type(converted))


@pytest.mark.parametrize(("type_", "value"), UNFIT)
def test_unfit(type_: ValueType | None, value: Value) -> None:
    with pytest.raises(Unfit):
        convert(value, type_)


CUTS = [
    ("plain", 3, "pla"),
    ("e\u0301e\u0301", 3, "e\u0301"),
    ("\U0001f44d\U0001f44d", 3, "\U0001f44d"),
    ("ab\U0001f1e9\U0001f1ea", 4, "ab"),
    ("a\r\n", 2, "a"),
]


@pytest.mark.parametrize(("text", "longest", "expected"), CUTS)
def test_cut(text: str, longest: int, expected: str) -> None:
    assert cut(text, longest) == expected


@given(st.text(max_size=60), st.integers(1, 50))
def test_a_cut_is_a_beginning_that_fits(text: str, longest: int) -> None:
    shortened = cut(text, longest)
    assert text.startswith(shortened)
    assert length(shortened) <= longest
    if length(text) <= longest:
        assert shortened == text


def test_clean_text() -> None:
    assert clean_text("a\x00b\x1fc\td\n\ufffe\ud83d") == "abc\td\n\ufffd"


@given(st.text(max_size=50))
def test_clean_text_can_go_into_xml(text: str) -> None:
    from lxml import etree

    element = etree.Element("a")
    element.text = clean_text(text)
    assert (element.text or "") == clean_text(text)
