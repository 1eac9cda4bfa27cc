"""Threads that make the calls to the org, while the thread that decides goes on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sfmap.engine.delivery.write_pace import WritePace

Made = TypeVar("Made")


class OrgThreads:
    """The connections to an org. Deliveries of one thread can share them."""

    def __init__(self, pace: WritePace, on_finished: Callable[[], object] = lambda: None) -> None:
        """Look-ups go beside writes, unless there is one connection only.

        `on_finished` is called after each call, on the thread that has made it.
        """
        self.pace = pace
        self.on_finished = on_finished
        has_one = pace.most == 1
        self.writer = ThreadPoolExecutor(1 if has_one else 2 * pace.most, "writing")
        self.reader = self.writer if has_one else ThreadPoolExecutor(pace.most, "looking up")
        self.writing = 0
        """The number of writes that are not handed over yet."""
        self._preparation: Future[None] | None = None

    @property
    def has_free_connection(self) -> bool:
        """Whether one more write would be sent at once."""
        return self.writing < self.pace.limit

    def prepare(self, call: Callable[[], None]) -> None:
        """Makes a call that nothing waits for, unless such a one is under way. Raises what the last one raised."""
        last, self._preparation = self._preparation, None
        if last and not last.done():
            self._preparation = last
        elif last and (error := last.exception()):
            raise error
        else:
            self._preparation = self.reader.submit(call)


class OrgCalls:
    """The calls of one delivery: what they return is handed over in the thread that asks for it."""

    def __init__(self, threads: OrgThreads) -> None:
        self._threads = threads
        self._finished: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._started: set[Future[Any]] = set()
        """The calls that are not handed over yet."""

    @property
    def running(self) -> int:
        """The number of calls that are not handed over yet."""
        return len(self._started)

    @property
    def in_flight(self) -> int:
        """The number of calls that have not returned."""
        return self.running - self._finished.qsize()

    def look_up(self, call: Callable[[], Made], then: Callable[[Made], None]) -> None:
        self._start(self._threads.reader, call, then)

    def write(self, call: Callable[[], Made], then: Callable[[Made], None]) -> None:
        self._start(self._threads.writer, call, then, writes=1)

    def stop(self) -> None:
        """Makes none of the calls that have not begun."""
        for call in list(self._started):
            call.cancel()

    def hand_over(self, timeout: float = 0.0) -> bool:
        """Calls `then` with the result of one finished call; returns whether there was one.

        Raises what the call raised.
        """
        try:
            finish = self._finished.get(timeout=timeout) if timeout else self._finished.get_nowait()
        except Empty:
            return False
        finish()
        return True

    def _start(
        self, pool: ThreadPoolExecutor, call: Callable[[], Made], then: Callable[[Made], None], writes: int = 0
    ) -> None:
        def finish(made: Future[Made]) -> None:
            self._started.remove(made)
            self._threads.writing -= writes
            if not made.cancelled():
                then(made.result())

        def note(made: Future[Made]) -> None:
            self._finished.put(partial(finish, made))
            self._threads.on_finished()

        started = pool.submit(call)
        self._started.add(started)
        self._threads.writing += writes
        started.add_done_callback(note)
