"""`sfmap state` and the key `state`: where the journal is kept, and what becomes of one that was kept before."""

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ..folder import Folder, Identify
from ..postgres import Postgres, free_port

VERSION_6 = Path(__file__).with_name("journal_of_version_6")
"""The journal of a run that ended after three of six events; the second is a dead letter."""
LEAD = """\
sfmap: 1
event: identify
object: Lead
match: [Email]
fields:
  Email: {from: traits.email, required: true}
  LastName: {from: traits.name, default: n/a}
  Company: {value: n/a}
"""


@pytest.fixture
def old(folder: Folder) -> Folder:
    """A project as an earlier version of sfmap left it."""
    (folder.path / "mappings").mkdir()
    (folder.path / "mappings/lead.yaml").write_text(LEAD)
    (folder.path / "events.ndjson").write_bytes((VERSION_6 / "events.ndjson").read_bytes())
    (folder.path / ".sfmap").mkdir()
    with closing(sqlite3.connect(folder.path / ".sfmap/journal.db")) as journal:
        journal.executescript((VERSION_6 / "journal.sql").read_text().replace("{folder}", str(folder.path)))
    return folder


def keep_in(folder: Folder, postgres: Postgres) -> str:
    """Has the project keep its state in an empty database."""
    url = postgres.new_database()
    (folder.path / "sfmap.yaml").write_text(f"state: {url}\n")
    return url


def letters(folder: Folder) -> list[int]:
    return [json.loads(line)["event"] for line in folder.sfmap("dead-letters", "--json").stdout.splitlines()]


def test_a_journal_of_the_version_before_is_taken_over(old: Folder) -> None:
    assert letters(old) == [2]
    done = old.sfmap("run", "events.ndjson")
    assert "Continuing after event 3" in done.stderr
    assert done.returncode == 1, done.stderr
    assert len(old.rows("SELECT * FROM Lead")) == 3
    with closing(sqlite3.connect(old.path / ".sfmap/journal.db.version-6")) as copy:
        assert copy.execute("SELECT number FROM sources").fetchall() == [(3,)]
    assert os.stat(old.path / ".sfmap/journal.db.version-6").st_mode & 0o077 == 0


def test_upgrade_says_where_the_copy_is(old: Folder) -> None:
    done = old.sfmap("state", "upgrade")
    assert done.returncode == 0
    assert "journal.db.version-6" in done.stderr
    assert "is up to date" in old.sfmap("state", "upgrade").stderr


def test_a_journal_of_a_later_version_is_refused(old: Folder) -> None:
    with closing(sqlite3.connect(old.path / ".sfmap/journal.db")) as journal:
        journal.execute("PRAGMA user_version = 1000")
    done = old.sfmap("run", "events.ndjson")
    assert done.returncode == 2
    assert "another version of sfmap" in done.stderr


def test_what_waits_in_the_folder_is_taken_over_into_postgresql(old: Folder, postgres: Postgres) -> None:
    keep_in(old, postgres)
    refused = old.sfmap("run", "events.ndjson")
    assert refused.returncode == 2
    assert "sfmap state upgrade" in refused.stderr

    done = old.sfmap("state", "upgrade")
    assert done.returncode == 0, done.stderr
    assert letters(old) == [2]
    run = old.sfmap("run", "events.ndjson")
    assert "Continuing after event 3" in run.stderr
    assert len(old.rows("SELECT * FROM Lead")) == 3
    assert not (old.path / ".sfmap/journal.db").exists()
    assert "is up to date" in old.sfmap("state", "upgrade").stderr


