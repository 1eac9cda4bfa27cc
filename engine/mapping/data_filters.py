"""Filters on lists, objects and numbers, and between values and JSON text."""

import re
from collections import deque
from collections.abc import Iterator

import orjson

from sfmap.engine.mapping.filter import (
    Example,
    Filter,
    Parameter,
    as_list,
    check_length,
    check_parts,
    on_text,
    plain_text,
)
from sfmap.engine.mapping.record import Json
from sfmap.engine.mapping.values import Unfit

_DEEPEST = 100
_LONGEST_KEYS = 10_000_000
"""In characters, of all the keys of a flattened object together."""
_LONGEST_JSON = 1_000_000
"""In characters, of a text that is read as JSON: in memory it takes many times as much."""

_GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?")
_NUMBER = re.compile(r"[-+]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})")
_TRUE = frozenset(("true", "yes", "y", "on", "1"))
_FALSE = frozenset(("false", "no", "n", "off", "0"))


def _first(value: Json) -> Json:
    items = as_list(value)
    return value if items is None else next(iter(items), None)


def _last(value: Json) -> Json:
    items = as_list(value)
    return value if items is None else items[-1] if items else None


def _slice(value: Json, start: int, end: int | None = None) -> Json:
    items = as_list(value)
    if items is not None:
        return items[start:end]
    text = plain_text(value)
    return None if text is None else text[start:end]


def _split(text: str, separator: str) -> Json:
    check_parts(text.count(separator))
    return [piece.strip() for piece in text.split(separator) if piece.strip()]


def _join(value: Json, separator: str = ", ") -> Json:
    items = as_list(value)
    if items is None:
        return value
    texts = [text for text in map(plain_text, items) if text is not None]
    check_length(sum(map(len, texts)) + len(str(separator)) * len(texts))
    return str(separator).join(texts)


def _default(value: Json, other: Json = "") -> Json:
    items = as_list(value)
    known = items if items is not None else value
    is_value = isinstance(known, (str, int, float, list, dict))
    return other if not is_value or (isinstance(known, str) and not known.strip()) else known


def _number(value: Json) -> Json:
    text = plain_text(value)
    if text is None or isinstance(value, bool):
        return None
    text = text.strip().lstrip("$€£¥").strip()
    if _GROUPED.fullmatch(text):
        text = text.replace(",", "")
    if isinstance(value, (int, float)):
        return value if value == value and abs(value) < 10**18 else None
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def _int(value: Json) -> Json:
    number = _number(value)
    return int(number) if isinstance(number, (int, float)) else None


def _bool(value: Json) -> Json:
    text = (plain_text(value) or "").strip().lower()
    return True if text in _TRUE else False if text in _FALSE else None


