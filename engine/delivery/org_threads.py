"""Threads that make the calls to the org, while the thread that decides goes on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import TypeVar

Made = TypeVar("Made")


class OrgThreads:
    """Makes calls in threads, and hands over what they return in the thread that waits for it."""

    def __init__(self, connections: int) -> None:
        """Up to so many writes are sent at once. Look-ups go beside them, unless there is one connection only."""
        self._writing = ThreadPoolExecutor(connections, "writing")
        self._looking = ThreadPoolExecutor(connections, "looking up") if connections > 1 else self._writing
        self._finished: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.running = 0
        """The number of calls that are not handed over yet."""
        self.writing = 0
        """The number of writes among them."""

    def look_up(self, call: Callable[[], Made], then: Callable[[Made], None]) -> None:
        self._start(self._looking, call, then)

    def write(self, call: Callable[[], Made], then: Callable[[Made], None]) -> None:
        def written(made: Made) -> None:
            self.writing -= 1
            then(made)

        self.writing += 1
        self._start(self._writing, call, written)

    def hand_over(self, timeout: float = 0.0) -> bool:
        """Calls `then` with the result of one finished call; returns whether there was one.

        Raises what the call raised.
        """
        try:
            finish = self._finished.get(timeout=timeout) if timeout else self._finished.get_nowait()
        except Empty:
            return False
        self.running -= 1
        finish()
        return True

    def _start(self, pool: ThreadPoolExecutor, call: Callable[[], Made], then: Callable[[Made], None]) -> None:
        def make() -> None:
            try:
                made = call()
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
                self._finished.put(_raising(error))
            else:
                self._finished.put(lambda: then(made))

        self.running += 1
        pool.submit(make)


def _raising(error: BaseException) -> Callable[[], None]:
    def finish() -> None:
        raise error

    return finish
