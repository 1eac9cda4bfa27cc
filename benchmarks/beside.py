"""A project with sample events beside a local org, and whole commands that deliver them, measured."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import orjson
from samples import events

from sfmap.engine.local_org.process import LocalOrg, start_local_org

SFMAP = str(Path(sys.executable).parent / "sfmap")
_TIMED = str(Path(__file__).with_name("timed.py"))
EVENTS = "events.ndjson"
REPORT = "report.json"
_PROJECT = """\
orgs:
  beside: {{login_url: "{}", username: {}, password: "${{PASSWORD}}", security_token: "${{TOKEN}}"}}
"""
_IN_THE_BACKGROUND = "processBatch"
"""What the org does of its own: no call of the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    seconds: float
    cpu: float
    memory: float
    """Its own, at most, in megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    folder: Path
    org: LocalOrg

    def deliver(self, *options: str) -> Finished:
        """`sfmap run` of the events, by SOAP unless the options ask for something else."""
        if "--bulk" not in options and has_bulk():
            options = ("--bulk", "never", *options)
        command = [SFMAP, "run", EVENTS, "--org", "beside", "--report", REPORT, *options]
        return self.time(command, {"PASSWORD": self.org.password, "TOKEN": self.org.security_token})

    def time(self, command: Sequence[str], environment: Mapping[str, str]) -> Finished:
        """A whole command. Its words on standard error are part of the exception if it fails."""
        timed = [sys.executable, "-I", "-S", _TIMED, *command]
        done = subprocess.run(  # noqa: S603
            timed, cwd=self.folder, capture_output=True, text=True, env={**environment}, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2_000:]}")
        seconds, cpu, memory = json.loads(done.stdout)
        return Finished(seconds=seconds, cpu=cpu, memory=memory)

    def report(self) -> dict[str, object]:
        found: dict[str, object] = orjson.loads((self.folder / REPORT).read_bytes())
        return found

    def calls(self) -> list[dict[str, object]]:
        """Each call to the org, by its own log."""
        logged = (json.loads(line) for line in (self.folder / "calls.log").read_text().splitlines())
        return [call for call in logged if not str(call["operation"]).startswith(_IN_THE_BACKGROUND)]


@cache
def has_bulk() -> bool:
    """Whether this version of `sfmap run` can use the Bulk API."""
    command = [SFMAP, "run", "--help"]
    return "--bulk" in subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603


@contextmanager
def project_beside(
    number: int, identities: int | None = None, *, padding: int = 0, faults: str = "faults: []\n"
) -> Iterator[Project]:
    """A project with events as in `samples.py`, and an org that plays these faults."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "faults.yaml").write_text(faults)
        with (folder / EVENTS).open("wb") as out:
            out.writelines(orjson.dumps(event) + b"\n" for event in events(number, identities, padding))
        with start_local_org(folder / "org.db", faults=folder / "faults.yaml", log=folder / "calls.log") as org:
            (folder / "sfmap.yaml").write_text(_PROJECT.format(org.url, org.username))
            yield Project(folder=folder, org=org)
