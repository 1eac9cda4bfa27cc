"""The output of `sfmap render`: each record or fate as a line of JSON."""

from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.values.record import Mapped
from sfmap.engine.sources.reading import json_bytes


def json_line(number: int, mapped: Mapped) -> bytes:
    """The record or fate of the event with that number."""
    return json_bytes(as_json(number, mapped)) + b"\n"
