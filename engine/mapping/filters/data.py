"""Filters on lists, objects and numbers, and between values and JSON text."""

import math
from collections.abc import Iterator

import orjson

from sfmap.engine.language.model import DECIMAL_MARKS, DecimalMark
from sfmap.engine.mapping.filters.filter import (
    ANYTHING,
    NOTHING,
    SINGLE,
    TEXT_OR_NUMBER,
    Example,
    Filter,
    Parameter,
    Unread,
    check_length,
    check_parts,
    on_text,
    plain_text,
    reading,
)
from sfmap.engine.mapping.values.parsing import Unfit, to_boolean, to_number
from sfmap.engine.mapping.values.record import Json, Value
from sfmap.engine.mapping.values.values import joined, json_text

_DEEPEST = 100
_MOST_DIGITS = 20
"""The most digits before or after the point that a number is rounded to."""
_MOST_DIGITS_OF_A_NUMBER = 2_000
"""More than any number has that is read, with the digits that it is rounded to."""
_ROUNDINGS = {"common": "ROUND_HALF_UP", "ceil": "ROUND_CEILING", "floor": "ROUND_FLOOR"}
_LONGEST_KEYS = 10_000_000
"""The most characters in all keys of a flattened object together."""
_LONGEST_JSON = 1_000_000
"""The most characters of a text that is read as JSON, which takes many times as much in memory."""


def _first(value: Json) -> Json:
    return next(iter(value), None) if isinstance(value, list) else value


def _last(value: Json) -> Json:
    return next(reversed(value), None) if isinstance(value, list) else value


def _slice(value: Json, start: int, end: int | None = None) -> Json:
    if isinstance(value, list):
        return value[start:end]
    text = plain_text(value)
    return None if text is None else text[start:end]


def _split(text: str, separator: str) -> Json:
    check_parts(text.count(separator))
    return [piece.strip() for piece in text.split(separator) if piece.strip()]


def _join(value: Json, separator: str = ", ") -> Json:
    if not isinstance(value, list):
        return value
    texts = [text for text in map(plain_text, value) if text is not None]
    check_length(sum(map(len, texts)) + len(str(separator)) * len(texts))
    text = joined(texts, str(separator))
    if any(isinstance(item, (list, dict)) for item in value):
        raise Unread("has objects or lists among its items", text)
    return text


def _default(value: Json, other: Json = "") -> Json:
    return other if value is None or (isinstance(value, str) and not value.strip()) else value


def _int(value: Value, decimal: DecimalMark) -> Json:
    return int(to_number(value, decimal))


def _round(value: Value, digits: int | None, how: str | None, decimal: DecimalMark) -> Json:
    number, digits = to_number(value, decimal), digits or 0
    if not math.isfinite(number):
        return None
    from decimal import Decimal, localcontext

    with localcontext(prec=_MOST_DIGITS_OF_A_NUMBER):
        rounded = Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), _ROUNDINGS[how or "common"])
    return float(rounded) if digits > 0 else int(rounded)


def _bad_digits(digits: Json) -> str:
    is_small = not isinstance(digits, int) or abs(digits) <= _MOST_DIGITS
    return "" if is_small else f"must be from -{_MOST_DIGITS} to {_MOST_DIGITS}"


def _bad_rounding(how: Json) -> str:
    return "" if how is None or how in _ROUNDINGS else "must be 'common', 'ceil' or 'floor'"


def _not(value: Value) -> Json:
    return not to_boolean(value)


def _bad_mark(mark: Json) -> str:
    return "" if mark is None or mark in DECIMAL_MARKS else "must be 'point' or 'comma'"


def _parts(value: Json, depth: int = 0) -> Iterator[Json]:
    """The single values in an object or list. Raises `Unfit` over a limit."""
    if depth > _DEEPEST:
        raise Unfit(f"is nested deeper than {_DEEPEST} levels")
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _parts(inner, depth + 1)
    else:
        yield value


