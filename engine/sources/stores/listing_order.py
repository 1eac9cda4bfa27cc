"""The order of listed files: by the day that known archives have in their names, then by name."""

import re
from collections.abc import Iterable
from datetime import date
from enum import StrEnum

from sfmap.engine.sources.natural_order import natural_key
from sfmap.engine.sources.stored_files import StoredFile

_SEGMENT = re.compile(r"(?:^|/)segment-logs/[^/]+/(?P<milliseconds>[0-9]{1,15})/")
_DATE = r"(?:(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})|(?P<m2>[0-9]{2})-(?P<d2>[0-9]{2})-(?P<y2>[0-9]{4}))"
_RUDDERSTACK = re.compile(rf"(?:^|/)rudder-logs/[^/]+/{_DATE}/(?:[^/]+/)*(?P<seconds>[0-9]*)[^/]*$")
_RUDDERSTACK_COPY = re.compile(rf"(?:^|/){_DATE}/(?P<seconds>[0-9]{{9,}})\.[^/]*$")
_MILLISECONDS_OF_A_DAY = 86_400_000

NameKey = tuple[int, int, tuple[tuple[object, ...], ...], str]


class FileOrder(StrEnum):
    """What listed files are ordered by."""

    NAME = "name"
    MODIFIED = "modified"


def in_order(files: Iterable[StoredFile], order: FileOrder) -> list[StoredFile]:
    """The files, oldest first where their names or times tell."""
    if order is FileOrder.MODIFIED:
        return sorted(files, key=lambda file: (file.modified, name_key(file.name)))
    return sorted(files, key=lambda file: name_key(file.name))


def name_key(name: str) -> NameKey:
    """What names are compared by: day and second of a known archive, then the name, with digits as numbers.

    Folders are compared one by one. The archives of several Segment or RudderStack sources are merged by day.
    Other files come first.
    """
    day, second = _archived(name)
    return day, second, tuple(natural_key(part) for part in name.split("/")), name


def _archived(name: str) -> tuple[int, int]:
    """The day since 1970 and the second that a known archive gives in the name; -1 where it gives none.

    RudderStack wrote the month first in earlier versions, which text does not sort by year.
    """
    if segment := _SEGMENT.search(name):
        return int(segment["milliseconds"]) // _MILLISECONDS_OF_A_DAY, -1
    if found := _RUDDERSTACK.search(name) or _RUDDERSTACK_COPY.search(name):
        year, month, day = (int(found[part] or found[f"{part}2"]) for part in "ymd")
        try:
            return (date(year, month, day) - date(1970, 1, 1)).days, int(found["seconds"] or -1)
        except ValueError:
            pass
    return -1, -1
