"""The local org's own rules for values: lengths, e-mail addresses, dates, currencies."""

import pytest

from sfmap.engine.local_org.records.currencies import CURRENCIES
from sfmap.engine.local_org.records.text_rules import is_email_address, size, truncated
from sfmap.engine.local_org.records.validation import stored_date, stored_datetime, stored_time

GRIN = "\U0001f600"


@pytest.mark.parametrize(
    ("text", "units"), [("", 0), ("abc", 3), ("äöü", 3), ("漢字", 2), (GRIN, 2), (f"a{GRIN}b", 4), ("e\u0301", 2)]
)
def test_size(text: str, units: int) -> None:
    assert size(text) == units


@pytest.mark.parametrize(
    ("text", "longest", "kept"),
    [
        ("abcdef", 3, "abc"),
        ("abc", 3, "abc"),
        ("", 3, ""),
        ("äöüß", 2, "äö"),
        (GRIN * 3, 4, GRIN * 2),
        (GRIN * 3, 5, GRIN * 2),
        (f"a{GRIN}", 2, "a"),
        (GRIN, 1, ""),
    ],
)
def test_truncated(text: str, longest: int, kept: str) -> None:
    assert truncated(text, longest) == kept


@pytest.mark.parametrize(
    "text",
    [
        "a@b.co",
        "first.last+tag@mail.example.co.uk",
        "o'brien@example.com",
        "!#$%&'*+/=?^_`{|}~-@example.com",
        "a..b@example.jp",
        "a.@example.jp",
        "1@2.3",
        "JÖRG@MÜLLER.DE",
        "用户@例子.公司",
        "a@b-c.co",
    ],
)
def test_email_addresses(text: str) -> None:
    assert is_email_address(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a", "a@", "@b.co", "a@b", "a@b.", "a@.co", "a@b..co", "a@@b.co", "a@b@c.co"),
        *("a b@c.co", "a@b c.co", "a\u00a0b@c.co", "a@b.co ", "a@b.co\n", "<a@b.co>", "a,b@c.co", "a@b.co;c@d.co"),
        *(".a@b.co", "a@-b.co", "a@b-.co", "a@b_c.co", "(a)@b.co", "a[@b.co", "a@[127.0.0.1]"),
    ],
)
def test_texts_that_are_not_email_addresses(text: str) -> None:
    assert not is_email_address(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1700-01-01", "1700-01-01"),
        ("4000-12-31", "4000-12-31"),
        ("2024-02-29", "2024-02-29"),
        ("1699-12-31", None),
        ("4001-01-01", None),
        ("2023-02-29", None),
        ("31.12.2026", None),
        ("", None),
    ],
)
def test_dates(text: str, day: str | None) -> None:
    assert stored_date(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.000Z"),
        ("2026-11-23T12:00:00.1234+01:00", "2026-11-23T11:00:00.123Z"),
        ("2026-11-23T12:00:00", "2026-11-23T12:00:00.000Z"),
        ("1700-01-01T00:00:00Z", "1700-01-01T00:00:00.000Z"),
        ("1700-01-01T00:00:00+01:00", None),
        ("4000-12-31T23:59:59Z", "4000-12-31T23:59:59.000Z"),
        ("4000-12-31T23:59:59-01:00", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("noon", None),
    ],
)
def test_datetimes(text: str, moment: str | None) -> None:
    assert stored_datetime(text) == moment


@pytest.mark.parametrize(
    ("text", "clock"),
    [("09:30:00", "09:30:00.000Z"), ("23:59:59.5Z", "23:59:59.500Z"), ("24:00:00", None), ("9:30:00", None)],
)
def test_times_of_day(text: str, clock: str | None) -> None:
    assert stored_time(text) == clock


def test_currencies_are_codes() -> None:
    assert len(set(CURRENCIES)) == len(CURRENCIES)
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in CURRENCIES)
    assert {"USD", "EUR", "GBP", "JPY", "BGN", "XCG"} <= set(CURRENCIES)
