"""Records of a back-fill leave the org as the events one by one would: row by row."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org

from ..folder import Folder
from .streams import SCHEMA, SECRETS, WORLDS, Event, held, prepare, stream
from .without_spark import make_records


@contextmanager
def world(folder: Path, name: str, events: list[Event]) -> Iterator[Folder]:
    """A project with its org."""
    folder.mkdir()
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as local:
        prepare(folder, local, WORLDS[name], events)
        yield Folder(folder)


@pytest.mark.parametrize("name", WORLDS)
def test_the_org_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for secret, value in SECRETS.items():
        monkeypatch.setenv(secret, value)
    events = stream(len(name), 400, 12)
    before = stream(1, 30, 12)  # some records are there before the back-fill
    for way in ("events", "records"):
        with world(tmp_path / way, name, events) as folder:
            folder.write("before.ndjson", before)
            folder.sfmap("run", "before.ndjson", "--org", "org")
            monkeypatch.chdir(folder.path)
            if way == "events":
                done = folder.sfmap("run", "a.ndjson", "b.ndjson", "--org", "org")
            else:
                made = make_records(folder.path, ["a.ndjson", "b.ndjson"], "out", org="org")
                assert any(row.events > 1 for row in made) == (name != "two keys in turn")
                done = folder.sfmap("run", "--records", "out", "--org", "org", "--results", "results")
            assert done.returncode in (0, 1), done.stderr
    plain, folded = (held(tmp_path / way / "org.db") for way in ("events", "records"))
    for table, rows in plain.items():
        assert folded[table] == rows, table
