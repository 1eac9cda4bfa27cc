"""A compiled source of values: a path with filters, a template or a constant, as functions of an event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sfmap.engine.mapping.filters.filter import Filter
from sfmap.engine.mapping.values.event import normal_key
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.mapping.values.values import scalar
from sfmap.engine.yaml_files.diagnostics import Span

Getter = Callable[[Event], Json]
Walk = Callable[[Event], Json | object]
"""Like `Getter`, with `MISSING` if the path does not exist."""
Segment = str | int
Path = tuple[Segment, ...]


class TemplateFailed(Exception):
    """A template could not be rendered for one event."""


class Pipe(NamedTuple):
    """A filter with its arguments."""

    known: Filter
    run: Callable[[Json], Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSource:
    text: str
    span: Span | None = None
    """The source in the YAML."""
    get: Getter
    """Raises `Unfit` if a filter reaches a limit, `UnreadableValue` if it cannot read a value.

    That of a template raises `TemplateFailed`.
    """
    reads: tuple[Path, ...] = ()
    """The leading names and indexes of the paths that it reads."""
    found: Callable[[Event], list[Json]] = lambda _: []
    """The value at the path before any filter; null for null, `MISSING` if there is none."""
    segments: Path | None = None
    """The whole path if it has only names and indexes; otherwise None."""
    pipes: tuple[Pipe, ...] = ()
    """The filters after it."""
    names: tuple[str, ...] = ()
    """The first names that a template reads from the event."""
    blanks: frozenset[str] = frozenset()
    """Values that count as no value before and after the filters, by `table_key`."""

    def is_null(self, event: Event) -> bool:
        """Whether the event has an explicit null at the path."""
        return None in self.found(event)

    def is_blank(self, event: Event) -> bool:
        """Whether the event has a blank text at the path."""
        return any(isinstance(one, str) and scalar(one) is None for one in self.found(event))


def is_below(path: Path, above: Path) -> bool:
    """Whether the path is the same or a deeper one, with names matched loosely."""
    return len(path) >= len(above) and all(map(_is_same, path, above))


def _is_same(one: Segment, other: Segment) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return normal_key(one) == normal_key(other)
    return one == other


def only_names(path: Path | None) -> tuple[str, ...] | None:
    """The path if it has only names."""
    names = tuple(segment for segment in path or () if isinstance(segment, str))
    return names if names and names == path else None
