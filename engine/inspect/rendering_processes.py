"""Renders the parts of files in several processes."""

import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.rendering import Render, Rendering
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.parts import Part, parts

_AHEAD = 2
"""Parts that a process has at once, so that it can continue while a result waits for its turn."""


class RenderingFailed(SfmapError):
    """A process failed; the message says what to do."""


def render_parts(rendering: Rendering, source: FileSource, jobs: int) -> Iterator[tuple[bytes, bool]]:
    """The renderings of the events, in chunks. Raises `SourceFailed` or `RenderingFailed`."""
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