def _check_size(value: Json) -> None:
    for number, _ in enumerate(_parts(value), 1):
        check_parts(number)


def _flatten(value: Json, separator: str = "_") -> Json:
    _check_size(value)
    if isinstance(value, list):
        return list(_items(value))
    if not isinstance(value, dict):
        return value
    members = list(_members(value))
    # A long key is part of the name of every value below it.
    if sum(len(key) + len(separator) for path, _ in members for key in path) > _LONGEST_KEYS:
        raise Unfit(f"gets keys of more than {_LONGEST_KEYS:,} characters")
    return {separator.join(path): member for path, member in members}


def _members(table: dict[str, Json], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Json]]:
    """The members of an object on all levels that are not objects themselves, each with its keys."""
    for key, member in table.items():
        if isinstance(member, dict) and member:
            yield from _members(member, (*path, key))
        else:
            yield (*path, key), member


def _items(items: list[Json]) -> Iterator[Json]:
    """The items of a list on all levels that are not lists themselves."""
    for item in items:
        if isinstance(item, list):
            yield from _items(item)
        else:
            yield item


def _compact(value: Json) -> Json:
    _check_size(value)
    return _without_nulls(value)


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(member) for key, member in value.items() if member is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _keys(value: dict[str, Json]) -> Json:
    return list(value)


def _json(value: Json) -> Json:
    _check_size(value)
    return json_text(value)


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


_MARK = Parameter("decimal mark", optional=True, check=_bad_mark, convention=lambda by: by.decimal)

