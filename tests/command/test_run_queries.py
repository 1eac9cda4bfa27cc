"""`sfmap run NAME` with a query as the source: what a later run says and reads."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..folder import Folder, wait_for
from .test_run_sources import emails, read

PEOPLE = """\
orgs: {local: {call_limit: 2}}
sources:
  people:
    sql: {url: 'sqlite:///people.db', table: people}
    cursor: [at, id]
    event: {type: identify, userId: id, traits: {email: email}, opt_in: true}
"""


def insert(path: Path, start: int, end: int, at: int) -> None:
    """People with a cursor from a time on."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE IF NOT EXISTS people (at INTEGER, id INTEGER PRIMARY KEY, email TEXT)")
        rows = [(at + number - start, number, f"p{number}@b.co") for number in range(start, end)]
        database.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
        database.commit()


@pytest.fixture
def table(folder: Folder) -> Path:
    (folder.path / "sfmap.yaml").write_text(PEOPLE)
    insert(folder.path / "people.db", 0, 5, at=0)
    return folder.path / "people.db"


def test_a_changed_cursor_says_that_all_rows_are_read(folder: Folder, table: Path) -> None:
    assert folder.sfmap("run", "people").returncode == 0
    (folder.path / "sfmap.yaml").write_text(PEOPLE.replace("[at, id]", "[id]"))
    said = folder.sfmap("run", "people").stderr
    assert "Table, query or cursor have changed since the last run: all rows are read." in said
    assert read(said) == 5
    assert "have changed" not in folder.sfmap("run", "people").stderr


def test_rows_that_are_delivered_again_without_a_memory_are_announced(folder: Folder, table: Path) -> None:
    (folder.path / "sfmap.yaml").write_text(PEOPLE + "repeats: 0\n")
    assert "within the overlap" not in folder.sfmap("run", "people").stderr
    assert "repeats: 0 in sfmap.yaml: rows within the overlap are delivered again." in (
        folder.sfmap("run", "people").stderr
    )


def test_late_rows_are_delivered_once_through_kills(folder: Folder, table: Path) -> None:
    insert(table, 5, 5_000, at=5)
    assert folder.sfmap("run", "people").returncode == 0
    insert(table, 6_000, 6_003, at=4_500)  # late
    insert(table, 7_000, 9_500, at=5_000)
    process = folder.start("run", "people", "--results", "results", before=())
    results = folder.path / "results"
    wait_for(process, lambda: results.exists() and results.stat().st_size)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    insert(table, 9_600, 9_602, at=7_400)  # late, and for the next run or this one
    for _ in range(2):
        done = folder.sfmap("run", "people", "--results", "more")
        assert done.returncode == 0, done.stderr
    assert len(emails(folder)) == len(set(emails(folder))) == 5_000 + 3 + 2_500 + 2
