"""The real service in a folder of its own, with a local org behind it."""

import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import orjson

from .folder import Folder, installed, warm_sfmap

PROJECT = """\
serve:
  sources:
    website: {write_key: "${WEBSITE_KEY}"}
    server: {write_key: "${SERVER_KEY}"}
    segment: {webhook: segment, secret: "${SEGMENT_SECRET}"}
    rudder: {webhook: rudderstack, secret: "${RUDDER_SECRET}"}
"""
SECRETS = {
    "WEBSITE_KEY": "key-of-the-website",
    "SERVER_KEY": "key-of-the-server",
    "SEGMENT_SECRET": "segment-s-secret",
    "RUDDER_SECRET": "rudder-s-secret",
}
KEY = SECRETS["WEBSITE_KEY"]
Found = TypeVar("Found")


def metric_in(exposed: str, name: str) -> float:
    """The sum of the series with that name and these labels, and any others."""
    wanted, _, labels = name.rstrip("}").partition("{")
    parts = labels.split(",") if labels else []
    lines = re.findall(r"^(\w+)(?:{(.*)})? (\S+)$", exposed, re.MULTILINE)
    return sum(float(value) for at, has, value in lines if at == wanted and all(part in has for part in parts))


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Service:
    """One `sfmap serve` after the other, in one folder."""

    folder: Folder
    arguments: tuple[str, ...] = ()
    program: Sequence[str | Path] = field(default_factory=warm_sfmap)
    """It is `(SFMAP,)` where the process must be the command's own."""
    url: str = ""
    process: "subprocess.Popen[bytes] | None" = None
    processes: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    def start(self, *arguments: str, port: int = 0) -> "Service":
        log = self.folder.path / "log.txt"
        before = log.stat().st_size if log.exists() else 0
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [*self.program, "serve", "--port", str(port), *self.arguments, *arguments],
                cwd=self.folder.path,
                stderr=out,
                env=self.environment,
            )
        self.processes.append(self.process)
        said = self.wait_for(lambda: re.search(r"(http://\S+)/v1/", log.read_bytes()[before:].decode()))
        assert said, self.log()
        self.url = said[1]
        return self

    @property
    def environment(self) -> dict[str, str]:
        return {**installed(), **SECRETS}

    def refused(self, *arguments: str) -> str:
        """What it says instead of starting; without a traceback."""
        done = self.folder.sfmap("serve", *arguments, environment=SECRETS)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def wait_for(self, look: Callable[[], Found], seconds: float = 60.0) -> Found:
        """What `look` gives once it gives something, or at the end."""
        until = time.monotonic() + seconds
        while not (found := look()) and time.monotonic() < until:
            time.sleep(0.02)
        return found

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        data = None if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(f"{self.url}{path}", data, names)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers))

    def metric(self, name: str) -> float:
        return metric_in(self.ask("/metrics").body.decode(), name)

    def wait_until_delivered(self) -> None:
        def waiting() -> float:
            return self.metric("sfmap_spool_events") + self.metric("sfmap_held_records")

        assert self.wait_for(lambda: waiting() == 0), self.log()

    def hang_up(self) -> None:
        """As `systemctl reload` does."""
        assert self.process
        self.process.send_signal(signal.SIGHUP)

    def retry_dead_letters(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGUSR1)

    def log(self) -> str:
        return (self.folder.path / "log.txt").read_text()

    def stop(self) -> int:
        assert self.process
        self.process.terminate()
        return self.process.wait(60)

    def check(self) -> None:
        """It works, and has said nothing that it should not."""
        assert self.ask("/healthz").status == 200
        log = self.log()
        assert [word for word in ("Traceback", "Exception", *SECRETS.values()) if word in log] == [], log


@contextmanager
def set_up_service(folder: Path) -> Iterator[Service]:
    """A service that is not started yet; whatever was started ends."""
    (folder / "sfmap.yaml").write_text(PROJECT)
    service = Service(Folder(folder))
    yield service
    for process in service.processes:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
