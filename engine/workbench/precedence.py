"""Lets requests for what a person looks at go before work on everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

_LONGEST = 1.0
"""Seconds that work waits for one request at most."""


class Precedence:
    """Threads that work on everything let the others pass between two pieces of their work."""

    def __init__(self) -> None:
        self._condition = Condition()
        self._first = 0
        self._newest = 0

    @contextmanager
    def first(self) -> Iterator[None]:
        """What goes first."""
        with self._condition:
            self._first += 1
        try:
            yield
        finally:
            with self._condition:
                self._first -= 1
                self._condition.notify_all()

    def begin(self) -> int:
        """The number of a piece of work, which replaces those begun before."""
        with self._condition:
            self._newest += 1
            return self._newest

    def may_continue(self, number: int) -> bool:
        """Waits until nothing goes first; whether the work was not replaced."""
        with self._condition:
            self._condition.wait_for(lambda: not self._first, _LONGEST)
            return number == self._newest
