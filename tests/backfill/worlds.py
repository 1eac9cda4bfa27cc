"""A project with its org, to which events are delivered, or the records of a back-fill."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from sfmap.engine.backfill.fold_task import OutputRow
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..folder import Folder, warm_sfmap
from .streams import SCHEMA, SECRETS, Event, held, prepare
from .without_spark import make_records


@dataclass(frozen=True)
class World:
    """The project, in whose folder this process is, and its org."""

    folder: Folder
    local: LocalOrg

    def faults(self, *faults: Mapping[str, object]) -> None:
        answer = requests.put(f"{self.local.url}/faults", json={"seed": 1, "faults": faults}, timeout=10)
        assert answer.status_code == 200, answer.text

    def make(self, out: str = "out") -> list[OutputRow]:
        os.chdir(self.folder.path)
        return make_records(self.folder.path, ["a.ndjson", "b.ndjson"], out, org="org")

    def run(self, *arguments: str, code: int | None = None) -> str:
        """What the run says; it must end with the code, or else in good order."""
        command = [*warm_sfmap(), "run", *arguments, "--org", "org", "--results", "results"]
        done = subprocess.run(command, cwd=self.folder.path, capture_output=True, text=True, check=False)
        assert done.returncode in ((0, 1) if code is None else (code,)), done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def held_of(self, table: str, fields: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.folder.path / "org.db")
        try:
            return sorted(connection.execute(f"SELECT {fields} FROM {table} WHERE NOT IsDeleted"))
        finally:
            connection.close()

    def held(self) -> dict[str, list[tuple[object, ...]]]:
        return held(self.folder.path / "org.db")


@contextmanager
def world(folder: Path, mappings: Mapping[str, str], events: Sequence[Event]) -> Iterator[World]:
    folder.mkdir()
    (folder / "schema.yaml").write_text(SCHEMA)
    here = Path.cwd()
    with (
        start_local_org(folder / "org.db", folder / "schema.yaml", log=folder / "calls.log") as local,
        pytest.MonkeyPatch.context() as patch,
    ):
        for secret, value in SECRETS.items():
            patch.setenv(secret, value)
        prepare(folder, local, mappings, events)
        try:
            yield World(Folder(folder), local)
        finally:
            os.chdir(here)
