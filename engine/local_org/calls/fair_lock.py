"""A lock that is given in the order in which it was asked for."""

from collections import deque
from threading import Lock
from types import TracebackType


class FairLock:
    """A thread that takes it again and again does not keep the others waiting, as with `threading.Lock`."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[Lock] = deque()
        self._is_held = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()  # it stays held, now by the thread that waited
            else:
                self._is_held = False
