"""A project and its org, which plays faults when asked to."""

import json
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .folder import SFMAP, Folder

SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 40, external_id: true, unique: true}
      Visits__c: {type: double, precision: 9, scale: 0}
      Seen__c: {type: datetime}
      Tags__c: {type: multipicklist, values: [red, blue, green]}
    duplicate_rules:
      Same phone: {fields: Phone, action: warn}
  Account:
    fields:
      Code__c: {type: string, length: 20, unique: true}
  Role__c:
    fields:
      Account__c: {type: reference, to: Account}
      Contact__c: {type: reference, to: Contact}
      Kind__c: {type: string, length: 20}
      Number__c: {type: double, precision: 9, scale: 0, external_id: true}
"""
PROJECT = """\
mappings: mappings
orgs:
  org:
    login_url: {url}
    username: {username}
    password: ${{PASSWORD}}
    security_token: ${{TOKEN}}
    call_limit: {call_limit}
    {more}
"""
SECRETS = {"PASSWORD": credentials.PASSWORD, "TOKEN": credentials.SECURITY_TOKEN}


@dataclass(frozen=True)
class Scene:
    """A project and its org."""

    folder: Folder
    local: LocalOrg

    def mapping(self, text: str, more: str = "", call_limit: int = 2) -> None:
        """The only mapping, and what else the org's entry says; writes are in doubt for so many seconds."""
        (self.folder.path / "mappings").mkdir(exist_ok=True)
        (self.folder.path / "mappings" / "m.yaml").write_text("sfmap: 1\n" + text)
        known = {"url": self.local.url, "username": credentials.USERNAME}
        project = PROJECT.format(**known, call_limit=call_limit, more=more)
        (self.folder.path / "sfmap.yaml").write_text(project)

    def faults(self, *faults: dict[str, object]) -> None:
        answer = requests.put(f"{self.local.url}/faults", json={"seed": 1, "faults": faults}, timeout=10)
        assert answer.status_code == 200, answer.text

    def struck(self) -> int:
        """How often the faults have hit."""
        counts = requests.get(f"{self.local.url}/faults", timeout=10).json()["faults"]
        return sum(count["struck"] for count in counts)

    def sfmap(self, command: str, *arguments: str, stdin: bytes = b"", code: int = 0) -> str:
        """What the command says on stderr and prints; it must end with this code, and without a traceback."""
        done = self.folder.sfmap(command, "--org", "org", *arguments, stdin=stdin, environment=SECRETS)
        assert done.returncode == code, (done.returncode, done.stderr)
        assert "Traceback" not in done.stderr
        return done.stderr + done.stdout

    def run(self, *events: object, code: int = 0, arguments: tuple[str, ...] = ()) -> str:
        """Delivers the events; results and report are in files of these names."""
        lines = "".join(f"{event if isinstance(event, str) else json.dumps(event)}\n" for event in events)
        (self.folder.path / "events.ndjson").write_text(lines)
        return self.again(code=code, arguments=arguments)

    def again(self, code: int = 0, arguments: tuple[str, ...] = ()) -> str:
        return self.sfmap(
            "run", "events.ndjson", "--results", "results", "--report", "report.json", *arguments, code=code
        )

    def start(self) -> "subprocess.Popen[str]":
        """The delivery of the events that are there, under way."""
        command = [str(SFMAP), "run", "--org", "org", "events.ndjson"]
        return subprocess.Popen(command, cwd=self.folder.path, stderr=subprocess.PIPE, text=True, env=SECRETS)

    def outcomes(self) -> list[tuple[object, ...]]:
        return [(line["outcome"], line["reason"]) for line in self.folder.lines("results")]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.folder.path / "org.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def calls(self) -> Counter[str]:
        """The calls that the org itself has seen, by operation."""
        lines = (self.folder.path / "calls.log").read_text().splitlines()
        return Counter(str(json.loads(line)["operation"]) for line in lines)


@contextmanager
def set_up_scene(folder: Path) -> Iterator[Scene]:
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml", log=folder / "calls.log") as local:
        yield Scene(Folder(folder), local)


def also(scene: Scene, name: str, mapping: str) -> None:
    """Adds a mapping of this name."""
    (scene.folder.path / "mappings" / f"{name}.yaml").write_text(mapping)