FILTERS = (
    Filter(
        name="first",
        function=_first,
        summary="the first item of a list; anything else is unchanged",
        examples=(Example(["555-1", "555-2"], "555-1"), Example("555-1", "555-1"), Example([], None)),
        takes=ANYTHING,
        chooses=(list,),
        keeps=SINGLE,
    ),
    Filter(
        name="last",
        function=_last,
        summary="the last item of a list; anything else is unchanged",
        examples=(Example(["555-1", "555-2"], "555-2"), Example("555-1", "555-1")),
        takes=ANYTHING,
        chooses=(list,),
        keeps=SINGLE,
    ),
    Filter(
        name="slice",
        function=_slice,
        summary="a part of a text or list, from an index (from 0; negative ones from the end) up to another",
        examples=(
            Example("2026-11-23", "2026", (0, 4)),
            Example("2026-11-23", "23", (-2,)),
            Example(["a", "b", "c"], ["b", "c"], (1,)),
        ),
        parameters=(Parameter("start", int), Parameter("end", int, optional=True)),
        takes=(*TEXT_OR_NUMBER, list),
    ),
    Filter(
        name="split",
        function=on_text(_split),
        summary="a text as a list, split at each separator; outer blanks and empty parts are left out",
        examples=(Example("red, green,,blue", ["red", "green", "blue"], (",",)),),
        parameters=(Parameter("separator", check=_empty),),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="join",
        function=_join,
        summary="a list as one text, with `, ` or the given separator between the items; a single value is"
        " unchanged. Objects and lists among the items cannot be joined."
        " With the separator `;` of multi-select picklists, a `;` within an item becomes a comma",
        examples=(
            Example(["a", "b"], "a, b"),
            Example(["a", 1, None], "a;1", (";",)),
            Example(["red; dark", "blue"], "red, dark;blue", (";",)),
            Example("a", "a"),
        ),
        parameters=(Parameter("separator", optional=True),),
        takes=(*SINGLE, list),
    ),
    Filter(
        name="default",
        function=_default,
        summary="the value, or the given one if there is none or only a blank text",
        examples=(
            Example(None, "unknown", ("unknown",)),
            Example(" ", 0, (0,)),
            Example("Pro", "Pro", ("unknown",)),
        ),
        parameters=(Parameter("other value", None, optional=True),),
        takes=(*ANYTHING, NOTHING),
    ),
    Filter(
        name="number",
        function=reading(to_number),
        summary="the number in a text, with or without a currency (`$`, `CHF`) and separated thousands; the"
        " decimal mark is a point or a comma; a text that is grouped in any other way is not a number",
        examples=(
            Example("$1,200.50", 1200.5),
            Example("12", 12),
            Example(3.5, 3.5),
            Example("1.234,56 €", 1234.56, ("comma",)),
            Example("1,00", None),
            Example("a dozen", None),
        ),
        parameters=(_MARK,),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="int",
        function=reading(_int),
        summary="like `number`, without the decimals",
        examples=(Example("1,200.99", 1200), Example(4.7, 4), Example("many", None)),
        parameters=(_MARK,),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="round",
        function=reading(_round),
        summary="like `number`, rounded to whole numbers or to so many digits after the point: to the nearest one,"
        " halves away from zero, or always up (`'ceil'`) or down (`'floor'`)",
        examples=(
            Example(72.6, 73),
            Example("1,200.5", 1201),
            Example(3.14159, 3.14, (2,)),
            Example(1249, 1200, (-2,)),
            Example(72.6, 72, (0, "floor")),
            Example("n/a", None),
        ),
        parameters=(
            Parameter("digits", int, optional=True, check=_bad_digits),
            Parameter("direction", optional=True, check=_bad_rounding),
            _MARK,
        ),
        takes=TEXT_OR_NUMBER,
    ),
    Filter(
        name="bool",
        function=reading(to_boolean),
        summary="true for true, t, yes, y, on and 1, false for false, f, no, n, off and 0",
        examples=(Example("Yes", True), Example(0, False), Example("perhaps", None)),
        takes=SINGLE,
    ),
    Filter(
        name="not",
        function=reading(_not),
        summary="the opposite of `bool`",
        examples=(Example(True, False), Example("no", True), Example("perhaps", None)),
        takes=SINGLE,
    ),
    Filter(
        name="json",
        function=_json,
        summary="any value as JSON text",
        examples=(Example({"id": 666, "name": "Initech"}, '{"id":666,"name":"Initech"}'),),
        takes=ANYTHING,
    ),
    Filter(
        name="from_json",
        function=_from_json,
        summary="the value of a JSON text",
        examples=(Example('{"plan": "pro"}', {"plan": "pro"}), Example("{plan", None)),
    ),
    Filter(
        name="flatten",
        function=_flatten,
        summary="a nested object as one level, its keys joined by `_` or the given separator, with lists kept; a"
        " nested list as one list; a single value is unchanged",
        examples=(
            Example({"plan": {"name": "Pro", "seats": 5}}, {"plan_name": "Pro", "plan_seats": 5}),
            Example({"plan": {"tags": ["a", "b"]}}, {"plan.tags": ["a", "b"]}, (".",)),
            Example([1, [2, [3]]], [1, 2, 3]),
        ),
        parameters=(Parameter("separator", optional=True),),
        takes=ANYTHING,
    ),
    Filter(
        name="compact",
        function=_compact,
        summary="an object or list without nulls, on every level",
        examples=(
            Example({"plan": "pro", "seats": None}, {"plan": "pro"}),
            Example([1, None, {"a": None}], [1, {}]),
        ),
        takes=(list, dict),
    ),
    Filter(
        name="unless_object",
        function=lambda value: value,
        summary="the value, unless it is an object: for a trait that is an object or a single value",
        examples=(Example("461 2nd St", "461 2nd St"), Example({"street": "461 2nd St"}, None)),
        takes=(*SINGLE, list),
        chooses=(dict,),
        keeps=(*SINGLE, list),
    ),
    Filter(
        name="keys",
        function=_keys,
        summary="the keys of an object, as a list",
        examples=(Example({"a": 1, "b": 2}, ["a", "b"]),),
        takes=(dict,),
    ),
)
