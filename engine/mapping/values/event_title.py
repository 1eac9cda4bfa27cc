"""Names an event for a person: by its e-mail address, its name, or an id."""

from collections.abc import Iterable, Mapping, Sequence

from sfmap.engine.mapping.values.record import Event

_LONGEST = 200
_OF_A_PERSON = ("email", "name", "username")
_OF_AN_EVENT = ("event", "name", "groupId", "userId", "anonymousId")


def event_title(event: Event) -> str:
    """What a person would call the event; empty if it says nothing about whom or what it is."""
    context = event.get("context")
    traits = (event.get("traits"), context.get("traits") if isinstance(context, dict) else None)
    return _first((one for one in traits if isinstance(one, dict)), _OF_A_PERSON) or _first((event,), _OF_AN_EVENT)


def _first(places: Iterable[Mapping[str, object]], names: Sequence[str]) -> str:
    for place in places:
        for name in names:
            found = place.get(name)
            if isinstance(found, (str, int)) and (text := str(found).strip()):
                return text[:_LONGEST].encode("utf-8", "replace").decode()
    return ""
