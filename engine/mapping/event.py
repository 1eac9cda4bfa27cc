"""What Segment's format promises of every event, whoever sent it: where traits and ids are, how keys compare."""

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

from sfmap.engine.mapping.record import Event, Json

MOST_REMEMBERED = 4_096
LONGEST_REMEMBERED = 100
"""Keys, and characters of one: senders that make up keys must not fill the memory."""

_WIDE = 100
"""Keys of an object: with fewer, to go through them takes no longer."""
_DEEPEST_WIDE = 20
"""Levels of objects; rules seldom look further down."""

_PERSONAL = ("identify", "track", "page", "screen")
"""Types of events whose traits are the person's, as those in `context` are."""
ITEM = "item"
INDEX = "index"
"""What `for_each` calls the item and its number."""

EVENT_NAMES = (
    *("type", "event", "userId", "anonymousId", "groupId", "previousId", "traits", "properties", "context"),
    *("integrations", "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "version", "channel"),
    *("writeKey", "projectId", "metadata", "_metadata", "rudderId", "request_ip"),
)
"""At the top of any event: the common fields of Segment's spec, and what its servers and RudderStack's add."""

IDS = ("userId", "groupId", "anonymousId", "previousId")
_BLANKS = re.compile(r"[\s_-]+")

MISSING: Final = object()


def event_view(event: Event) -> Event:
    """The event with its gaps filled from `context` and its ids as text; the event itself stays as it is.

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
    """A JSON scalar as JSON would print it: `813`, not `813.0`; `true`, not `True`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return str(value)


_Made = TypeVar("_Made")


def remembered(function: Callable[[str], _Made]) -> Callable[[str], _Made]:
    """The function, with what it made of the last keys at hand."""
    known = lru_cache(MOST_REMEMBERED)(function)
    return lambda key: known(key) if len(key) <= LONGEST_REMEMBERED else function(key)


@remembered
def normal_key(key: str) -> str:
    """What keys are compared by: `firstName` and `First Name` are one key; a long key is only itself."""
    return _BLANKS.sub("", key).casefold() if len(key) <= LONGEST_REMEMBERED else key


class WideTable(dict[str, Json]):
    """An object of many keys that knows how they compare: to look for one is not to go through all."""

    def __init__(self, table: dict[str, Json]) -> None:
        super().__init__(table)
        self.spelt: dict[str, str] = {}
        """The first key, by how keys compare."""
        for key in table:
            self.spelt.setdefault(normal_key(key), key)


def with_wide_tables(event: Event) -> Event:
    """The event with its objects of many keys made ready to be looked into by many rules."""
    return {key: _made_ready(value, 1) for key, value in event.items()}


def _made_ready(value: Json, depth: int) -> Json:
    if not isinstance(value, dict) or depth > _DEEPEST_WIDE:
        return value
    members = {key: _made_ready(member, depth + 1) for key, member in value.items()}
    return WideTable(members) if len(members) > _WIDE else members


def loose_get(table: dict[str, Json], key: str) -> Json | object:
    """The value under `key`, or else under the first key that differs only in case, blanks, `_` and `-`.

    `MISSING` where there is none; a null is a value.
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
