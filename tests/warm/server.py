"""A process that has imported everything, and forks a child for each program that is asked for.

The program is the real one, from its first line on; only the time that Python takes to import it is saved. A
client connects to the socket, sends what a process begins with, and is told the child's process id and its exit
code. The server ends when its stdin does.
"""

import asyncio
import atexit
import gc
import io
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from types import SimpleNamespace
from typing import NoReturn

import uvicorn.server

from sfmap.cli import COMMANDS
from sfmap.engine.local_org import process
from sfmap.engine.local_org.records.shipped import shipped_objects
from sfmap.engine.messages import hints
from sfmap.tests.folder import SFMAP, installed

LARGEST_REQUEST = 1024 * 1024
LATER = (
    "_pytest.junitxml",
    "_pytest.unittest",
    "anyio._backends._asyncio",
    "argparse",
    "encodings.utf_16_le",
    "encodings.utf_8_sig",
    "isal.igzip_lib",
    "lxml.builder",
    "pdb",
    "pkgutil",
    "pytest",
    "sfmap.engine.api.runs",
    "sfmap.engine.local_org.hosting",
    "sfmap.engine.local_org.own_certificate",
    "sfmap.engine.org.bulk.ingest_jobs",
    "sfmap.engine.org.soap.client",
    "sfmap.engine.project.salesforce_cli",
    "sfmap.engine.sources.queries.query_source",
    "sfmap.engine.wiring.entry_opening",
    "uvicorn.lifespan.off",
    "zeep.wsdl.bindings.http",
    "zeep.wsdl.bindings.soap",
)
"""What commands import only when they need it."""


@dataclass(frozen=True)
class Program:
    """A script, or with `-m` a module, and all that a process begins with."""

    command: tuple[str, ...]
    """After the interpreter's own options."""
    folder: str
    environment: Mapping[str, str]
    descriptors: tuple[int, int, int]
    """For stdin, stdout and stderr."""

    def start(self) -> None:
        """Runs the program in this process."""
        for number, descriptor in enumerate(self.descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment)
        time.tzset()
        hints.program.cache_clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.stdin, sys.stdout, sys.stderr = _stream(0, "r"), _stream(1, "w"), _stream(2, "w")
        if self.command[0] == "-m":
            sys.argv = [*self.command[1:]]
            runpy.run_module(self.command[1], run_name="__main__", alter_sys=True)
        else:
            sys.argv = [*self.command]
            runpy.run_path(self.command[0], run_name="__main__")


def _stream(descriptor: int, mode: str) -> io.TextIOWrapper:
    """As Python opens the standard streams."""
    raw = io.FileIO(descriptor, mode, closefd=False)
    if mode == "r":
        return io.TextIOWrapper(io.BufferedReader(raw), "utf-8", "strict")
    is_errors = descriptor == 2
    errors = "backslashreplace" if is_errors else "strict"
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, line_buffering=is_errors or raw.isatty())


class Server:
    """Forks programs until its stdin ends."""

    def __init__(self, listening: socket.socket) -> None:
        self._listening = listening
        self._selector = selectors.DefaultSelector()
        self._clients: dict[int, socket.socket] = {}
        """By process id of the child."""

    def serve(self) -> Program:
        """Returns in each child, with what it has to run."""
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    os._exit(0)
                if key.fileobj is self._listening:
                    program = self._accepted()
                    if program:
                        return program
                elif isinstance(key.fileobj, socket.socket):
                    self._lost(key.fileobj, key.data)
                else:
                    self._ended(key.fd, key.data)

    def _accepted(self) -> Program | None:
        """The program in the child; None here."""
        client, _ = self._listening.accept()
        data, descriptors, _, _ = socket.recv_fds(client, LARGEST_REQUEST, 3)
        child = os.fork()
        if child == 0:
            self._selector.close()
            for used in (self._listening, client, *self._clients.values()):
                used.close()
            return _program(data, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(BrokenPipeError):
            client.send(str(child).encode())
        self._clients[child] = client
        self._selector.register(client, selectors.EVENT_READ, child)
        self._selector.register(os.pidfd_open(child), selectors.EVENT_READ, child)
        return None

    def _lost(self, client: socket.socket, child: int) -> None:
        """Kills the child, as its client was."""
        if child not in self._clients:
            return  # it has ended by itself
        self._selector.unregister(client)
        os.kill(child, signal.SIGKILL)

    def _ended(self, descriptor: int, child: int) -> None:
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _, ended = os.waitpid(child, 0)
        client = self._clients.pop(child)
        with suppress(KeyError):
            self._selector.unregister(client)
        with client, suppress(BrokenPipeError):
            client.send(str(os.waitstatus_to_exitcode(ended)).encode())


def _program(data: bytes, descriptors: Sequence[int]) -> Program:
    folder, count, *rest = os.fsdecode(data).split("\0")
    command, variables = rest[: int(count)], rest[int(count) :]
    return Program(
        command=tuple(command[command[0] == "-P" :]),
        folder=folder,
        environment=dict(part.split("=", 1) for part in variables),
        descriptors=(descriptors[0], descriptors[1], descriptors[2]),
    )


def _end_servers_at_once() -> None:
    """Has uvicorn look a hundred times a second whether to end, not ten: most tests wait for an org to end."""
    vars(uvicorn.server)["asyncio"] = SimpleNamespace(
        **{**vars(asyncio), "sleep": lambda seconds: asyncio.sleep(seconds / 10)}
    )


def main() -> None:
    """Takes the number of the socket, and the path of the interpreter for local orgs that commands start."""
    number, process.PYTHON = sys.argv[1:]
    sys.argv = [str(SFMAP)]
    os.environ.update(installed())
    for name in COMMANDS:
        import_module(f"sfmap.engine.commands.{name.replace('-', '_')}")
    for name in LATER:
        import_module(name)
    _end_servers_at_once()
    shipped_objects(frozenset())  # read once, like a module
    gc.collect()
    gc.freeze()
    program = Server(socket.socket(fileno=int(number))).serve()
    try:
        program.start()
        code = 0
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        code = ended.code or 0
    _end(code)


def _end(code: int) -> NoReturn:
    """Ends as Python does, except that no object is freed: that would copy all that is shared with the server."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)  # Python says what it cannot write
    os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
