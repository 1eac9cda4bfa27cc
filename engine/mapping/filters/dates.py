"""Filters on dates and times: convert ISO 8601, epochs and given formats to the forms of date fields.

They never use the machine's time zone or clock.
"""

import re

from sfmap.engine.language.conventions import is_time_zone
from sfmap.engine.mapping.filters.filter import TEXT_OR_NUMBER, Example, Filter, Parameter, reading
from sfmap.engine.mapping.values.parsing import to_date, to_datetime
from sfmap.engine.mapping.values.record import Json, Value

# Directives with the same meaning on every machine; names of days and months are English.
_DIRECTIVES = re.compile(r"%[YymdHIMSfzZpjbBaA%]|[^%]")


def _date(value: Value, form: str | None, zone: str | None) -> Json:
    return to_date(value, zone or "", form)


def _datetime(value: Value, form: str | None, zone: str | None) -> Json:
    return to_datetime(value, zone or "", form)


def _bad_format(form: Json) -> str:
    if form is None or "".join(_DIRECTIVES.findall(str(form))) == form:
        return ""
    return "must be made of %Y %m %d %H %M %S and the like"


def _bad_zone(name: Json) -> str:
    if name is None or is_time_zone(str(name)):
        return ""
    return "must be the name of a time zone, such as 'Europe/Berlin'"


_PARAMETERS = (
    Parameter("format", optional=True, check=_bad_format),
    Parameter("time zone", optional=True, check=_bad_zone, convention=lambda by: by.timezone),
)

FILTERS = (
    Filter(
        name="date",
        function=reading(_date),
        summary="the day of an ISO 8601 text, of seconds since 1970 with at least nine digits (from"
        " 100,000,000,000 on: milliseconds), or of a text in the given format;"
        " [the language](language.md#dates-times-and-numbers-in-texts) describes which day a moment is",
        examples=(
            Example("2026-11-23T23:30:00-05:00", "2026-11-23"),
            Example("2026-11-23T23:30:00-05:00", "2026-11-24", (None, "UTC")),
            Example(1795476600, "2026-11-23"),
            Example("1795476600000", "2026-11-23"),
            Example("23/11/2026", "2026-11-23", ("%d/%m/%Y",)),
            Example("2026-11-23T23:30:00Z", "2026-11-24", (None, "Europe/Berlin")),
            Example("0001-01-01T00:00:00Z", None),
            Example("soon", None),
        ),
        parameters=_PARAMETERS,
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="datetime",
        function=reading(_datetime),
        summary="the moment in UTC, from the same values as `date`",
        examples=(
            Example("2026-11-23T09:30:00+01:00", "2026-11-23T08:30:00.000Z"),
            Example(1795476600, "2026-11-23T23:30:00.000Z"),
            Example("23.11.2026 09:30", "2026-11-23T08:30:00.000Z", ("%d.%m.%Y %H:%M", "Europe/Berlin")),
        ),
        parameters=_PARAMETERS,
        takes=TEXT_OR_NUMBER,
    ),
)
