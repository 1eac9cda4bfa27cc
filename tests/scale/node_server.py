"""Starts nodes as forked children, and disturbs them at exact points.

A process of its own, as that of `tests/exactness/forks.py`: everything is imported once. The file `plug.json`
beside the folders of the nodes holds a point, a number and a signal: the first node that comes to the point so
often sends the signal to itself.
"""

import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import sfmap.engine.commands.serve
import sfmap.engine.org.soap.client  # noqa: F401 - imported for the children
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.shared.fenced_journal import FencedJournal
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.serve import crash_isolation, spool_windows

from ..exactness import forks

PLUG = Path("../plug.json")


class SharedPlug(forks.Plug):
    """The plug that whichever node comes to its point first pulls."""

    def __init__(self) -> None:
        super().__init__("", 0, 0)
        self._said = ""

    def reached(self, point: str) -> None:
        with suppress(OSError, ValueError):  # no plug, or another node has pulled it
            said = PLUG.read_text()
            with self._lock:
                if said != self._said:
                    self._said, (self._at, self._left, self._by) = said, json.loads(said)
                if point != self._at:
                    return
                self._left -= 1
                if self._left != 0:
                    return
                PLUG.unlink()
            # To this thread: another one would take a signal to the process, and this one would run on.
            signal.pthread_kill(threading.get_ident(), self._by)


def wire(plug: forks.Plug) -> None:
    """Has the transactions and the noted writes of the one that delivers reach the plug, and those that store
    accepted events."""
    of_lease, of_journal, sending = FencedJournal.transaction, PostgresJournal.transaction, Ledger.sending

    def noted(ledger: Ledger, *given: Any, **named: Any) -> int:
        number = sending(ledger, *given, **named)
        plug.reached("about to send")
        return number

    @contextmanager
    def delivering(journal: FencedJournal, **named: bool) -> Iterator[Any]:
        plug.reached("before noting")
        with of_lease(journal, **named) as inner:
            yield inner
            plug.reached("in noting")
        plug.reached("noted")

    @contextmanager
    def any_transaction(journal: PostgresJournal, **named: bool) -> Iterator[Any]:
        is_accepting = threading.current_thread().name.startswith("spool")
        with of_journal(journal, **named) as inner:
            yield inner
            if is_accepting:
                plug.reached("in append")
        if is_accepting:
            plug.reached("appended")

    Ledger.sending = noted  # type: ignore[assignment, method-assign]
    FencedJournal.transaction = delivering  # type: ignore[assignment, method-assign]
    PostgresJournal.transaction = any_transaction  # type: ignore[assignment, method-assign]


def end_with(alive: int) -> None:
    """Ends this process when the server of nodes has ended, however that did."""
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGKILL)


def serve(asked: dict[str, Any]) -> None:
    if size := asked.pop("window", 0):
        for module in (crash_isolation, spool_windows):
            vars(module)["WINDOW_SIZE"] = size
    threading.Thread(target=end_with, args=[asked["alive"][0]], daemon=True).start()
    plug = SharedPlug()
    wire(plug)
    forks.command(asked, plug)


def answer_until_the_end() -> None:
    """Answers each line of standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    alive = os.pipe()  # closed with this process, which ends the org
    started: list[int] = []

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    def start(work: Callable[[], object]) -> int:
        started.append(forks.fork(work))
        return started[-1]

    gc.collect()
    gc.freeze()
    while line := sys.stdin.buffer.readline():
        asked = {**json.loads(line), "alive": alive}
        if "org" in asked:
            start(partial(forks.org, asked, tell))
        elif "ended" in asked:
            done, status = os.waitpid(asked["ended"], os.WNOHANG)
            tell({"code": os.waitstatus_to_exitcode(status) if done else None})
        else:
            tell({"process": start(partial(serve, asked))})
    for process in started:
        with suppress(ProcessLookupError):
            os.kill(process, 15)


if __name__ == "__main__":
    answer_until_the_end()
