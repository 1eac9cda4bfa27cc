"""Renders a source's events in order, on several cores if wanted."""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Literal

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.explanation import Explained, explain
from sfmap.engine.inspect.formats import explained_line, explained_text, json_line, soap_envelopes
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Rejected
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.sources.event_source import EventSource, Received, SourceFailed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.parts import Part, can_be_split, parts

_MUCH = 16 * 1024 * 1024
"""In bytes; smaller sources are rendered before other processes have started."""

MOST_JOBS = 64
_AHEAD = 2
"""Parts that a process has at once, so that it can continue while a result waits for its turn."""

Render = Callable[[Received], tuple[bytes, bool]]
"""Returns an event's rendering, and whether it is rejected."""


class RenderingFailed(SfmapError):
    """A process failed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """The options of a rendering, from which each process makes its own renderer."""

    mappings: ChosenMappings
    """The mapping files, read once for all processes."""
    format: Literal["json", "soap"] | None = None
    explain: bool = False

    def renderer(self) -> Render:
        """Makes a renderer. Raises `Mistakes`."""
        mapper = Mapper(compile_mappings(self.mappings))
        told = explained_line if self.format == "json" else explained_text
        written = soap_envelopes() if self.format == "soap" else json_line

        def render(received: Received) -> tuple[bytes, bool]:
            number = received.number
            if received.event is None:
                unread = Rejected("", f"{received.place}: {received.problem}")
                return told(number, Explained(unread)) if self.explain else written(number, unread), True
            if self.explain:
                explained = explain(mapper, received.event)
                failed = Rejected in (type(one.mapped) for one in explained)
                return b"".join([told(number, one) for one in explained]), failed
            mapped = mapper.map(received.event)
            return b"".join([written(number, item) for item in mapped]), Rejected in map(type, mapped)

        return render


def render_all(rendering: Rendering, source: EventSource, jobs: int | None) -> Iterator[tuple[bytes, bool]]:
    """The renderings of the events, in chunks. Raises the same as `Rendering.renderer` and the source, and
    `RenderingFailed`.

    Uses `jobs` processes, or by default one for each core if there is much to do. Events that do not come from
    files are always rendered by one process.
    """
    render = rendering.renderer()
    if jobs is None:
        is_much = isinstance(source, FileSource) and (source.size or 0) >= _MUCH
        jobs = min(usable_cores(), MOST_JOBS) if is_much else 1
    if jobs == 1 or not (isinstance(source, FileSource) and can_be_split(source)):
        yield from map(render, source)
        return
    workers: list[_Worker] = []
    waiting: deque[_Worker] = deque()
    try:
        for index, part in enumerate(parts(source)):
            if len(workers) < jobs:
                workers.append(_start(rendering, jobs))
            if len(waiting) == _AHEAD * jobs:
                yield waiting.popleft().result()
            worker = workers[index % jobs]
            worker.take(part)
            waiting.append(worker)
        while waiting:
            yield waiting.popleft().result()
    finally:
        for worker in workers:
            worker.end()


def usable_cores() -> int:
    """The number of cores that this process may use, which containers and batch systems restrict."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process that renders parts, one after the other.

    Not `ProcessPoolExecutor`: it waits forever for a process that is killed while it returns a result.
    """

    process: BaseProcess
    connection: "Connection[Part, _Result]"

    def take(self, part: Part) -> None:
        """Sends a part to the process. Raises `RenderingFailed`."""
        with _lost():
            self.connection.send(part)

    def result(self) -> tuple[bytes, bool]:
        """The result of the oldest pending part. Raises `SourceFailed` or `RenderingFailed`."""
        with _lost():
            result = self.connection.recv()
        if isinstance(result, SourceFailed):
            raise result
        return result

    def end(self) -> None:
        self.process.terminate()
        self.process.join()


_Result = tuple[bytes, bool] | SourceFailed


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        message = "one of the processes was killed, perhaps because memory ran out; try --jobs 1"
        raise RenderingFailed(message) from error


def _start(rendering: Rendering, jobs: int) -> _Worker:
    try:
        ours, theirs = Pipe()
        process = Process(target=_work, args=(rendering, theirs, ours), daemon=True)
        process.start()
    except OSError as error:
        raise RenderingFailed(f"{jobs} processes cannot be started: {error.strerror}; try --jobs 1") from error
    theirs.close()  # so that reading from a process that has ended reaches the end of the stream
    return _Worker(process, ours)


def _work(
    rendering: Rendering, connection: "Connection[_Result, Part]", other_end: "Connection[Part, _Result]"
) -> None:
    """Renders parts until the parent closes the connection, terminates this process, or is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    other_end.close()  # otherwise the connection would stay open through this end
    render = rendering.renderer()
    with suppress(EOFError, OSError):
        while True:
            connection.send(_rendered(render, connection.recv()))


def _rendered(render: Render, part: Part) -> _Result:
    text, failed = bytearray(), False
    try:
        for rendered, is_rejected in map(render, part):
            text += rendered
            failed = failed or is_rejected
    except SourceFailed as error:
        return error
    return bytes(text), failed
