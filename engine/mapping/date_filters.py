"""Filters on dates and times: ISO 8601, epochs and given formats, into the forms that date fields take.

They never look at the machine's own zone or clock.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sfmap.engine.mapping.filter import Example, Filter, Parameter, plain_text
from sfmap.engine.mapping.record import Json

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_TEXT = re.compile(r"-?\d{9,16}(\.\d{1,9})?")
_MOST_SECONDS = 10**11
"""A larger number is milliseconds: this many seconds are the year 5138, as milliseconds March 1973."""

_LONGEST = 100
"""In characters: more than any date or time."""

# Those that mean the same on every machine; names of days and months are English.
_DIRECTIVES = re.compile(r"%[YymdHIMSfzZpjbBaA%]|[^%]")


def _moment(value: Json, form: str | None) -> datetime | None:
    if isinstance(value, bool):
        return None
    text = plain_text(value)
    if text is None:
        return None
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    try:
        if form is not None:
            return datetime.strptime(text, form)
        if isinstance(value, (int, float)) or _EPOCH_TEXT.fullmatch(text):
            number = float(text)
            seconds = number if abs(number) < _MOST_SECONDS else number / 1000
            return _EPOCH + timedelta(seconds=seconds)
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None


def _zone(name: str | None) -> tzinfo:
    return ZoneInfo(name) if name else UTC


def _date(value: Json, form: str | None = None, zone: str | None = None) -> Json:
    moment = _moment(value, form)
    try:
        if moment is not None and moment.tzinfo is not None:
            moment = moment.astimezone(_zone(zone))
    except (OverflowError, ValueError):
        return None
    return None if moment is None else moment.date().isoformat()


def _datetime(value: Json, form: str | None = None, zone: str | None = None) -> Json:
    moment = _moment(value, form)
    if moment is None:
        return None
    try:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=_zone(zone))
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
    except (OverflowError, ValueError):
        return None


def _bad_format(form: Json) -> str:
    if form is None or "".join(_DIRECTIVES.findall(str(form))) == form:
        return ""
    return "must be made of %Y %m %d %H %M %S and the like"


def _bad_zone(name: Json) -> str:
    if name is None:
        return ""
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "must be the name of a time zone, such as 'Europe/Berlin'"
    return ""


_PARAMETERS = (
    Parameter("format", optional=True, check=_bad_format),
    Parameter("time zone", optional=True, check=_bad_zone),
)

FILTERS = (
    Filter(
        "date",
        _date,
        "the date of an ISO 8601 text, of seconds since 1970 (from 100,000,000,000 on: milliseconds), or of a text"
        " in the format given; a time with a zone counts in the time zone given, or else in UTC",
        (
            Example("2026-11-23T23:30:00-05:00", "2026-11-24"),
            Example(1795476600, "2026-11-23"),
            Example("1795476600000", "2026-11-23"),
            Example("23/11/2026", "2026-11-23", ("%d/%m/%Y",)),
            Example("2026-11-23T23:30:00Z", "2026-11-24", (None, "Europe/Berlin")),
            Example("soon", None),
        ),
        _PARAMETERS,
    ),
    Filter(
        "datetime",
        _datetime,
        "the moment in UTC, from what `date` takes; a time without a zone is in the time zone given, or else UTC",
        (
            Example("2026-11-23T09:30:00+01:00", "2026-11-23T08:30:00.000Z"),
            Example(1795476600, "2026-11-23T23:30:00.000Z"),
            Example("23.11.2026 09:30", "2026-11-23T08:30:00.000Z", ("%d.%m.%Y %H:%M", "Europe/Berlin")),
        ),
        _PARAMETERS,
    ),
)
