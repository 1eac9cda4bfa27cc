"""Renders a source's events in their order, on several cores where that is wished."""

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import Literal

from sfmap.engine.load import chosen_mappings, compile_mappings
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Rejected
from sfmap.engine.preview import explained_lines, explained_text, json_line, soap_envelopes
from sfmap.engine.project import load_project
from sfmap.engine.sources.ndjson import NdjsonSource
from sfmap.engine.sources.port import Position, Received

_MUCH = 16 * 1024 * 1024
"""Bytes; less is rendered before other processes have begun."""

Render = Callable[[Received], tuple[bytes, bool]]
"""What an event becomes, as text, and whether it is rejected."""


class RenderingFailed(Exception):
    """Processes that could not do their part; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """What is to be rendered how; each core makes its own renderer of it."""

    mappings: Path | None
    """A folder, or None for the project's mappings."""
    org: str | None
    format: Literal["json", "soap"] | None = None
    explain: bool = False

    def renderer(self) -> Render:
        """Raises `Mistakes`, `CannotRead` or `NoSuchOrg`."""
        mapper = Mapper(compile_mappings(*chosen_mappings(load_project(Path()), self.mappings, self.org)))
        told = explained_lines if self.format == "json" else explained_text
        written = soap_envelopes() if self.format == "soap" else json_line

        def render(received: Received) -> tuple[bytes, bool]:
            if received.event is None:
                unread = Rejected("", f"line {received.line}: {received.problem}")
                return written(received.number, unread), True
            mapped = mapper.map(received.event)
            failed = any(item.__class__ is Rejected for item in mapped)
            if self.explain:
                return b"".join(told(mapper, received.number, received.event)), failed
            return b"".join([written(received.number, item) for item in mapped]), failed

        return render


def render_all(rendering: Rendering, source: NdjsonSource, jobs: int | None) -> Iterator[tuple[bytes, bool]]:
    """What the events become, some at a time. Raises what `Rendering.renderer` and the source
    raise, and `RenderingFailed`.

    By so many processes; without `jobs`, by one for each core where there is much to do. What is not read from
    files is rendered by one process, whatever `jobs` says.
    """
    render = rendering.renderer()
    if jobs is None:
        jobs = (os.cpu_count() or 1) if (source.size() or 0) >= _MUCH else 1
    if jobs == 1 or not source.is_of_files:
        yield from map(render, source)
        return
    pool = ProcessPoolExecutor(jobs, initializer=_begin, initargs=(rendering, source.files))
    try:
        waiting: deque[Future[tuple[bytes, bool]]] = deque()
        for start, count in source.parts():
            waiting.append(pool.submit(_render_part, start, count))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        for future in waiting:
            yield future.result()
    except BrokenProcessPool as error:
        message = "one of the processes was ended from outside, perhaps for want of memory; try --jobs 1"
        raise RenderingFailed(message) from error
    finally:
        pool.shutdown(cancel_futures=True)


_work: list[tuple[Render, NdjsonSource]] = []
"""Of a process that renders parts; empty in the one that hands them out."""


def _begin(rendering: Rendering, files: tuple[str, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that hands out the parts ends the others
    Thread(target=_end_with_parent, daemon=True).start()
    _work.append((rendering.renderer(), NdjsonSource(files, sys.stdin.buffer)))


def _end_with_parent() -> None:
    """Without it, a process whose parent was killed waits for work for ever."""
    parent = parent_process()
    if parent:
        parent.join()
    os._exit(1)


def _render_part(start: Position, count: int) -> tuple[bytes, bool]:
    render, source = _work[0]
    text, failed = bytearray(), False
    for rendered, is_rejected in map(render, islice(replace(source, start=start), count)):
        text += rendered
        failed = failed or is_rejected
    return bytes(text), failed
