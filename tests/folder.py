"""The real command in a folder of its own, and the records of its local org."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from .warm.programs import warm_python

SFMAP = Path(sys.executable).parent / "sfmap"
REPOSITORY = Path(__file__).parents[1]
Event = Mapping[str, object]


def warm_sfmap(before: Sequence[str] | None = None) -> list[str]:
    """The command's first words, for a process that starts at once; or with others before it, for a cold one."""
    return [*([warm_python()] if before is None else before), str(SFMAP)]


def install_warm(folder: Path) -> None:
    """Puts the command into a folder, as a script of its name that starts at once."""
    _, _, rest = SFMAP.read_text().partition("\n")
    (folder / "sfmap").write_text(f"#!{warm_python()}\n{rest}")
    (folder / "sfmap").chmod(0o700)


def installed() -> dict[str, str]:
    """The environment, with the command on its PATH as after an installation."""
    return {**os.environ, "PATH": f"{SFMAP.parent}{os.pathsep}{os.environ['PATH']}"}


@dataclass(frozen=True)
class Folder:
    """An empty project folder and the command in it."""

    path: Path

    def sfmap(
        self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [*warm_sfmap(), *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            timeout=120,
            env={**installed(), **(environment or {})},
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(
        self,
        *arguments: str,
        stdin: int | None = None,
        stdout: int | None = None,
        before: Sequence[str] | None = None,
    ) -> "subprocess.Popen[bytes]":
        """The command under way, by way of another one before it.

        With `before=()` the process is the command's own: for its id, its memory, and a kill that has ended it.
        """
        return subprocess.Popen(
            [*warm_sfmap(before), *arguments],
            cwd=self.path,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=installed(),
        )

    def write(self, name: str, events: Sequence[Event | str]) -> str:
        """A file of events, or of raw lines."""
        lines = [event.encode() if isinstance(event, str) else orjson.dumps(event) for event in events]
        (self.path / name).write_bytes(b"\n".join(lines) + b"\n")
        return name

    def lines(self, name: str) -> list[dict[str, object]]:
        return [orjson.loads(line) for line in (self.path / name).read_bytes().splitlines()]

    def report(self, name: str = "report.json") -> dict[str, object]:
        report: dict[str, object] = orjson.loads((self.path / name).read_bytes())
        return report

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the local org holds, straight from its database."""
        connection = sqlite3.connect(f"file:{self.path / '.sfmap/org.db'}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def track(name: str, **properties: object) -> Event:
    return {"type": "track", "event": name, "properties": properties}


def identify(email: str, **traits: object) -> Event:
    return {
        "type": "identify",
        "messageId": f"m-{email}",
        "traits": {"email": email, **traits},
        "integrations": {"Salesforce": True},
    }


Identify = Callable[..., Event]


def interrupt(process: "subprocess.Popen[bytes] | subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGINT)


def wait_for(process: "subprocess.Popen[bytes] | subprocess.Popen[str]", look: Callable[[], object]) -> None:
    """Until something is so, while the command is under way."""
    while not look():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def wait_until_written(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
