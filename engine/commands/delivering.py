"""Stops commands that deliver on Ctrl-C."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sfmap.engine.commands.status_line import interrupted_line


@contextmanager
def stop_signal() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has asked the command to stop; a second one ends it at once."""
    stop = threading.Event()
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(number: int, _frame: object) -> None:
        # Not through sys.stderr: the signal may have arrived while a line is being written there.
        if stop.is_set():
            os.write(2, interrupted_line("Stopped."))
            os._exit(128 + number)  # an exception would wait for the threads that make the calls
        stop.set()
        os.write(2, interrupted_line("Stopping after the calls in flight; Ctrl-C again stops at once."))

    for number in previous:
        signal.signal(number, handle)
    try:
        yield stop.is_set
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
