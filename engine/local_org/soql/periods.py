"""SOQL's date literals for periods, such as LAST_N_DAYS:30."""

import re
from datetime import UTC, date, datetime, timedelta

WORD = r"(?i:TODAY|YESTERDAY|TOMORROW|(?:LAST|NEXT)_N_DAYS:\d{1,4})(?![\w.])"
"""A pattern for the literals."""

_COUNTED = re.compile(r"(LAST|NEXT)_N_DAYS:(\d+)")

Period = tuple[str, str]
"""The first day, and the day after the last one."""


def period(word: str, today: date | None = None) -> Period:
    """The days of a literal; the last n days include today ("Date Formats and Date Literals")."""
    today = today or datetime.now(UTC).date()
    start, days = {"TODAY": (0, 1), "YESTERDAY": (-1, 1), "TOMORROW": (1, 1)}.get(word.upper(), (0, 0))
    if counted := _COUNTED.fullmatch(word.upper()):
        number = int(counted[2])
        start, days = (-number, number + 1) if counted[1] == "LAST" else (1, number)
    first = today + timedelta(start)
    return first.isoformat(), (first + timedelta(days)).isoformat()


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
