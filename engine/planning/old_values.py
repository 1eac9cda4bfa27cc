"""Files of old values: lines that are events, and the mappings that put the values back."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from sfmap.engine.errors import SfmapError
from sfmap.engine.yaml_files.diagnostics import Source

_NAMES = {"update": "Old values of", "delete": "Deleted"}


class Saved(NamedTuple):
    """What one record held."""

    object_name: str
    verb: str
    id: str
    fields: Mapping[str, str | None]


class NoOldValues(SfmapError):
    """A file was not written by `sfmap run --save-old`, or holds nothing that can be put back."""


def saved_line(object_name: str, verb: str, record_id: str, fields: Mapping[str, str | None]) -> bytes:
    """The line of a record, as an event."""
    properties = {"object": object_name, "id": record_id, "fields": dict(fields)}
    event = {"type": "track", "event": f"{_NAMES[verb]} {object_name}", "properties": properties}
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def saved_values(name: str) -> Iterator[tuple[int, Saved]]:
    """What a file holds, each with the size of the file up to there; a last line that is not whole is left out.

    Raises `NoOldValues`.
    """
    size = 0
    try:
        with open(name, "rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    return
                size += len(line)
                yield size, _saved(line)
    except OSError as error:
        raise NoOldValues(f"cannot read {name}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NoOldValues(f"{name} holds something else than old values: name another file") from None


def _saved(line: bytes) -> Saved:
    event = orjson.loads(line)
    properties = event["properties"]
    verb = next(verb for verb, begins in _NAMES.items() if event["event"] == f"{begins} {properties['object']}")
    return Saved(properties["object"], verb, properties["id"], dict(properties["fields"]))


def mappings_to_put_back(name: str) -> dict[str, Source]:
    """By name, the mappings that write the old values of a file again. Raises `NoOldValues`."""
    fields: dict[str, dict[str, None]] = {}
    for _, saved in saved_values(name):
        if saved.verb == "update":
            fields.setdefault(saved.object_name, {}).update(dict.fromkeys(saved.fields))
    if not fields:
        raise NoOldValues(f"{name} holds no old value that could be put back: no record was changed")
    return {
        object_name: Source(f"{name} ({object_name})", "\n".join(_mapping(object_name, names)))
        for object_name, names in fields.items()
    }


def _mapping(object_name: str, fields: Mapping[str, None]) -> Iterator[str]:
    yield "sfmap: 1"
    yield f"event: {{type: track, name: {_NAMES['update']} {object_name}}}"
    yield f"object: {object_name}"
    yield "operation: update"
    yield "match: [{Id: properties.id}]"
    yield "fields:"
    for one in fields:
        yield f"  {one}: {{from: {json.dumps(f'$.properties.fields.{one}')}, on_null: clear}}"
