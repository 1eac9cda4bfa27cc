"""Tells the other nodes that this one runs, and looks at what all of them share."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.serve.metrics import Metrics

_EACH_SECONDS = 2.0


@contextmanager
def present(nodes: Nodes, metrics: Metrics, looks: Sequence[Callable[[], None]]) -> Iterator[None]:
    """Tells it on a thread until the context ends, which shows, too, whether the state can be reached.

    `looks` update what other nodes change, too; they may raise `JournalFailed`.
    """
    ended = threading.Event()

    def tell_and_look() -> None:
        while not ended.is_set():
            try:
                nodes.tell(*metrics.counted())
                for look in looks:
                    look()
                metrics.state_trouble = ""
            except JournalFailed as error:
                metrics.state_trouble = str(error)
            ended.wait(_EACH_SECONDS)

    thread = threading.Thread(target=tell_and_look, name="presence", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        if not metrics.state_trouble:
            with suppress(JournalFailed):  # the others see that it tells nothing any more
                nodes.leave()
