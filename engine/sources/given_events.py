"""Events that a Python program gives as dicts."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import orjson

from sfmap.engine.mapping.values.record import Event
from sfmap.engine.sources.event_source import START, Begun, FileVersion, Position, Received
from sfmap.engine.sources.reading import read_event
from sfmap.engine.sources.row_values import Absent, json_value

GivenEvent = Mapping[str, object]
"""An event; values that JSON does not have, such as times and decimals, are written as in docs/sources.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenEvents:
    """The events of an iterable, which can be read once only."""

    events: Iterable[object]
    start: Position = START
    name: str = "events of a program"
    """The name in the journal: those of all programs are one source."""
    is_stream: bool = True
    remembers: bool = False
    may_repeat: bool = True
    """A program that failed is run again."""
    files: Sequence[FileVersion] = ()

    def check(self) -> None:
        """Does nothing: the first events could not be read again."""

    def starting_at(self, start: Position) -> "GivenEvents":
        return replace(self, start=start)

    def share(self, position: Position) -> None:
        return None

    def begun(self, position: Position, delivered: Sequence[FileVersion]) -> Begun:
        return Begun(source=self)

    def continued(self, position: Position, files: Sequence[FileVersion]) -> None:
        return None

    def __iter__(self) -> Iterator[Received]:
        for number, given in enumerate(self.events, self.start.number + 1):
            raw, event, problem = read_given(given)
            yield Received(
                number=number, file="event", line=number, raw=raw, event=event, problem=problem, row=f" {number}"
            )


def read_given(given: object) -> tuple[bytes, Event | None, str]:
    """The event as JSON, and as it would be read from a file, or why it is none."""
    try:
        raw = _json(given)
    except RecursionError:
        return b"", None, "nested too deeply"
    if not isinstance(given, Mapping):
        return raw, None, f"{type(given).__name__} instead of an event (a dict)"
    event, problem = read_event(raw)
    return raw, event, problem


def _json(given: object) -> bytes:
    value = json_value(given)
    value = None if isinstance(value, Absent) else value
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:  # half surrogate pairs, which reading replaces, and deeply nested values
        return json.dumps(value).encode()