def _parts(value: Json, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The single values of an object or list, each with the keys that lead to it. Raises `Unfit` past a bound."""
    if len(path) > _DEEPEST:
        raise Unfit(f"is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict):
        for key, member in value.items():
            yield from _parts(member, (*path, str(key)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _parts(item, (*path, str(place)))
    else:
        yield path, value


def _bounded_parts(value: Json) -> Iterator[tuple[tuple[str, ...], Json]]:
    for number, part in enumerate(_parts(value), 1):
        check_parts(number)
        yield part


def _flatten(value: Json, separator: str = "_") -> Json:
    if isinstance(value, dict):
        parts = list(_bounded_parts(value))
        # A long key stands in the name of every value below it.
        if sum(len(key) + len(separator) for path, _ in parts for key in path) > _LONGEST_KEYS:
            raise Unfit(f"gets keys of more than {_LONGEST_KEYS:,} characters")
        return {separator.join(path): part for path, part in parts}
    items = as_list(value)
    return value if items is None else [part for _, part in _bounded_parts(items)]


def _keys(value: Json) -> Json:
    return list(value) if isinstance(value, dict) else None


def _json(value: Json) -> Json:
    items = as_list(value)
    known = items if items is not None else value
    if known is None or not isinstance(known, (str, int, float, list, dict)):
        return None
    deque(_bounded_parts(known), maxlen=0)
    try:
        return orjson.dumps(known).decode()
    except orjson.JSONEncodeError:  # numbers beyond 64 bits, half surrogate pairs
        return None


def _from_json(text: str) -> Json:
    if len(text) > _LONGEST_JSON:
        raise Unfit(f"is longer than the {_LONGEST_JSON:,} characters that from_json takes")
    try:
        value: Json = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return value


def _empty(text: Json) -> str:
    return "" if text else "must not be empty"


FILTERS = (
    Filter(
        "first",
        _first,
        "the first item of a list; anything else stays as it is",
        (Example(["555-1", "555-2"], "555-1"), Example("555-1", "555-1"), Example([], None)),
        chooses=(list,),
    ),
    Filter(
        "last",
        _last,
        "the last item of a list; anything else stays as it is",
        (Example(["555-1", "555-2"], "555-2"), Example("555-1", "555-1")),
        chooses=(list,),
    ),
    Filter(
        "slice",
        _slice,
        "a piece of a text or list, from a place (counted from 0; negative ones from the end) up to another",
        (
            Example("2026-11-23", "2026", (0, 4)),
            Example("2026-11-23", "23", (-2,)),
            Example(["a", "b", "c"], ["b", "c"], (1,)),
        ),
        (Parameter("start", int), Parameter("end", int, optional=True)),
    ),
    Filter(
        "split",
        on_text(_split),
        "a text as a list, cut at each separator; blanks around the pieces and empty pieces are left out",
        (Example("red, green,,blue", ["red", "green", "blue"], (",",)),),
        (Parameter("separator", check=_empty),),
    ),
    Filter(
        "join",
        _join,
        "a list as one text, with `, ` or the given separator between the items",
        (Example(["a", "b"], "a, b"), Example(["a", 1, None], "a;1", (";",))),
        (Parameter("separator", optional=True),),
    ),
    Filter(
        "default",
        _default,
        "the value, or the one given where there is none or a blank text",
        (Example(None, "unknown", ("unknown",)), Example(" ", 0, (0,)), Example("Pro", "Pro", ("unknown",))),
        (Parameter("other value", None, optional=True),),
    ),
    Filter(
        "number",
        _number,
        "the number in a text, with or without a currency sign and commas between thousands",
        (Example("$1,200.50", 1200.5), Example("12", 12), Example(3.5, 3.5), Example("a dozen", None)),
    ),
    Filter(
        "int",
        _int,
        "as `number`, without what stands behind the point",
        (Example("1,200.99", 1200), Example(4.7, 4), Example("many", None)),
    ),
    Filter(
        "bool",
        _bool,
        "true for true, yes, y, on and 1, false for false, no, n, off and 0",
        (Example("Yes", True), Example(0, False), Example("perhaps", None)),
    ),
    Filter(
        "json",
        _json,
        "any value as JSON text",
        (Example({"id": 666, "name": "Initech"}, '{"id":666,"name":"Initech"}'),),
    ),
    Filter(
        "from_json",
        on_text(_from_json),
        "the value that a JSON text stands for",
        (Example('{"plan": "pro"}', {"plan": "pro"}), Example("{plan", None)),
    ),
    Filter(
        "flatten",
        _flatten,
        "a nested object as one level, its keys joined by `_` or the separator given; a nested list as one list",
        (
            Example({"plan": {"name": "Pro", "seats": 5}}, {"plan_name": "Pro", "plan_seats": 5}),
            Example({"plan": {"name": "Pro"}}, {"plan.name": "Pro"}, (".",)),
            Example([1, [2, [3]]], [1, 2, 3]),
        ),
        (Parameter("separator", optional=True),),
    ),
    Filter("keys", _keys, "the keys of an object, as a list", (Example({"a": 1, "b": 2}, ["a", "b"]),)),
)
