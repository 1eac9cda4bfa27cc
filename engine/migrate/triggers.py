"""The events that a trigger of Segment's actions names, as the key `event` of a mapping."""

import re

from sfmap.engine.mapping.values.record import Json

_CONDITION = re.compile(r'\b(type|event)\s*=\s*"((?:[^"\\]|\\.)*)"')
_JOINTS = re.compile(r"\s*(?:and|or|\(|\))\s*", re.IGNORECASE)


def events_of(trigger: str) -> tuple[Json, str]:
    """The events, and what else the trigger asks for, which is not carried over; empty if nothing."""
    found = _CONDITION.findall(trigger)
    types = list(dict.fromkeys(value for key, value in found if key == "type"))
    names = list(dict.fromkeys(value.replace('\\"', '"') for key, value in found if key == "event"))
    events: list[Json] = [one for one in types if one != "track" or not names]
    events += [{"type": "track", "name": name} for name in names]
    rest = " ".join(filter(None, _JOINTS.split(_CONDITION.sub(" ", trigger))))
    return (events[0] if len(events) == 1 else events), rest.strip()
