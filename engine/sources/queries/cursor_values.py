"""The values of a cursor in Python's types: as text and back, and their place in time."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from math import ceil
from typing import Any
from uuid import UUID

from sfmap.engine.sources.event_source import SourceFailed

_KINDS: dict[str, Callable[[str], object]] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "decimal": Decimal,
    "uuid": UUID,
}
"""By the name of a type that JSON does not have, how it is read from text."""
_TIME_OF_DAY = 11
"""Where it begins in `2026-01-01 10:00:00`."""


def as_text(value: object) -> str:
    """The value as JSON. Raises `SourceFailed` for a type that cannot be kept."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return json.dumps(value, ensure_ascii=False)
    kind = type(value).__name__.lower()
    if kind not in _KINDS and isinstance(value, datetime):
        kind = "datetime"  # a driver's own class
    if kind not in _KINDS:
        raise SourceFailed(f"cannot continue after values of the type {kind}: choose other columns for the cursor")
    return json.dumps({kind: value.isoformat() if isinstance(value, date) else str(value)})


def from_text(text: str) -> Any:
    value = json.loads(text)
    if isinstance(value, dict):
        ((kind, of_kind),) = value.items()
        return _KINDS[kind](of_kind)
    return value


def shown(text: str) -> str:
    """The value as messages show it."""
    value = json.loads(text)
    return str(next(iter(value.values())) if isinstance(value, dict) else value)


def now_like(value: object, zone: tzinfo) -> object:
    """The present as a value that can be compared with this one; None if it is no time."""
    now = datetime.now(UTC)
    if isinstance(value, datetime):
        return now if value.tzinfo else now.astimezone(zone).replace(tzinfo=None)
    if isinstance(value, date):
        return now.astimezone(zone).date()
    if isinstance(value, str) and (moment := _moment(value)):
        # The text of a whole second is before that of its fractions; the last one of now is after them.
        return _text_like(value, now.astimezone(moment.tzinfo or zone)) + "~"
    return None


def less(value: object, overlap: float) -> object:
    """A value earlier by the overlap, or a little more: seconds of a time; None if it cannot be computed."""
    back = timedelta(seconds=overlap)
    if isinstance(value, str):
        moment = _moment(value)
        return _text_like(value, moment - back) if moment else None
    if isinstance(value, datetime):
        return value - back
    if isinstance(value, date):
        return (datetime(value.year, value.month, value.day) - back).date()
    if isinstance(value, Decimal):
        return value - Decimal(overlap)
    if isinstance(value, (int, float)):
        return value - (ceil(overlap) if isinstance(value, int) else overlap)
    return None


def all_as_text(values: Sequence[object]) -> tuple[str, ...]:
    return tuple(map(as_text, values))


def _moment(text: str) -> datetime | None:
    """The time of ISO text, as SQLite keeps times."""
    try:
        return datetime.fromisoformat(text) if text[4:5] == "-" else None
    except ValueError:
        return None


def _text_like(text: str, moment: datetime) -> str:
    """A moment up to its second in the form of another one, so that both compare as text."""
    if len(text) < _TIME_OF_DAY:
        return moment.date().isoformat()
    return moment.replace(microsecond=0, tzinfo=None).isoformat(sep=text[_TIME_OF_DAY - 1])
