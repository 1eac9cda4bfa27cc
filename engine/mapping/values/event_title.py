"""Names an event for a person: by its e-mail address, its name, or an id."""

from collections.abc import Iterator

from sfmap.engine.mapping.values.record import Event

_LONGEST = 200
_OF_A_PERSON = ("email", "name", "username")


def event_title(event: Event) -> str:
    """What a person would call the event; empty if it says nothing about whom or what it is."""
    for found in _titles(event):
        if isinstance(found, (str, int)) and not isinstance(found, bool) and (text := str(found).strip()):
            return text[:_LONGEST]
    return ""


def _titles(event: Event) -> Iterator[object]:
    context = event.get("context")
    for traits in (event.get("traits"), context.get("traits") if isinstance(context, dict) else None):
        if isinstance(traits, dict):
            yield from (traits.get(name) for name in _OF_A_PERSON)
    yield event.get("event")
    yield event.get("name")
    yield from (event.get(name) for name in ("groupId", "userId", "anonymousId"))
