"""Renders a source's events in order, on several cores if wanted."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Literal

from sfmap.engine.inspect.formats import json_line
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Mapped, Rejected
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.sources.event_source import Received, ResumableSource
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.parts import can_be_split

_MUCH = 16 * 1024 * 1024
"""In bytes; smaller sources are rendered before other processes have started."""

MOST_JOBS = 64

Render = Callable[[Received], tuple[bytes, bool]]
"""Returns an event's rendering, and whether it is rejected."""


@dataclass(frozen=True)
class Rendering:
    """The options of a rendering, from which a process that has no renderer makes its own."""

    mappings: ChosenMappings
    """The mapping files, read once for all processes."""
    format: Literal["json", "soap"] | None = None
    explain: bool = False

    @cached_property
    def render(self) -> Render:
        """The renderer. Raises `Mistakes`."""
        mapper = Mapper(compile_mappings(self.mappings))
        return _explaining(mapper, self.format == "json") if self.explain else _rendering(mapper, self._written())

    def __reduce__(self) -> tuple[type["Rendering"], tuple[object, ...]]:
        """The options alone: a forked process has the renderer of its parent, any other has to make one."""
        return Rendering, (self.mappings, self.format, self.explain)

    def _written(self) -> Callable[[int, Mapped], bytes]:
        if self.format != "soap":
            return json_line
        # zeep takes longer to import than everything else together.
        from sfmap.engine.inspect.envelopes import soap_envelopes

        return soap_envelopes()


def _rendering(mapper: Mapper, written: Callable[[int, Mapped], bytes]) -> Render:
    def render(received: Received) -> tuple[bytes, bool]:
        event = received.event
        mapped = (_unread(received),) if event is None else mapper.map(event)
        if len(mapped) == 1:
            (one,) = mapped
            return written(received.number, one), one.__class__ is Rejected
        return b"".join([written(received.number, one) for one in mapped]), Rejected in map(type, mapped)

    return render


def _explaining(mapper: Mapper, as_json: bool) -> Render:
    from sfmap.engine.inspect.explained_formats import explained_line, explained_text
    from sfmap.engine.inspect.explanation import Explained, explain

    told = explained_line if as_json else explained_text

    def render(received: Received) -> tuple[bytes, bool]:
        event = received.event
        explained = [Explained(_unread(received))] if event is None else explain(mapper, event)
        text = b"".join([told(received.number, one) for one in explained])
        return text, Rejected in (type(one.mapped) for one in explained)

    return render


def _unread(received: Received) -> Rejected:
    return Rejected("", f"{received.place}: {received.problem}")


def render_all(rendering: Rendering, source: ResumableSource, jobs: int | None, out: BinaryIO) -> bool:
    """Writes the renderings of the events; returns whether any was rejected.

    Uses `jobs` processes, or by default one for each core if there is much to do. Events that do not come from
    files are always rendered by one process. Raises what `Rendering.render` and the source raise, and
    `RenderingFailed`; `OSError` if it cannot write.
    """
    render = rendering.render
    if jobs is None:
        is_much = isinstance(source, FileSource) and (source.size or 0) >= _MUCH
        jobs = min(usable_cores(), MOST_JOBS) if is_much else 1
    if jobs > 1 and isinstance(source, FileSource) and can_be_split(source):
        from sfmap.engine.inspect.rendering_processes import render_parts

        return render_parts(rendering, source, jobs, out.fileno())
    is_stream, failed = source.is_stream, False
    for text, is_rejected in map(render, source):
        out.write(text)
        failed = failed or is_rejected
        if is_stream:
            out.flush()  # show each result as soon as its event arrives
    return failed


def usable_cores() -> int:
    """The number of cores that this process may use, which containers and batch systems restrict."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
