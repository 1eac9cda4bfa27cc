"""A journal that cannot be read or written."""

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest

from ..folder import SFMAP
from ..reliability.people import LEAD, PEOPLE, person
from ..scene import SECRETS, Scene

JOURNALS = [
    ("not a database", "is damaged"),
    ("another version", "written by another version"),
    ("a folder", "Is a directory"),
    ("held", "is locked by another program"),
]


@pytest.mark.parametrize(("state", "words"), JOURNALS)
def test_an_unusable_journal_is_reported(scene: Scene, state: str, words: str) -> None:
    scene.mapping(LEAD)
    journal = scene.folder.path / ".sfmap" / "journal.db"
    journal.parent.mkdir()
    if state == "a folder":
        journal.mkdir()
    elif state == "not a database":
        journal.write_bytes(b"nonsense" * 1_000)
    elif state == "another version":
        scene.run(PEOPLE[0])
        with closing(sqlite3.connect(journal)) as connection:
            connection.execute("PRAGMA user_version = 99")
    before = scene.calls()["create"] if state == "another version" else 0
    with closing(sqlite3.connect(journal if state == "held" else ":memory:")) as other:
        other.execute("BEGIN EXCLUSIVE")
        said = scene.run(*PEOPLE, code=2)
    assert words in said
    assert "journal.db" in said
    assert scene.rows("SELECT count(*) FROM Lead") == [(before,)]


def test_a_run_is_continued_after_a_full_disk(scene: Scene) -> None:
    """Nothing is claimed as done, and the same command goes on once there is room."""
    scene.mapping(LEAD)
    lines = "".join(json.dumps(person(f"s{number}", city="x" * 200)) + "\n" for number in range(3_000))
    (scene.folder.path / "events.ndjson").write_text(lines)
    limited = ["bash", "-c", f"ulimit -f 300; exec {SFMAP} run --org org events.ndjson --results results"]
    done = subprocess.run(limited, cwd=scene.folder.path, capture_output=True, text=True, env=SECRETS, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    scene.again()
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(3_000, 3_000)]
    assert len({line["event"] for line in scene.folder.lines("results")}) == 3_000
