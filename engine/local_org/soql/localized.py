"""Values as FORMAT() writes them, for the locale of the United States and UTC."""

from collections.abc import Callable
from datetime import datetime

from sfmap.engine.local_org.records.object_schema import NUMBER_TYPES
from sfmap.engine.local_org.records.store import Stored

_NOON = 12


def localized(kind: str) -> Callable[[Stored], Stored]:
    """The function that writes the values of a field of that type."""

    def write(value: Stored) -> Stored:
        if value is None:
            return None
        if kind in NUMBER_TYPES:
            return _number(float(value), kind)
        if kind == "date":
            return _day(datetime.fromisoformat(str(value)))
        return _moment(datetime.fromisoformat(str(value))) if kind == "datetime" else value

    return write


def _number(value: float, kind: str) -> str:
    if kind == "currency":
        return f"{'-' if value < 0 else ''}${abs(value):,.2f}"
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return f"{text}%" if kind == "percent" else text


def _day(moment: datetime) -> str:
    return f"{moment.month}/{moment.day}/{moment.year}"


def _moment(moment: datetime) -> str:
    hour = moment.hour % _NOON or _NOON
    return f"{_day(moment)}, {hour}:{moment.minute:02} {'AM' if moment.hour < _NOON else 'PM'}"
