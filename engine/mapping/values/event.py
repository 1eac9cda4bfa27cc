"""Segment's event format: where traits and ids are, and how keys and names are compared."""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from sfmap.engine.mapping.values.record import Event, Json

MOST_REMEMBERED = 4_096
LONGEST_REMEMBERED = 100
"""The most keys cached, and characters of one: senders that make up keys must not fill the memory."""

_WIDE = 100
"""The number of keys from which an index of an object pays off."""
_DEEPEST_WIDE = 20
"""Levels of objects that are indexed; rules rarely read deeper ones."""

_PERSONAL = ("identify", "track", "page", "screen")
"""Types of events whose traits describe the person, like those in `context`."""
ITEM = "item"
INDEX = "index"
"""The names of the item and its number in `for_each`."""

EVENT_NAMES = (
    *("type", "event", "userId", "anonymousId", "groupId", "previousId", "traits", "properties", "context"),
    *("integrations", "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "version", "channel"),
    *("writeKey", "projectId", "metadata", "_metadata", "rudderId", "request_ip"),
)
"""The top-level keys of events: common fields of Segment's spec, and those that its servers or RudderStack add."""

IDS = ("userId", "groupId", "anonymousId", "previousId")
_BLANKS = re.compile(r"[\s_-]+")

MISSING: Final = object()


def event_view(event: Event) -> Event:
    """A copy of the event with gaps filled from `context`, and ids as text.

    `context.traits` counts where an event about a person has no traits, `context.integrations` where any event has
    none (docs/behaviour.md, rows 1 and 26); a numeric id works like its text.
    """
    filled: Event = {}
    if not event.get("traits") or event.get("integrations") is None:
        filled = _from_context(event)
    for key in IDS:
        value = event.get(key)
        if value.__class__ is str or value is None:
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            filled[key] = str(value)
        elif isinstance(value, float) and math.isfinite(value):
            filled[key] = as_text(value)
    return {**event, **filled} if filled else event


def _from_context(event: Event) -> Event:
    context = event.get("context")
    if not isinstance(context, dict):
        return {}
    filled = {}
    if event.get("type") in _PERSONAL and not event.get("traits"):
        filled["traits"] = context.get("traits")
    if event.get("integrations") is None:
        filled["integrations"] = context.get("integrations")
    return filled


def as_text(value: str | int | float | bool) -> str:
    """A scalar as JSON prints it: `813`, not `813.0`; `true`, not `True`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return str(value)


_Made = TypeVar("_Made")


def remembered(function: Callable[[str], _Made]) -> Callable[[str], _Made]:
    """The function with a cache of its results for keys."""
    known = lru_cache(MOST_REMEMBERED)(function)
    return lambda key: known(key) if len(key) <= LONGEST_REMEMBERED else function(key)


@remembered
def normal_key(key: str) -> str:
    """The form in which keys are compared: `firstName` and `First Name` are equal; a long key is unchanged."""
    return _BLANKS.sub("", key).casefold() if len(key) <= LONGEST_REMEMBERED else key


class WideTable(dict[str, Json]):
    """An object of many keys with an index by their normal form."""

    def __init__(self, table: dict[str, Json]) -> None:
        super().__init__(table)
        self.spelt: dict[str, str] = {}
        """The first key for each normal form."""
        for key in table:
            self.spelt.setdefault(normal_key(key), key)


def with_wide_tables(event: Event) -> Event:
    """The event with its objects of many keys indexed, for fast access by many rules."""
    return {key: _made_ready(value, 1) for key, value in event.items()}


def _made_ready(value: Json, depth: int) -> Json:
    if not isinstance(value, dict) or depth > _DEEPEST_WIDE:
        return value
    members = {key: _made_ready(member, depth + 1) for key, member in value.items()}
    return WideTable(members) if len(members) > _WIDE else members


def loose_get(table: dict[str, Json], key: str) -> Json | object:
    """The value under `key`, or else under the first key that differs only in case, blanks, `_` and `-`.

    `MISSING` if there is none; a null is a value.
    """
    value = table.get(key, MISSING)
    if value is not MISSING:
        return value
    wanted = normal_key(key)
    if isinstance(table, WideTable):
        return table[table.spelt[wanted]] if wanted in table.spelt else MISSING
    for other in table:
        if normal_key(other) == wanted:
            return table[other]
    return MISSING


def name_pattern(pattern: str) -> Callable[[str], bool]:
    """A function that matches a name with a pattern such as `Order *`, in which a star matches any text.

    Each piece is searched once, after the end of the last one; a regular expression would backtrack.
    """
    first, *others = re.split(r"\*+", pattern)
    if not others:
        return lambda name: name == pattern
    *middle, last = others

    def takes(name: str) -> bool:
        place, end = len(first), len(name) - len(last)
        if place > end or not (name.startswith(first) and name.endswith(last)):
            return False
        for piece in middle:
            found = name.find(piece, place, end)
            if found < 0:
                return False
            place = found + len(piece)
        return True

    return takes
