"""Renders the parts of files in several processes."""

import signal
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.rendering import Render, Rendering
from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.files.parts import Part, parts

_AHEAD = 3
"""Parts that a process has at once, so that it can continue while others wait for their turn to be written."""

_Rendered = tuple[bytes, bool] | SourceFailed
_Answer = bool | SourceFailed | OSError | None
"""Whether any event of the written part is rejected, or why it cannot be written; None for a rendered part."""


class RenderingFailed(SfmapError):
    """A process failed; the message says what to do."""


def render_parts(rendering: Rendering, source: FileSource, jobs: int, out: int) -> bool:
    """Writes the renderings of the events to a file descriptor; returns whether any was rejected.

    Each process writes what it has rendered when it is its turn, so that no text travels between processes.
    Raises `SourceFailed`, `RenderingFailed` or `OSError`.
    """
    workers: list[_Worker] = []
    coming = enumerate(parts(source))
    given = next(coming, None)
    written, failed = 0, False
    try:
        while True:
            while given and len(workers) < jobs:
                workers.append(_start(rendering, out, jobs))
                workers[-1].take(*given)
                given = next(coming, None)
            for worker in workers:
                if not worker.is_busy and worker.held and worker.held[0] == written:
                    worker.write()
                elif not worker.is_busy and given and len(worker.held) < _AHEAD:
                    worker.take(*given)
                    given = next(coming, None)
            busy = [worker for worker in workers if worker.is_busy]
            if not busy:
                return failed
            answered = wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection in answered and (is_rejected := worker.answer()) is not None:
                    written += 1
                    failed = failed or is_rejected
    finally:
        for worker in workers:
            worker.end()


@dataclass(slots=True)
class _Worker:
    """A process that renders parts, one after the other, and writes each when told to.

    Not `ProcessPoolExecutor`: it waits forever for a process that is killed while it returns a result.
    """

    process: BaseProcess
    connection: "Connection[Part | None, _Answer]"
    held: deque[int] = field(default_factory=deque)
    """The numbers of the parts that it has taken and not written."""
    is_busy: bool = False
    """Whether it has not answered yet."""

    def take(self, number: int, part: Part) -> None:
        """Sends it a part. Raises `RenderingFailed`."""
        self.held.append(number)
        self._send(part)

    def write(self) -> None:
        """Has it write the oldest part that it holds. Raises `RenderingFailed`."""
        self.held.popleft()
        self._send(None)

    def answer(self) -> bool | None:
        """Whether any event of a written part is rejected; None if a part is rendered.

        Raises `SourceFailed` or `OSError`, as the process did, or `RenderingFailed`.
        """
        with _lost():
            answer = self.connection.recv()
        self.is_busy = False
        if isinstance(answer, Exception):
            raise answer
        return answer

    def end(self) -> None:
        self.process.terminate()
        self.process.join()

    def _send(self, part: Part | None) -> None:
        with _lost():
            self.connection.send(part)
        self.is_busy = True


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except (EOFError, OSError) as error:
        message = "one of the processes was killed, perhaps because memory ran out; try --jobs 1"
        raise RenderingFailed(message) from error


def _start(rendering: Rendering, out: int, jobs: int) -> _Worker:
    try:
        ours, theirs = Pipe()
        process = Process(target=_work, args=(rendering, out, theirs, ours), daemon=True)
        process.start()
    except OSError as error:
        raise RenderingFailed(f"{jobs} processes cannot be started: {error.strerror}; try --jobs 1") from error
    theirs.close()  # so that reading from a process that has ended reaches the end of the stream
    return _Worker(process, ours)


def _work(
    rendering: Rendering,
    out: int,
    connection: "Connection[_Answer, Part | None]",
    other_end: "Connection[Part | None, _Answer]",
) -> None:
    """Renders and writes until the parent closes the connection, terminates this process, or is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    other_end.close()  # otherwise the connection would stay open through this end
    render = rendering.render
    held: deque[_Rendered] = deque()
    with suppress(EOFError, OSError):
        while True:
            part = connection.recv()
            if part is None:
                connection.send(_written(held.popleft(), out))
            else:
                held.append(_rendered(render, part))
                connection.send(None)


def _rendered(render: Render, part: Part) -> _Rendered:
    text, failed = bytearray(), False
    try:
        for rendered, is_rejected in map(render, part):
            text += rendered
            failed = failed or is_rejected
    except SourceFailed as error:
        return error
    return bytes(text), failed


def _written(rendered: _Rendered, out: int) -> _Answer:
    if isinstance(rendered, SourceFailed):
        return rendered
    text, failed = rendered
    try:
        with open(out, "wb", closefd=False) as stream:
            stream.write(text)
    except OSError as error:
        return error
    return failed
