"""Nodes of `sfmap serve`, each a process with a folder of its own, and clients that send to them in turn."""

import http.client
import json
import os
import re
import signal
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from ..exactness.harness import SECRETS, Failure, Stage
from ..exactness.model import Event
from ..exactness.trial import Trial
from ..service import metric_in

Found = TypeVar("Found")
_AUTHORIZATION = {"Authorization": f"Basic {b64encode(b'any:').decode()}"}
_ANSWER_SECONDS = 2.0
"""How long a client waits for an answer before it sends to another node."""
_START_SECONDS = 60.0


@dataclass
class Node:
    """One node after the other, in one folder."""

    stage: Stage
    folder: Path
    arguments: tuple[str, ...] = ()
    window: int = 0
    process: int = 0
    url: str = ""

    def start(self) -> None:
        said = self.folder / "said.txt"
        before = said.stat().st_size if said.exists() else 0
        argv = ["serve", "--org", "org", "--port", "0", *self.arguments]
        started = self.stage.ask(cwd=str(self.folder), argv=argv, env=SECRETS, stdin="", window=self.window)
        self.process = int(str(started["process"]))

        def address() -> re.Match[bytes] | None:
            if self.has_ended():
                raise Failure(f"a node did not start: {self.said()[-500:]}")
            return re.search(rb"(http://\S+)/v1/", said.read_bytes()[before:]) if said.exists() else None

        found = wait_for(address, _START_SECONDS)
        if not found:
            raise Failure(f"a node did not start: {self.said()[-500:]}")
        self.url = found[1].decode()

    def has_ended(self) -> bool:
        """Whether the process has ended by a signal of the test; any other end is a failure."""
        if not self.process:
            return True
        code = self._code()
        if not code:
            return False
        self.process = 0
        if code != str(-signal.SIGKILL):
            raise Failure(f"a node ended with {code}: {self.said()[-1000:]}")
        self.stage.starts["-9"] += 1
        return True

    def _code(self) -> str:
        """The exit code; empty while it runs."""
        code = self.stage.ask(ended=self.process)["code"]
        return "" if code is None else str(code)

    def is_stopped(self) -> bool:
        """Whether the process was stopped, and not yet continued."""
        status = Path(f"/proc/{self.process}/stat")
        return bool(self.process) and status.read_text().rpartition(")")[2].split()[0] == "T"

    def send(self, number: int) -> None:
        os.kill(self.process, number)

    def stop(self) -> None:
        """As a service manager does; it must end well."""
        self.send(signal.SIGTERM)
        code = wait_for(lambda: self._code(), 60)
        self.process = 0
        if code != "0":
            raise Failure(f"a node ended with {code}: {self.said()[-1000:]}")

    def metric(self, name: str) -> float | None:
        """None if it does not answer."""
        try:
            connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=_ANSWER_SECONDS)
            connection.request("GET", "/metrics")
            exposed = connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return None
        return metric_in(exposed, name)

    def said(self) -> str:
        return (self.folder / "said.txt").read_text()


def wait_for(look: Callable[[], Found], seconds: float) -> Found:
    """What `look` gives once it gives something, or at the end."""
    end = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.02)
    return found


@dataclass
class Client:
    """Sends its events in order, each batch until some node accepts it, as SDKs do."""

    name: str
    nodes: Sequence[Node]
    events: Sequence[Event]
    batch: int
    pause: float
    """Seconds between two batches."""
    allowed: int = 0
    """How many of the events may be sent by now."""
    sent: int = 0
    failed: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)
    is_over: bool = False

    def allow(self, share: float) -> None:
        with self.changed:
            self.allowed = round(len(self.events) * share)
            self.changed.notify()

    def end(self) -> None:
        with self.changed:
            self.is_over = True
            self.changed.notify()

    def run(self) -> None:
        nodes = cycle(self.nodes)
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.sent < self.allowed or self.is_over)
                if self.is_over:
                    return
                upto = min(self.allowed, self.sent + self.batch)
            events = [
                {**event, "messageId": f"{self.name}{number}"}
                for number, event in enumerate(self.events[self.sent : upto], self.sent)
            ]
            body = json.dumps({"batch": events}).encode()
            while not self.is_over and not self._is_accepted(next(nodes), body):
                time.sleep(0.05)
            self.sent = upto
            time.sleep(self.pause)

    def _is_accepted(self, node: Node, body: bytes) -> bool:
        connection = http.client.HTTPConnection(urlsplit(node.url).netloc, timeout=_ANSWER_SECONDS)
        try:
            connection.request("POST", "/v1/import", body, _AUTHORIZATION)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        if answer.status not in (200, 503):
            self.failed = f"{answer.status}: {said.decode()}"
        return answer.status == 200


@contextmanager
def running_clients(clients: Sequence[Client]) -> Iterator[None]:
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for client in clients:
            client.end()
        for thread in threads:
            thread.join()


@contextmanager
def running_nodes(stage: Stage, count: int, trial: Trial, state: str, *arguments: str) -> Iterator[Sequence[Node]]:
    """Nodes with the project of the trial; without a `state`, each has a journal of its own."""
    nodes = [
        Node(stage, stage.project(trial, f"node{number}"), arguments, trial.window) for number in range(count)
    ]
    try:
        for node in nodes:
            if state:
                with (node.folder / "sfmap.yaml").open("a") as project:
                    project.write(f"state: {state}\n")
            node.start()
        yield nodes
    finally:
        for node in nodes:
            if node.process:
                node.send(signal.SIGKILL)
                wait_for(node.has_ended, 10)
