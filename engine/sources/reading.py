"""One event's bytes as the event, or why they are none."""

import json

import orjson

from sfmap.engine.mapping.record import Event, Json
from sfmap.engine.mapping.values import replace_half_pairs

LONGEST_LINE = 64 * 1024 * 1024


def read_event(line: bytes) -> tuple[Event | None, str]:
    """The event, or why the line is none."""
    if len(line) > LONGEST_LINE:
        return None, f"longer than {LONGEST_LINE // 1024 // 1024} MiB"
    try:
        value = _read_json(line)
    except RecursionError:
        return None, "nested too deeply"
    except json.JSONDecodeError as error:
        several = line.strip() in (b"{", b"[")
        hint = "; write each event on one line" if several else f", column {error.colno}"
        return None, f"not JSON: {error.msg.removesuffix(' at')}{hint}"
    except UnicodeDecodeError:
        return None, "not UTF-8"
    except ValueError as error:
        return None, f"not JSON: {error}"
    if isinstance(value, dict):
        return value, ""
    hint = "; write each event on one line" if isinstance(value, list) else ""
    return None, f"{_kind(value)} instead of an event (a JSON object){hint}"


def _read_json(line: bytes) -> Json:
    """The value; half surrogate pairs and huge numbers, which orjson refuses, are read all the same."""
    try:
        value: Json = orjson.loads(line)
    except orjson.JSONDecodeError:
        value = replace_half_pairs(json.loads(line.decode(), parse_constant=_no_constant))
    return value


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
