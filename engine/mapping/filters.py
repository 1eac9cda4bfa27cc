"""The named filters of pipes and templates: small total functions with the examples that document and test them.

A filter never fails on a value it is not made for: it gives None, which is no value.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import orjson

from sfmap.engine.mapping.event import as_text
from sfmap.engine.mapping.record import Json
from sfmap.engine.mapping.values import is_email


@dataclass(frozen=True, slots=True)
class Example:
    """`value | name(arguments)` gives `result`."""

    value: Json
    result: Json
    arguments: tuple[Json, ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    name: str
    function: Callable[..., Json]
    summary: str
    examples: tuple[Example, ...]
    fewest: int = 0
    most: int = 0
    """How many arguments it takes besides the value."""


def _text(value: Json) -> str | None:
    return as_text(value) if isinstance(value, (str, int, float)) else None


def _on_text(change: Callable[[str], Json]) -> Callable[[Json], Json]:
    def changed(value: Json) -> Json:
        text = _text(value)
        return None if text is None else change(text)

    return changed


def _words(text: str) -> list[str]:
    return text.split()


def _first_name(text: str) -> Json:
    words = _words(text)
    return words[0] if words else None


def _last_name(text: str) -> Json:
    """Row 4 of behaviour.md: what follows the first word; a one-word name has no last name."""
    return " ".join(_words(text)[1:]) or None


def _items(value: Json | Iterator[Json]) -> list[Json] | None:
    """A list, or what one of Jinja2's own filters yields; None for anything else."""
    if isinstance(value, Iterator):
        return list(value)
    return value if isinstance(value, list) else None


def _first(value: Json) -> Json:
    items = _items(value)
    if items is None:
        return value
    return items[0] if items else None


def _join(value: Json, separator: str = ", ") -> Json:
    items = _items(value)
    if items is None:
        return value
    texts = (_text(item) for item in items)
    return str(separator).join(text for text in texts if text is not None)


def _json(value: Json) -> Json:
    if value is None:
        return None
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, half surrogate pairs
        return None


FILTERS: dict[str, Filter] = {
    f.name: f
    for f in (
        Filter("trim", _on_text(str.strip), "without blanks at both ends", (Example("  Initech ", "Initech"),)),
        Filter("lower", _on_text(str.lower), "in lower case", (Example("A@B.CO", "a@b.co"),)),
        Filter("upper", _on_text(str.upper), "in upper case", (Example("us", "US"),)),
        Filter(
            "first_name",
            _on_text(_first_name),
            "the first word of a full name",
            (Example("Peter Gibbons", "Peter"), Example("  Ana  María de la Cruz ", "Ana"), Example(" ", None)),
        ),
        Filter(
            "last_name",
            _on_text(_last_name),
            "a full name without its first word",
            (
                Example("Peter Gibbons", "Gibbons"),
                Example("  Ana  María de la Cruz ", "María de la Cruz"),
                Example("Cher", None),
            ),
        ),
        Filter(
            "if_email",
            _on_text(lambda text: text if is_email(text.strip()) else None),
            "the value if it is an e-mail address, else no value",
            (Example("peter@initech.com", "peter@initech.com"), Example("user-42", None)),
        ),
        Filter(
            "first",
            _first,
            "the first item of a list; anything else stays as it is",
            (Example(["555-1", "555-2"], "555-1"), Example("555-1", "555-1"), Example([], None)),
        ),
        Filter(
            "join",
            _join,
            "a list as one text, with `, ` or the given separator between the items",
            (Example(["a", "b"], "a, b"), Example(["a", 1, None], "a;1", (";",))),
            most=1,
        ),
        Filter(
            "json",
            _json,
            "any value as JSON text",
            (Example({"id": 666, "name": "Initech"}, '{"id":666,"name":"Initech"}'),),
        ),
    )
}
