"""Renders a source's events in their order, on several cores where that is wished."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import active_children, parent_process
from threading import Thread
from typing import Literal

from sfmap.engine.load import ChosenMappings, compile_mappings
from sfmap.engine.mapping.explain import Explained, explain
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Rejected
from sfmap.engine.preview import explained_line, explained_text, json_line, soap_envelopes
from sfmap.engine.sources.ndjson import NdjsonSource, Part
from sfmap.engine.sources.port import Received

_MUCH = 16 * 1024 * 1024
"""Bytes; less is rendered before other processes have begun."""

MOST_JOBS = 64

Render = Callable[[Received], tuple[bytes, bool]]
"""What an event becomes, as text, and whether it is rejected."""


class RenderingFailed(Exception):
    """Processes that could not do their part; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What is to be rendered how; each core makes its own renderer of it."""

    mappings: ChosenMappings
    """As they were read, once for all cores."""
    format: Literal["json", "soap"] | None = None
    explain: bool = False

    def renderer(self) -> Render:
        """Raises `Mistakes`."""
        mapper = Mapper(compile_mappings(*self.mappings))
        told = explained_line if self.format == "json" else explained_text
        written = soap_envelopes() if self.format == "soap" else json_line

        def render(received: Received) -> tuple[bytes, bool]:
            number = received.number
            if received.event is None:
                unread = Rejected("", f"{received.place}: {received.problem}")
                return told(number, Explained(unread)) if self.explain else written(number, unread), True
            if self.explain:
                explained = explain(mapper, received.event)
                failed = any(isinstance(one.mapped, Rejected) for one in explained)
                return b"".join([told(number, one) for one in explained]), failed
            mapped = mapper.map(received.event)
            failed = any(item.__class__ is Rejected for item in mapped)
            return b"".join([written(number, item) for item in mapped]), failed

        return render


def render_all(rendering: Rendering, source: NdjsonSource, jobs: int | None) -> Iterator[tuple[bytes, bool]]:
    """What the events become, some at a time. Raises what `Rendering.renderer` and the source
    raise, and `RenderingFailed`.

    By so many processes; without `jobs`, by one for each core where there is much to do. What is not read from
    files is rendered by one process, whatever `jobs` says.
    """
    render = rendering.renderer()
    if jobs is None:
        jobs = min(_usable_cores(), MOST_JOBS) if (source.size() or 0) >= _MUCH else 1
    if jobs == 1 or not source.is_of_files:
        yield from map(render, source)
        return
    try:
        yield from _rendered_by_several(rendering, source, jobs)
    except BrokenProcessPool as error:
        message = "one of the processes was ended from outside, perhaps for want of memory; try --jobs 1"
        raise RenderingFailed(message) from error
    except OSError as error:
        for process in active_children():  # a pool that could not start all of them does not end the others
            process.terminate()
        raise RenderingFailed(f"{jobs} processes cannot be started: {error.strerror}; try --jobs 1") from error


def _rendered_by_several(rendering: Rendering, source: NdjsonSource, jobs: int) -> Iterator[tuple[bytes, bool]]:
    pool = ProcessPoolExecutor(jobs, initializer=_begin, initargs=(rendering,))
    try:
        waiting: deque[Future[tuple[bytes, bool]]] = deque()
        for part in source.parts():
            waiting.append(pool.submit(_render_part, part))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _usable_cores() -> int:
    """Those that this process may run on, where the system tells; containers and batch systems give fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_render: Render
"""Of a process that renders parts; not set in the one that hands them out."""


def _begin(rendering: Rendering) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that hands out the parts ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    global _render
    _render = rendering.renderer()


def _end_with_parent() -> None:
    """Without it, a process whose parent was killed waits for work for ever."""
    parent = parent_process()
    if parent:
        parent.join()
    os._exit(1)


def _render_part(part: Part) -> tuple[bytes, bool]:
    text, failed = bytearray(), False
    for rendered, is_rejected in map(_render, part):
        text += rendered
        failed = failed or is_rejected
    return bytes(text), failed
