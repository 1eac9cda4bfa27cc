"""Types, lengths and characters: how a value is converted for a field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.language.model import ValueType
from sfmap.engine.mapping.values.record import Value
from sfmap.engine.mapping.values.values import Unfit, clean_text, convert, cut, length

CONVERTED: list[tuple[ValueType | None, Value, Value]] = [
    (None, 5, 5),
    (None, True, True),
    ("string", 813, "813"),
    ("string", 813.0, "813"),
    ("string", 1.5, "1.5"),
    ("integer", "4", 4),
    ("integer", " 4.0 ", 4),
    ("integer", 4.0, 4),
    ("number", "1.5", 1.5),
    ("number", "12", 12),
    ("number", "$1,200.50", 1200.5),
    ("number", "1,000", 1000),
    ("number", "1,234,567.8", 1234567.8),
    ("number", "12,34,567", 1234567),
    ("number", "1 234 567", 1234567),
    ("number", "1\u202f234.5", 1234.5),
    ("number", "CHF 1'200.50", 1200.5),
    ("number", "1200 EUR", 1200),
    ("number", "US$5", 5),
    ("number", "-$5", -5),
    ("number", "€ -5", -5),
    ("number", "\u22125", -5),
    ("integer", "1,000", 1000),
    ("integer", "1,000.00", 1000),
    ("boolean", "Yes", True),
    ("boolean", " T ", True),
    ("boolean", "on", True),
    ("boolean", "y", True),
    ("boolean", 1, True),
    ("boolean", 0, False),
    ("boolean", "off", False),
    ("boolean", "N", False),
    ("boolean", "f", False),
    ("date", "2026-11-23", "2026-11-23"),
    ("date", "2026-11-23T22:00:00-08:00", "2026-11-23"),
    ("datetime", "2026-11-23T22:00:00-08:00", "2026-11-24T06:00:00.000Z"),
    ("datetime", "2026-11-23T22:00:00.123456Z", "2026-11-23T22:00:00.123Z"),
    ("datetime", "2026-11-23", "2026-11-23T00:00:00.000Z"),
    ("date", "1700-01-01", "1700-01-01"),
    ("date", "4000-12-31", "4000-12-31"),
    ("date", 1795476600, "2026-11-23"),
    ("date", "1795476600000", "2026-11-23"),
    ("datetime", 1795476600, "2026-11-23T23:30:00.000Z"),
    ("time", "9:30", "09:30:00.000Z"),
    ("time", "9:30 AM", "09:30:00.000Z"),
    ("time", "12:00 am", "00:00:00.000Z"),
    ("time", "12 p.m.", "12:00:00.000Z"),
    ("time", "21:30:15.12345Z", "21:30:15.123Z"),
    ("time", "09:30:00+02:00", "09:30:00.000Z"),
    ("time", "2026-11-23T09:30:00-05:00", "09:30:00.000Z"),
    ("email", " a@b.co ", "a@b.co"),
    ("phone", 5551234, "5551234"),
    ("picklist", " Hot ", "Hot"),
    ("id", "00Q000000000001", "00Q000000000001EAA"),
]

UNFIT: list[tuple[ValueType | None, Value]] = [
    (None, float("inf")),
    ("number", 10**18),
    ("number", 1e300),
    ("integer", "1,000.50"),
    ("integer", "1,00"),
    ("integer", "11-50"),
    ("integer", 1.5),
    ("integer", True),
    ("string", True),
    ("phone", False),
    ("url", False),
    ("picklist", True),
    ("email", False),
    ("integer", 2**31),
    ("number", "1,00"),
    ("number", "1,0000"),
    ("number", "0,123"),
    ("number", "1.234,56"),
    ("number", "1,234'567"),
    ("number", "SKU 123"),
    ("number", "--5"),
    ("number", "-$-5"),
    ("number", "$"),
    ("number", "45%"),
    ("number", "1e5"),
    ("boolean", "maybe"),
    ("date", "23.11.2026"),
    ("date", 20261123),
    ("date", "20/11/2026"),
    ("date", "0001-01-01"),
    ("date", "1699-12-31"),
    ("date", "4001-01-01"),
    ("date", True),
    ("date", 1e300),
    ("datetime", "0001-01-01T00:00:00Z"),
    ("datetime", "0001-01-01T00:00:00+14:00"),
    ("datetime", "4000-12-31T23:00:00-05:00"),
    ("time", "25:00:00"),
    ("time", "9:60"),
    ("time", "13:00 PM"),
    ("time", "0 AM"),
    ("time", "9"),
    ("time", "2026-11-23"),
    ("time", 930),
    ("email", "a@b"),
    ("email", "a b@c.co"),
    ("id", "00Q"),
]


@pytest.mark.parametrize(("type_", "value", "converted"), CONVERTED)
def test_a_value_is_converted_to_its_type(type_: ValueType | None, value: Value, converted: Value) -> None:
    result = convert(value, type_)
    assert (result, type(result)) == (converted, type(converted))


@pytest.mark.parametrize(("type_", "value"), UNFIT)
def test_a_value_that_does_not_fit_its_type_is_an_error(type_: ValueType | None, value: Value) -> None:
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
def test_text_is_cut_between_characters(text: str, longest: int, expected: str) -> None:
    assert cut(text, longest) == expected


@given(st.text(max_size=60), st.integers(1, 50))
def test_cut_text_is_a_beginning_that_fits(text: str, longest: int) -> None:
    shortened = cut(text, longest)
    assert text.startswith(shortened)
    assert length(shortened) <= longest
    if length(text) <= longest:
        assert shortened == text


def test_invalid_characters_are_removed() -> None:
    assert clean_text("a\x00b\x1fc\td\n\ufffe\ud83d") == "abc\td\n\ufffd"


@given(st.text(max_size=50))
def test_clean_text_is_valid_in_xml(text: str) -> None:
    from lxml import etree

    element = etree.Element("a")
    element.text = clean_text(text)
    assert (element.text or "") == clean_text(text)
