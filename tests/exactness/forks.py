"""Runs the real command in forked children: everything is imported once, so that a command takes milliseconds.

A process of its own, which reads a line of JSON for each command and answers with its exit code. A child can end
itself at a point that is counted: the n-th transaction of the journal, or the n-th call to the org.
"""

import gc
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import FunctionType
from typing import Any

import urllib3.connection

import sfmap.engine.commands.retry
import sfmap.engine.commands.run
import sfmap.engine.org.soap.client  # noqa: F401 - imported for the children
from sfmap.cli import main
from sfmap.engine.delivery import load_jobs, loads, pipeline, windows
from sfmap.engine.http.server import WebServer
from sfmap.engine.journal.database import Transaction
from sfmap.engine.journal.shared.lease_session import LeaseSession
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.journal.sqlite_file import SqliteFile
from sfmap.engine.local_org.hosting import LocalOrgOptions, serve

LONGEST = 300
"""Seconds after which a command that does not end is killed: sixty bulk jobs, one after the other, take two
minutes where others take all cores."""


class Plug:
    """Ends this process by a signal, or asks it to stop, at the n-th of some points, or after some words."""

    def __init__(self, at: str, number: int, by: int) -> None:
        self._at = at
        self._left = number
        self._by = by
        self._lock = threading.Lock()
        self.words = at.removeprefix("said ") if at.startswith("said ") else ""

    def listen(self) -> None:
        """Until the words are on stderr."""
        while self.words not in Path("said.txt").read_text():
            time.sleep(0.01)
        os.kill(os.getpid(), self._by)

    def reached(self, point: str) -> None:
        with self._lock:
            if point == self._at:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), self._by)


def wire(plug: Plug, counted: Path) -> None:
    """Has the journal's transactions and the calls to the org reach the plug, and counts them in a file."""
    connection = urllib3.connection.HTTPConnection
    request, getresponse = connection.request, connection.getresponse

    def reach(point: str) -> None:
        with counted.open("a") as file:
            file.write(point + "\n")
        plug.reached(point)

    def plugged(transaction: Callable[..., AbstractContextManager[Transaction]]) -> Callable[..., Any]:
        @contextmanager
        def reaching(database: object, **named: bool) -> Iterator[Transaction]:
            reach("before transaction")
            with transaction(database, **named) as inner:
                yield inner
            reach("after transaction")

        return reaching

    def plugged_request(self: Any, *arguments: Any, **named: Any) -> None:
        reach("before call")
        request(self, *arguments, **named)

    def plugged_getresponse(self: Any) -> Any:
        reach("in call")
        answer = getresponse(self)
        reach("after call")
        return answer

    if plug.words:
        threading.Thread(target=plug.listen, daemon=True).start()
    for kind in (SqliteFile, PostgresJournal):
        kind.transaction = plugged(kind.transaction)  # type: ignore[method-assign]
    connection.request = plugged_request  # type: ignore[method-assign]
    connection.getresponse = plugged_getresponse  # type: ignore[method-assign]


def move_clock(seconds: float) -> None:
    """As if somebody had set the machine's clock."""
    real = time.time

    def moved() -> float:
        return real() + seconds

    time.time = moved
    gc.unfreeze()  # else the functions would not be listed
    for function in (one for one in gc.get_objects() if isinstance(one, FunctionType)):
        if real in (function.__defaults__ or ()):
            function.__defaults__ = tuple(moved if one is real else one for one in function.__defaults__ or ())


def set_window(size: int) -> None:
    """How many events go together at the most."""
    pipeline.DeliveryOptions.__init__.__kwdefaults__ = {
        **(pipeline.DeliveryOptions.__init__.__kwdefaults__ or {}),
        "window_size": size,
    }
    windows.WINDOW_SIZE = size  # of streams


def open_windows_one_by_one() -> None:
    """Lets no window be opened before the one before it is committed."""
    pipeline._FEWEST_OPEN, pipeline._CALLS_AHEAD = 1, 0


def command(asked: dict[str, Any], shared: Plug | None = None) -> None:
    """Runs the command that was asked for; `shared` is a plug that several processes may pull."""
    os.close(asked["alive"][1])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(asked["cwd"])
    os.environ.update(asked["env"])
    source = os.open(asked["stdin"] or os.devnull, os.O_RDONLY)
    said = os.open("said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    printed = os.open("printed.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for number, descriptor in enumerate((source, printed, said)):
        os.dup2(descriptor, number)
    plug = asked.get("plug")
    wire(shared or (Plug(*plug) if plug else Plug("", 0, 0)), Path("points.txt"))
    if asked.get("clock"):
        move_clock(asked["clock"])
    LeaseSession.lasts = 0.5
    load_jobs.FIRST_PAUSE = 0.02
    if asked.get("fewest"):
        loads.FEWEST_CALLED = loads.FEWEST_ROWS = loads._CALLED_AFTER_FEW = asked["fewest"]
    if asked.get("window"):
        set_window(asked["window"])
    if asked.get("in_order"):
        open_windows_one_by_one()
    sys.argv = ["sfmap", *asked["argv"]]
    main()


def org(asked: dict[str, Any], tell: Callable[[dict[str, Any]], None]) -> None:
    os.setsid()
    os.close(asked["alive"][1])

    def ready(server: WebServer) -> None:
        def until_the_server_ends() -> None:
            os.read(asked["alive"][0], 1)
            server.stop()

        threading.Thread(target=until_the_server_ends, daemon=True).start()
        tell({"url": server.url})

    options = LocalOrgOptions(database=Path(asked["org"]["database"]), schema=Path(asked["org"]["schema"]))
    serve(options, ready)


def fork(work: Callable[[], object]) -> int:
    """The child's number; the child does the work, and ends."""
    process = os.fork()
    if process:
        return process
    code = 70
    try:
        gc.enable()
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except Exception:  # noqa: BLE001 - the parent must never run on in the child
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def wait(process: int) -> int | str:
    end = time.monotonic() + LONGEST
    pause = 0.001
    while time.monotonic() < end:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(pause)
        pause = min(pause * 1.5, 0.01)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "it did not end"


def serve_forks() -> None:
    """Until the end of standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    orgs: list[int] = []
    alive = os.pipe()  # closed with this process, which ends the orgs

    def tell(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer) + "\n")
        answers.flush()

    gc.collect()
    gc.freeze()
    while line := sys.stdin.buffer.readline():
        asked = {**json.loads(line), "alive": alive}
        if "org" in asked:
            orgs.append(fork(lambda asked=asked: org(asked, tell)))  # type: ignore[misc]
        else:
            tell({"code": wait(fork(lambda asked=asked: command(asked)))})  # type: ignore[misc]
    for process in orgs:
        os.kill(process, signal.SIGTERM)


if __name__ == "__main__":
    serve_forks()
