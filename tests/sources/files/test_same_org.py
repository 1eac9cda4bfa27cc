"""The same events in each shape and store give the same org, in the soak through two kills in the middle."""

import json
import os
import signal
import sqlite3
from contextlib import closing

import pytest

from ...examples import mostly_soak
from ...folder import Folder, wait_for
from ...object_stores import ObjectServer
from ...postgres import Postgres
from .people import ROWS, SHAPES, Person, Shape, fill_postgres, fill_sqlite, people

FEW = people(300)
MANY = people(int(os.environ.get("SFMAP_EVENTS", "6500")))
"""More than two windows, so that there is a middle."""
Org = list[tuple[object, ...]]
People = list[Person]
at_once_or_killed = pytest.mark.parametrize(
    "those",
    [pytest.param(FEW, id="at once"), pytest.param(MANY, id="through two kills", marks=pytest.mark.soak)],
)


def expected(those: People) -> Org:
    """The last city of each person: the rule of this test, not of sfmap."""
    cities = {one["email"]: (one["email"], one["last_name"], one["company"], one["city"]) for one in those}
    return sorted(cities.values())


def org(folder: Folder) -> Org:
    return sorted(folder.rows("SELECT Email, LastName, Company, City FROM Lead WHERE NOT IsDeleted"))


def project(folder: Folder, source: str) -> None:
    """A project with that source, and a local org whose lost calls are soon over."""
    (folder.path / "sfmap.yaml").write_text(
        f"orgs: {{local: {{call_limit: 2}}}}\nsources:\n  people:\n    {source}\n"
    )


def delivered(folder: Folder) -> int:
    """How many events the journal counts as done."""
    journal = folder.path / ".sfmap" / "journal.db"
    if not journal.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM sources").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return 0


def deliver(folder: Folder, those: People) -> None:
    """Of many, kills a run after its first window, the next one after a further window, and lets the third end."""
    run = ("run", "people", "--connections", "1", "--results", "results")
    kills = 2 if those is MANY else 0
    for _ in range(kills):
        before = delivered(folder)
        process = folder.start(*run, before=())
        wait_for(process, lambda: delivered(folder) != before)  # noqa: B023 - looked at before the next one
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert delivered(folder) < len(those)
    done = folder.sfmap(*run)
    assert done.returncode == 0, done.stderr
    assert ("Continuing after event" in done.stderr) == bool(kills)
    assert org(folder) == expected(those)
    # Records whose write was under way at a kill are told after those that wait for nothing.
    told = [str(line["messageId"]) for line in folder.lines("results")]
    assert (sorted(told) if kills else told) == [one["id"] for one in those]


@at_once_or_killed
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_each_shape_gives_the_same_org(shape: Shape, folder: Folder, those: People) -> None:
    (folder.path / "people").write_bytes(shape.content(those))
    project(folder, f"files: people\n    {shape.keys}")
    deliver(folder, those)


@at_once_or_killed
@pytest.mark.parametrize("server", mostly_soak(["s3_server", "azure_server", "google_server"], quick=1))
def test_each_object_store_gives_the_same_org(
    server: str, folder: Folder, those: People, request: pytest.FixtureRequest
) -> None:
    store: ObjectServer = request.getfixturevalue(server)
    halves = {
        "day-10/b.gz": SHAPES["gzip"].content(those[len(those) // 2 :]),
        "day-9/a.zst": SHAPES["zstd"].content(those[: len(those) // 2]),
    }
    bucket = store.bucket(halves)
    project(folder, f"files: {store.scheme}://{bucket}/\n    store: {json.dumps(store.settings)}")
    secrets = folder.path / "secrets.env"
    secrets.touch(0o600)
    secrets.write_text("".join(f"{name}={value}\n" for name, value in store.variables.items()))
    deliver(folder, those)


@at_once_or_killed
def test_sqlite_gives_the_same_org(folder: Folder, those: People) -> None:
    fill_sqlite(folder.path / "people.db", those)
    project(folder, f"sql: {{url: 'sqlite:///people.db', table: people}}\n    cursor: [number]\n    {ROWS}")
    deliver(folder, those)


@at_once_or_killed
def test_postgresql_gives_the_same_org(
    folder: Folder, postgres: Postgres, those: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    fill_postgres(url, those)
    monkeypatch.setenv("WAREHOUSE_URL", url)
    project(folder, f"sql: {{url: '${{WAREHOUSE_URL}}', table: people}}\n    cursor: [number]\n    {ROWS}")
    deliver(folder, those)


def test_standard_input_gives_the_same_org(folder: Folder) -> None:
    project(folder, "files: none")
    done = folder.sfmap("run", "-", stdin=SHAPES["gzip"].content(FEW))
    assert done.returncode == 0, done.stderr
    assert org(folder) == expected(FEW)
