"""What Parquet files and databases give becomes JSON, or is left out for a stated reason."""

from collections import OrderedDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import ip_interface
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.sources.reading import json_bytes, read_event
from sfmap.engine.sources.row_values import BINARY, INFINITE, NOT_A_NUMBER, NULL, Absent, json_value, json_values

NAN, INFINITY = float("nan"), float("inf")
BERLIN = ZoneInfo("Europe/Berlin")


class Plan(Enum):
    FREE = "free"


class Size(IntEnum):
    BIG = 3


class Opaque:
    pass


class Money(Decimal):
    pass


EXPECTED = [
    # value, its JSON
    (None, NULL),
    (True, True),
    ("Ann", "Ann"),
    ("", ""),
    (7, 7),
    (2**70, 2**70),
    (-(10**307), -(10**307)),
    (10**308, str(10**308)),
    (-(10**5000), "-1" + "0" * 5000),
    (1.5, 1.5),
    (NAN, NOT_A_NUMBER),
    (-INFINITY, INFINITE),
    (Decimal(5), 5),
    (Decimal("5.00"), 5),
    (Decimal("-0.00"), 0),
    (Decimal("1.10"), 1.1),
    (Decimal("1E+3"), 1000),
    (Decimal("12345678901234567890.00"), 12345678901234567890),
    (Decimal("0.1234567890123456789"), "0.1234567890123456789"),
    (Decimal("1234567890.12345"), 1234567890.12345),
    (Decimal("123456789012345678.5"), "123456789012345678.5"),
    (Decimal("1E+400"), "1E+400"),
    (Decimal("1E-400"), "1E-400"),
    (Decimal("NaN"), NOT_A_NUMBER),
    (Decimal("sNaN"), NOT_A_NUMBER),
    (Decimal("-Infinity"), INFINITE),
    (Money("2.50"), 2.5),
    (datetime(2026, 1, 1, 10, tzinfo=UTC), "2026-01-01T10:00:00Z"),
    (datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=UTC), "2026-01-01T10:00:00.123456Z"),
    (datetime(2026, 1, 1, 10, tzinfo=BERLIN), "2026-01-01T09:00:00Z"),
    (datetime(2026, 1, 1, 10), "2026-01-01T10:00:00Z"),
    (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), "0001-01-01T00:00:00+01:00"),
    (date(2026, 1, 31), "2026-01-31"),
    (time(9, 30), "09:30:00"),
    (time(9, 30, tzinfo=UTC), "09:30:00+00:00"),
    (timedelta(days=1, hours=1), "P1DT3600S"),
    (timedelta(days=2), "P2D"),
    (timedelta(), "PT0S"),
    (timedelta(microseconds=-500_000), "-PT0.5S"),
    (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (ip_interface("10.0.0.1/8"), "10.0.0.1/8"),
    (b"\x00", BINARY),
    (bytearray(b"a"), BINARY),
    (memoryview(b"a"), BINARY),
    ([1, None, [Decimal("1.5")]], [1, None, [1.5]]),
    ((1, "a"), [1, "a"]),
    ([NAN, b""], [None, None]),
    ([], []),
    ({"a": None, "b": date(2026, 1, 1), 3: "c"}, {"a": None, "b": "2026-01-01", "3": "c"}),
    ({"a": NAN, "b": {"c": b""}}, {"b": {}}),
    (OrderedDict(a=1), {"a": 1}),
    (MappingProxyType({"a": 1}), {"a": 1}),
    (Plan.FREE, "free"),
    (Size.BIG, 3),
    (Opaque(), Absent("of the type Opaque")),
]


@pytest.mark.parametrize(("value", "expected"), EXPECTED, ids=lambda value: type(value).__name__)
def test_a_value_becomes_json_or_is_left_out(value: object, expected: object) -> None:
    found = json_value(value)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2026, 1, 1, 10), "2026-01-01T09:00:00Z"),
        (datetime(2026, 7, 1, 10), "2026-07-01T08:00:00Z"),
        (datetime(2026, 7, 1, 10, tzinfo=UTC), "2026-07-01T10:00:00Z"),
    ],
)
def test_a_time_without_a_zone_is_in_the_given_one(moment: datetime, expected: str) -> None:
    assert json_value([moment], BERLIN) == [expected]


def test_a_row_says_which_columns_are_left_out() -> None:
    values, left_out = json_values(["id", "name", "photo", "score"], [7, None, b"\xff", NAN])

    assert values == {"id": 7}
    assert left_out == {"photo": "binary data", "score": "NaN"}


@given(st.decimals(allow_nan=False, allow_infinity=False) | st.integers() | st.floats(allow_nan=False))
def test_a_number_is_never_changed(number: Decimal | int | float) -> None:
    value = json_value(number)
    if isinstance(value, Absent):
        assert number in (INFINITY, -INFINITY)
        return
    event, problem = read_event(json_bytes({"traits": value}))
    assert event, problem
    again = event["traits"]
    assert isinstance(again, (int, float, str))
    assert Decimal(repr(again) if isinstance(again, float) else again) == Decimal(
        repr(number) if isinstance(number, float) else number
    )
