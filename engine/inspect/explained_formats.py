"""The output of `sfmap render --explain`: records with the story of their fields, as JSON or as text."""

from sfmap.engine.inspect.explanation import Explained, as_text
from sfmap.engine.inspect.payload import as_json
from sfmap.engine.mapping.values.record import Line
from sfmap.engine.sources.reading import json_bytes


def explained_line(number: int, explained: Explained) -> bytes:
    """The same as `formats.json_line`, with the explanation of each field."""
    return json_bytes(as_json(number, explained.mapped) | explanation(explained)) + b"\n"


def explanation(explained: Explained) -> Line:
    """What an explained record adds to its payload."""
    return {"explain": [story.as_json() for story in explained.stories]}


def explained_text(number: int, explained: Explained) -> bytes:
    """The explained record as text."""
    return as_text(number, explained).encode("utf-8", "replace")
