"""Turns what Parquet files and databases give into JSON values."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum
from math import isfinite, isnan
from typing import Any
from uuid import UUID

from sfmap.engine.mapping.values.record import Json


@dataclass(frozen=True, slots=True)
class Absent:
    """What stands for a value that the event does not get."""

    reason: str = ""
    """Why it is left out; empty for NULL."""


NULL = Absent()
BINARY = Absent("binary data")
NOT_A_NUMBER = Absent("NaN")
INFINITE = Absent("infinity")

_DIGITS_OF_FLOAT = 308
"""A number with more digits before the point is more than a float holds; readers of JSON refuse it."""
_OVER_FLOAT = 10**_DIGITS_OF_FLOAT


def json_values(
    columns: Iterable[str], row: Iterable[object], zone: tzinfo = UTC
) -> tuple[dict[str, Json], dict[str, str]]:
    """The values of a row by column, and by column why a value is left out; NULL is in neither."""
    values: dict[str, Json] = {}
    left_out: dict[str, str] = {}
    for column, given in zip(columns, row, strict=True):
        if type(given) is str:
            values[column] = given
        elif given is not None:
            value = json_value(given, zone)
            if not isinstance(value, Absent):
                values[column] = value
            else:
                left_out[column] = value.reason
    return values, left_out


def json_value(value: object, zone: tzinfo = UTC) -> Json | Absent:
    """The JSON value, or why there is none. `zone` is that of times that do not say theirs.

    Inside lists, what has no JSON value becomes null; inside objects, its key is left out.
    """
    convert = _OF_TYPE.get(type(value)) or _of_subclass(value)
    return convert(value, zone)


def _of_subclass(value: object) -> "_Convert":
    """The conversion for a value of a class that is not known by itself, such as an enum of a driver."""
    if isinstance(value, Enum):
        return lambda enum, zone: json_value(enum.value, zone)
    known = (convert for kind, convert in _OF_TYPE.items() if isinstance(value, kind))
    if found := next(known, None):
        return found
    if isinstance(value, Mapping):
        return _object
    says_nothing = type(value).__str__ is object.__str__ and type(value).__repr__ is object.__repr__
    return _unknown if says_nothing else _text


def _unknown(value: object, zone: tzinfo) -> Absent:
    return Absent(f"of the type {type(value).__name__}")


def _text(value: object, zone: tzinfo) -> str:
    return str(value)


def _same(value: Json, zone: tzinfo) -> Json:
    return value


def _integer(value: int, zone: tzinfo) -> int | str:
    return value if -_OVER_FLOAT < value < _OVER_FLOAT else str(Decimal(value))


def _float(value: float, zone: tzinfo) -> float | Absent:
    if isfinite(value):
        return float(value)
    return NOT_A_NUMBER if isnan(value) else INFINITE


def _decimal(value: Decimal, zone: tzinfo) -> int | float | str | Absent:
    """A number if JSON holds exactly that one, else its text."""
    if not value.is_finite():
        return NOT_A_NUMBER if value.is_nan() else INFINITE
    if value.adjusted() < _DIGITS_OF_FLOAT:
        if value == value.to_integral_value():
            return int(value)
        number = float(value)
        if Decimal(repr(number)) == value:
            return number
    return str(value)


def _datetime(value: datetime, zone: tzinfo) -> str:
    aware = value if value.tzinfo else value.replace(tzinfo=zone)
    try:
        return aware.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return aware.isoformat()  # within a day of the years 1 or 9999, so not in them in UTC


def _iso_text(value: date | time, zone: tzinfo) -> str:
    return value.isoformat()


def _duration(value: timedelta, zone: tzinfo) -> str:
    """Days and seconds as in ISO 8601: `P1DT3600S`, `-PT0.5S`."""
    sign, value = ("-", -value) if value < timedelta() else ("", value)
    days = f"{value.days}D" if value.days else ""
    fraction = f"{value.microseconds:06}".rstrip("0")
    seconds = f"{value.seconds}.{fraction}" if fraction else str(value.seconds)
    return f"{sign}P{days}" if days and seconds == "0" else f"{sign}P{days}T{seconds}S"


def _binary(value: object, zone: tzinfo) -> Absent:
    return BINARY


def _null(value: None, zone: tzinfo) -> Absent:
    return NULL


def _list(values: Iterable[object], zone: tzinfo) -> Json:
    found = (json_value(value, zone) for value in values)
    return [None if isinstance(value, Absent) else value for value in found]


def _object(values: Mapping[object, object], zone: tzinfo) -> Json:
    found = ((str(key), None if value is None else json_value(value, zone)) for key, value in values.items())
    return {key: value for key, value in found if not isinstance(value, Absent)}


_Convert = Callable[[Any, tzinfo], Json | Absent]
_OF_TYPE: dict[type, _Convert] = {
    type(None): _null,
    str: _text,
    bool: _same,
    int: _integer,
    float: _float,
    Decimal: _decimal,
    datetime: _datetime,
    date: _iso_text,
    time: _iso_text,
    timedelta: _duration,
    UUID: _text,
    bytes: _binary,
    bytearray: _binary,
    memoryview: _binary,
    list: _list,
    tuple: _list,
    set: _list,
    frozenset: _list,
    dict: _object,
}
"""For each type, how a value becomes JSON; a class before the one that it is derived from."""
