"""SOQL's date literals for periods, such as LAST_N_DAYS:30, in UTC; weeks start on Sunday."""

import re
from datetime import UTC, date, datetime, timedelta

_UNITS = "WEEK|MONTH|QUARTER|YEAR|FISCAL_QUARTER|FISCAL_YEAR"
WORD = (
    rf"(?i:TODAY|YESTERDAY|TOMORROW|(?:LAST|NEXT)_90_DAYS|(?:LAST|THIS|NEXT)_(?:{_UNITS})"
    rf"|(?:LAST_N|NEXT_N)_(?:DAY|{_UNITS})S:\d{{1,4}}|N_(?:DAY|{_UNITS})S_AGO:\d{{1,4}})(?![\w.])"
)
"""A pattern for the literals."""

_DAYS = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
_COUNTED = re.compile(r"(LAST_N|NEXT_N|N)_(\w+?)S(?:_AGO)?:(\d+)")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}
_FIRST_YEAR, _LAST_YEAR = 1, 9999

Period = tuple[str, str]
"""The first day, and the day after the last one."""


def period(word: str, today: date | None = None) -> Period:
    """The days of a literal ("Date Formats and Date Literals"): the last n days include today, the last n weeks
    and longer units end before the current one."""
    today = today or datetime.now(UTC).date()
    word = word.upper().replace("FISCAL_", "").replace("_90_DAYS", "_N_DAYS:90")
    if word in _DAYS:
        return _between(today, "DAY", _DAYS[word], 1)
    if counted := _COUNTED.fullmatch(word):
        kind, unit, number = counted[1], counted[2], int(counted[3])
        if kind == "N":
            return _between(today, unit, -number, 1)
        if kind == "NEXT_N":
            return _between(today, unit, 1, number)
        return _between(today, unit, -number, number + (unit == "DAY"))
    which, _, unit = word.partition("_")
    return _between(today, unit, {"LAST": -1, "THIS": 0, "NEXT": 1}[which], 1)


def _between(today: date, unit: str, first: int, number: int) -> Period:
    """So many units from the one that is `first` units after that of today."""
    return _start(today, unit, first), _start(today, unit, first + number)


def _start(today: date, unit: str, after: int) -> str:
    """The first day of the unit that is so many units after that of today."""
    if unit in ("DAY", "WEEK"):
        sunday = (today.weekday() + 1) % 7
        days = after if unit == "DAY" else after * 7 - sunday
        return (today + timedelta(days)).isoformat()
    length = _MONTHS[unit]
    months = today.year * 12 + (today.month - 1) // length * length + after * length
    year = min(max(months // 12, _FIRST_YEAR), _LAST_YEAR)
    return date(year, months % 12 + 1, 1).isoformat()


def within(column: str, sign: str, days: Period) -> str:
    """The comparison in SQL; dates and datetimes are stored so that they sort as text."""
    first, after = days
    return {
        "=": f"({column} >= '{first}' AND {column} < '{after}')",
        "!=": f"({column} IS NULL OR {column} < '{first}' OR {column} >= '{after}')",
        "<": f"{column} < '{first}'",
        "<=": f"{column} < '{after}'",
        ">": f"{column} >= '{after}'",
        ">=": f"{column} >= '{first}'",
    }[sign]
