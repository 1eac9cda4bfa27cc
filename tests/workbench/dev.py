"""The real `sfmap dev` in a project of its own, and its answers."""

import json
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from sfmap.tests.folder import Folder

MAPPING = """\
sfmap: 1
event: identify
opt_in: integrations.Salesforce

object: Lead
operation: upsert
match: Email

fields:
  Email: {from: [traits.email, userId | if_email], type: email, required: true}
  LastName: {from: [traits.lastName, traits.name], default: n/a}
  Company: {value: Acme, write: create}
  Title: {from: traits.title, max: 10, write: empty}
"""
ANA = {
    "type": "identify",
    "messageId": "ana",
    "traits": {"email": "ana@example.com", "name": "Ana", "title": "Head of everything", "plan": "pro"},
    "integrations": {"Salesforce": True},
}
BOB = {"type": "identify", "messageId": "bob", "traits": {"email": "bob@example.com"}}


@dataclass(frozen=True)
class Told:
    status: int
    said: Any


@dataclass(frozen=True)
class Dev:
    """One `sfmap dev`, and its project."""

    folder: Folder
    url: str
    token: str
    process_id: int

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Told:
        sent = {"Authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Told(answer.status, orjson.loads(answer.read()))
        except urllib.error.HTTPError as error:
            return Told(error.code, orjson.loads(error.read()))

    def get(self, path: str) -> Any:
        told = self.ask("GET", path)
        assert told.status == 200, told
        return told.said

    def post(self, path: str, /, **body: object) -> Any:
        told = self.ask("POST", path, body)
        assert told.status == 200, told
        return told.said

    def read(self, name: str) -> Any:
        return self.get(f"/api/file?path={quote(name)}")

    def save(self, name: str, text: str, etag: str) -> Told:
        return self.ask("PUT", f"/api/file?path={quote(name)}", {"text": text}, If_Match=f'"{etag}"')


def project(folder: Path, mapping: str = MAPPING, samples: tuple[object, ...] = (ANA, BOB)) -> Folder:
    """A project with one mapping and one file of samples."""
    (folder / "mappings").mkdir(parents=True)
    (folder / "mappings" / "lead.yaml").write_text(mapping)
    (folder / "sfmap.yaml").write_text("mappings: mappings\n")
    (folder / "tests" / "events").mkdir(parents=True)
    Folder(folder).write("tests/events/samples.ndjson", samples)  # type: ignore[arg-type]
    return Folder(folder)


def commit(folder: Path, *names: str) -> None:
    """Makes the folder a repository, if it is none, with a commit of these files, or of all."""
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com"]
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q", "-b", "main"], cwd=folder, check=True)
    subprocess.run(["git", "add", *(names or ("-A",))], cwd=folder, check=True)
    subprocess.run(["git", *who, "commit", "-q", "-m", "A commit"], cwd=folder, check=True)


@contextmanager
def started(folder: Folder, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[Dev]:
    process = folder.start("dev", "--port", "0", *arguments)
    assert process.stderr
    try:
        line = process.stderr.readline().decode()
        found = re.search(r"(http://\S+)/\?token=(\S+)", line)
        assert found, (line, process.poll())
        yield Dev(folder=folder, url=found[1], token=found[2], process_id=process.pid)
    finally:
        process.terminate()
        process.wait(60)
        process.stderr.close()