def test_records_of_a_bulk_job_under_way_are_not_taken_over(
    folder: Folder, postgres: Postgres, identify: Identify
) -> None:
    """Their job is ended by what began it; then nothing is lost or written twice by the move."""
    folder.write("e.ndjson", [identify(f"a{number}@x.co") for number in range(20)])
    run = ("run", "e.ndjson", "--bulk", "always", "--json")
    stopped = folder.sfmap(*run, "--max-calls", "6")
    assert stopped.returncode == 3, stopped.stderr
    assert json.loads(stopped.stdout)["api_calls"]["closeJob"] == 1

    url = keep_in(folder, postgres)
    refused = folder.sfmap("state", "upgrade")
    assert refused.returncode == 2
    assert "records of this folder travel by bulk jobs: take `state` out of sfmap.yaml" in refused.stderr
    for table in ("taken_over", "sources", "held", "loads", "delivered"):
        assert postgres.ask(url, f"SELECT count(*) FROM {table}") == [(0,)]

    project = (folder.path / "sfmap.yaml").read_text()
    (folder.path / "sfmap.yaml").unlink()
    ended = folder.sfmap(*run)
    assert (ended.returncode, json.loads(ended.stdout)["created"]) == (0, 20), ended.stderr

    (folder.path / "sfmap.yaml").write_text(project)
    assert folder.sfmap("state", "upgrade").returncode == 0
    again = folder.sfmap(*run, "--skip-delivered")
    assert again.returncode == 0, again.stderr
    assert len(folder.rows("SELECT Email FROM Lead")) == 20


def test_events_of_the_spool_are_taken_over_with_their_numbers(folder: Folder, postgres: Postgres) -> None:
    (folder.path / ".sfmap").mkdir(mode=0o700)
    with closing(sqlite3.connect(folder.path / ".sfmap/spool.db")) as spool:
        spool.executescript(
            "CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT, accepted REAL, event BLOB);"
            "PRAGMA user_version = 2;"
            "INSERT INTO events VALUES (41, 'web', 1.0, CAST('{}' AS BLOB)), (42, 'web', 2.0, CAST('{}' AS BLOB));"
        )
    url = keep_in(folder, postgres)
    done = folder.sfmap("state", "upgrade")
    assert done.returncode == 0, done.stderr
    assert "2 events waiting for the org local" in done.stderr
    assert postgres.ask(url, "SELECT id, org, source FROM spool ORDER BY id") == [
        (41, "local", "web"), (42, "local", "web"),
    ]  # fmt: skip
    assert postgres.ask(url, "SELECT nextval('spool_id_seq')") == [(43,)]


def test_a_run_needs_no_file_in_the_folder(folder: Folder, postgres: Postgres, identify: Identify) -> None:
    keep_in(folder, postgres)
    folder.write("e.ndjson", [identify("a@x.co"), identify("")])
    assert folder.sfmap("run", "e.ndjson").returncode == 1
    assert letters(folder) == [2]
    assert not (folder.path / ".sfmap/journal.db").exists()
    assert "retry" not in folder.sfmap("dead-letters", "--reason", "100%").stdout


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("postgresql://sfmap:secret@db/sfmap", "write state: ${SF_STATE} here"),
        ("postgresql://sfmap@db/sfmap?password=secret", "write state: ${SF_STATE} here"),
        ("mysql://db/sfmap", "state is the URL of a PostgreSQL database"),
    ],
)
def test_a_wrong_state_is_a_diagnostic(folder: Folder, state: str, said: str) -> None:
    (folder.path / "sfmap.yaml").write_text(f"state: {state}\n")
    done = folder.sfmap("check")
    assert done.returncode == 2
    assert said in done.stderr
    assert "secret@" not in done.stderr


def test_a_database_that_does_not_answer_is_said_without_its_password(folder: Folder, identify: Identify) -> None:
    (folder.path / "sfmap.yaml").write_text(f"state: postgresql://sfmap:${{PW}}@127.0.0.1:{free_port()}/sfmap\n")
    folder.write("e.ndjson", [identify("a@x.co")])
    done = folder.sfmap("run", "e.ndjson", environment={"PW": "open-sesame"})
    assert done.returncode == 3
    assert "the journal in PostgreSQL at 127.0.0.1" in done.stderr
    assert "cannot be reached" in done.stderr
    assert "open-sesame" not in done.stderr
