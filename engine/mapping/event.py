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

_IDS = ("userId", "groupId", "anonymousId", "previousId")
_BLANKS = re.compile(r"[\s_-]+")

MISSING: Final = object()


def event_view(event: Event) -> Event:
    """The event with its gaps filled from `context` and its ids as text; the event itself stays as it is.

    `context.traits` counts where the event has no traits, `context.integrations` where it has none (behaviour.md
    rows 1 and 26); a numeric id works like its text (row 26).
    """
    filled: Event = {}
    if not event.get("traits") or event.get("integrations") is None:
        filled = _from_context(event)
    for key in _IDS:
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
    filled = {} if event.get("traits") else {"traits": context.get("traits")}
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


def loose_get(table: dict[str, Json], key: str) -> Json | object:
    """The value under `key`, or else under the first key that differs only in case, blanks, `_` and `-`.

    `MISSING` where there is none; a null is a value.
    """
    value = table.get(key, MISSING)
    if value is not MISSING:
        return value
    wanted = normal_key(key)
    for other in table:
        if normal_key(other) == wanted:
            return table[other]
    return MISSING
