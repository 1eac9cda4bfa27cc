"""One event's bytes as the event, or why they are none."""

import json

import orjson

from sfmap.engine.mapping.record import Event, Json
from sfmap.engine.mapping.values import replace_half_pairs

LONGEST_LINE = 64 * 1024 * 1024


class NotJson(ValueError):
    """Bytes that hold no JSON; the message says why and where."""


def read_event(line: bytes) -> tuple[Event | None, str]:
    """The event, or why the line is none."""
    if len(line) > LONGEST_LINE:
        return None, f"longer than {LONGEST_LINE // 1024 // 1024} MiB"
    try:
        value: Json = orjson.loads(line)
    except orjson.JSONDecodeError:
        return _read_patiently(line)
    return (value, "") if isinstance(value, dict) else (None, _no_event(value))


def _read_patiently(line: bytes) -> tuple[Event | None, str]:
    try:
        value = _read_slowly(line)
    except NotJson as error:
        several = line.strip() in (b"{", b"[")
        return None, "not JSON: write each event on one line" if several else str(error)
    return (value, "") if isinstance(value, dict) else (None, _no_event(value))


def _no_event(value: Json) -> str:
    hint = "; write each event on one line" if isinstance(value, list) else ""
    return f"{_kind(value)} instead of an event (a JSON object){hint}"


def read_json(data: bytes) -> Json:
    """The value. Raises `NotJson`."""
    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = _read_slowly(data)
    return value


def _read_slowly(data: bytes) -> Json:
    """Half surrogate pairs and huge numbers, which orjson refuses, are read all the same. Raises `NotJson`."""
    try:
        return replace_half_pairs(json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant))
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if error.lineno > 1 else ""
        raise NotJson(f"not JSON: {error.msg.removesuffix(' at')}, {line}column {error.colno}") from None
    except UnicodeDecodeError:
        raise NotJson("not UTF-8") from None
    except ValueError as error:
        raise NotJson(f"not JSON: {error}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    return "a text" if isinstance(value, str) else "a list"
