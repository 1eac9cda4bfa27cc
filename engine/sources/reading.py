"""Reads an event from bytes, and writes JSON as bytes."""

import json
import re
from math import isfinite

import orjson

from sfmap.engine.mapping.values.record import Event, Json

LONGEST_LINE = 64 * 1024 * 1024
DEEPEST = 512
"""Levels of nesting; `json_bytes` can write values of this depth again, and a few levels deeper."""
MOST_VALUES = 200_000
"""The most values in one event: in memory each takes many times its bytes, even in a line of brackets."""
_HALF_PAIRS = re.compile("[\ud800-\udfff]")
_MARKS = bytes.maketrans(b"123456789-:,[\t\n\r", b"0" * 10 + b" " * 6)
_LONG_NUMBER = b" " + b"0" * 20
"""With its marks, what a number that exceeds 64 bits begins with; a text with as many digits rarely does."""


class NotJson(ValueError):
    """The bytes are not valid JSON; the message says why and where."""


def read_event(line: bytes, each: str = "on one line") -> tuple[Event | None, str]:
    """The event, or why the line is not an event; `each` says how events are written."""
    if len(line) > LONGEST_LINE:
        return None, f"longer than {LONGEST_LINE // 1024 // 1024} MiB"
    try:
        value = read_json(line)
    except NotJson as error:
        several = line.strip() in (b"{", b"[")
        return None, f"not JSON: write each event {each}" if several else str(error)
    return (value, "") if isinstance(value, dict) else (None, _no_event(value, each))


def _no_event(value: Json, each: str) -> str:
    hint = f"; write each event {each}" if isinstance(value, list) else ""
    return f"{_kind(value)} instead of an event (a JSON object){hint}"


def read_json(data: bytes) -> Json:
    """The value. Raises `NotJson`."""
    if _values_at_most(data) > MOST_VALUES:
        raise NotJson(f"more than {MOST_VALUES:,} values")
    try:
        value: Json = _read_slowly(data) if _may_exceed_64_bits(data) else orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _read_slowly(data)
    if may_be_deeper(data, DEEPEST) and not _can_be_written(value) and is_deeper(value, DEEPEST):
        raise _too_deep()
    return value


def _may_exceed_64_bits(data: bytes) -> bool:
    """Whether it may have an integer that orjson would turn into a float, which loses its last digits."""
    return _LONG_NUMBER in (b" " + data).translate(_MARKS)


def _values_at_most(data: bytes) -> int:
    """The most values that it can hold, without reading it: each but the first follows a comma or a bracket."""
    return 0 if len(data) <= MOST_VALUES else data.count(b",") + data.count(b"[") + data.count(b"{")


def _read_slowly(data: bytes) -> Json:
    """Reads what orjson refuses or does not read exactly. Raises `NotJson`.

    Half surrogate pairs, which senders make by cutting emoji, become U+FFFD. A number beyond what a float holds
    becomes its text: number fields refuse it, and the rest of the event is read.
    """
    try:
        value = _loaded(data.decode("utf-8-sig"))
        text = json.dumps(value, ensure_ascii=False)
        return _loaded(_HALF_PAIRS.sub("\ufffd", text)) if _HALF_PAIRS.search(text) else value
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise NotJson(f"not JSON: {error.msg.removesuffix(' at')}, {line}column {error.colno}") from None
    except UnicodeDecodeError:
        raise NotJson("not UTF-8") from None


def _loaded(text: str) -> Json:
    value: Json = json.loads(text, parse_constant=_no_constant, parse_float=_finite, parse_int=_finite)
    return value


def _finite(text: str) -> int | float | str:
    number = float(text)
    if not isfinite(number):
        return text
    return int(text) if text.lstrip("-").isdigit() else number


def json_bytes(value: object) -> bytes:
    """Any value that was read, as JSON; also nested deeper than orjson can write."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def may_be_deeper(data: bytes, levels: int) -> bool:
    """Whether JSON text may be nested that deep: cheaper than `is_deeper`, and a False is always right."""
    return len(data) > 2 * levels and data.count(b"{") + data.count(b"[") > levels


def is_deeper(value: Json, levels: int) -> bool:
    """Whether lists and objects are nested more than that many levels deep."""
    level: list[Json] = [value]
    for _ in range(levels):
        holders = (one for one in level if isinstance(one, (dict, list)))
        level = [member for one in holders for member in (one.values() if isinstance(one, dict) else one)]
    return any(isinstance(one, (dict, list)) for one in level)


def _can_be_written(value: Json) -> bool:
    """Whether orjson can write it, which it does up to 254 levels; much faster than a walk."""
    try:
        orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    return True


def _too_deep() -> NotJson:
    return NotJson(f"nested more than {DEEPEST} levels deep")


def _no_constant(name: str) -> None:
    raise NotJson(f"not JSON: {name} is not a JSON number")


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    return "a text" if isinstance(value, str) else "a list"
