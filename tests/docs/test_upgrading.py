"""The commands of docs/upgrading.md, on a project that an earlier version left in the middle of a run."""

import re
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from ..command.test_state import LEAD, VERSION_6
from ..folder import REPOSITORY, Folder, installed

BLOCKS = re.findall(
    r"^```sh\n(.*?)^```$", (REPOSITORY / "docs" / "upgrading.md").read_text(), re.MULTILINE | re.DOTALL
)


def pasted(block: str, folder: Path) -> str:
    """What the commands print."""
    words = ["bash", "-e", "-c", block]
    done = subprocess.run(words, cwd=folder, env=installed(), capture_output=True, text=True)
    assert done.returncode == 0, (block, done.stderr)
    return done.stderr + done.stdout


def test_the_commands_work_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / ".sfmap").mkdir(parents=True)
    (folder / "mappings").mkdir()
    (folder / "mappings" / "lead.yaml").write_text(LEAD)
    (folder / "events.ndjson").write_bytes((VERSION_6 / "events.ndjson").read_bytes())
    journal = folder / ".sfmap" / "journal.db"
    with closing(sqlite3.connect(journal)) as old:
        old.executescript((VERSION_6 / "journal.sql").read_text().replace("{folder}", str(folder)))
    before = journal.read_bytes()

    said = []
    for block in BLOCKS[:-2]:
        done = subprocess.run(
            ["bash", "-e", "-c", block], cwd=folder, env=installed(), capture_output=True, text=True
        )
        assert done.returncode == 0, (block, done.stderr)
        said.append(done.stderr + done.stdout)
    assert "journal.db.version-6" in said[2]
    assert re.search(r"^1  events.ndjson:2  ", said[3], re.MULTILINE)
    assert "Continuing after event 3" in said[3]
    assert len(Folder(folder).rows("SELECT Id FROM Lead")) == 3

    back, save = BLOCKS[-2:]
    assert subprocess.run(["bash", "-e", "-c", save], cwd=folder, env=installed()).returncode == 0
    assert len((folder / "dead-letters.ndjson").read_text().splitlines()) == 1 + said[3].count(
        "failed            1"
    )
    assert subprocess.run(["bash", "-e", "-c", back], cwd=folder, env=installed()).returncode == 0
    assert journal.read_bytes() == before
