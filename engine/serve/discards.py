"""Discards dead letters a few seconds after it was asked for, so that it can be undone."""

import threading
from collections.abc import Callable

from sfmap.engine.journal.database import Database, JournalFailed
from sfmap.engine.journal.dead_letter_store import DeadLetter, discard_dead_letters
from sfmap.engine.serve.log import Log

UNDO_SECONDS = 10.0


class Discards:
    """Thread-safe."""

    def __init__(self, database: Database, on_discarded: Callable[[list[DeadLetter]], object], log: Log) -> None:
        """`on_discarded` is called after dead letters were deleted."""
        self._database = database
        self._on_discarded = on_discarded
        self._log = log
        self._lock = threading.Lock()
        self._waiting: dict[int, tuple[DeadLetter, threading.Timer]] = {}

    def discard(self, letter: DeadLetter) -> None:
        timer = threading.Timer(UNDO_SECONDS, self._end, [letter.id])
        timer.daemon = True
        with self._lock:
            if letter.id in self._waiting:
                return
            self._waiting[letter.id] = letter, timer
        timer.start()

    def undo(self, number: int) -> bool:
        """Whether it was in time."""
        with self._lock:
            waiting = self._waiting.pop(number, None)
        if waiting:
            waiting[1].cancel()
        return waiting is not None

    def is_waiting(self, number: int) -> bool:
        with self._lock:
            return number in self._waiting

    @property
    def waiting(self) -> int:
        """How many are discarded unless that is undone."""
        return len(self._waiting)

    def stop(self) -> None:
        """Discards what waits at once."""
        for number in list(self._waiting):
            self._end(number)

    def _end(self, number: int) -> None:
        with self._lock:
            waiting = self._waiting.pop(number, None)
        if waiting is None:
            return
        letter, timer = waiting
        timer.cancel()
        try:
            discard_dead_letters(self._database, [number])
        except JournalFailed as error:
            self._log("warning", f"The dead letter {number} was not discarded: {error}")
            return
        self._on_discarded([letter])
