"""Runs that deliver the events of buckets: each once, through kills, and only new objects later."""

import gzip
import json
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing

import orjson
import pytest

from sfmap.tests.examples import mostly_soak
from sfmap.tests.folder import Event, Folder, identify, wait_for
from sfmap.tests.object_stores import CutConnections, ObjectServer

STORES = ["s3_server", "google_server", "azure_server"]
DAYS = (1767139200000, 1767225600000)
COUNT = 3_000
"""Events of each object: together so many windows that a run is not over when the second one is killed."""


@pytest.fixture(params=STORES)
def server(request: pytest.FixtureRequest) -> ObjectServer:
    found: ObjectServer = request.getfixturevalue(request.param)
    return found


def packed(start: int, count: int) -> bytes:
    events: Sequence[Event] = [identify(f"{n:06}@b.co", name=f"Ann {n}") for n in range(start, start + count)]
    return gzip.compress(b"".join(orjson.dumps(event) + b"\n" for event in events))


def source(folder: Folder, server: ObjectServer, bucket: str, **more: str) -> None:
    """A project with the source `logs`, its keys in secrets.env, and an org whose lost calls are soon over."""
    store = {**server.settings, **more}
    logs = {"files": f"{server.scheme}://{bucket}/segment-logs/*/*/*.gz", "store": store}
    project = {"sources": {"logs": logs}, "orgs": {"local": {"call_limit": 2}}}
    (folder.path / "sfmap.yaml").write_text(json.dumps(project))
    secrets = folder.path / "secrets.env"
    secrets.touch(0o600)
    secrets.write_text("".join(f"{name}={value}\n" for name, value in server.variables.items()))


def killed_after(folder: Folder, size: int, *arguments: str) -> None:
    """Starts a run, and kills it once its results have more than that many bytes."""
    process = folder.start(*arguments, before=())
    results = folder.path / "results"
    wait_for(process, lambda: results.exists() and results.stat().st_size > size)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("server", mostly_soak(STORES, quick=1), indirect=True)
def test_a_run_killed_twice_delivers_each_event_once(server: ObjectServer, folder: Folder) -> None:
    first, second = (f"segment-logs/abc/{day}/1.gz" for day in DAYS)
    bucket = server.bucket({second: packed(COUNT, COUNT), first: packed(0, COUNT)})
    with CutConnections(server.endpoint, cut_after=4_000) as proxy:
        source(folder, server, bucket, endpoint=proxy.url)
        run = ("run", "logs", "--connections", "1", "--results", "results")
        killed_after(folder, 1, *run)
        killed_after(folder, (folder.path / "results").stat().st_size + 1, *run)
        done = folder.sfmap(*run)
        assert (done.returncode, proxy.cuts > 0) == (0, True), done.stderr
    results = folder.lines("results")
    url = f"{server.scheme}://{bucket}"
    # Records whose write was under way at a kill are told after those that wait for nothing.
    assert sorted((str(line["file"]), line["line"]) for line in results) == [
        (f"{url}/{key}", number) for key in (first, second) for number in range(1, COUNT + 1)
    ]
    assert folder.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(2 * COUNT, 2 * COUNT)]


def test_a_later_run_takes_only_new_objects(server: ObjectServer, folder: Folder) -> None:
    first, second = (f"segment-logs/abc/{day}/1.gz" for day in DAYS)
    bucket = server.bucket({first: packed(0, 3)})
    source(folder, server, bucket)
    assert "created            3" in folder.sfmap("run", "logs").stderr
    server.write(bucket, second, packed(3, 2))
    assert "created            2" in folder.sfmap("run", "logs").stderr
    again = folder.sfmap("run", "logs")
    assert "created            0" in again.stderr
    assert "No file is new since the last run." in again.stderr
    server.write(bucket, first, packed(10, 4))
    changed = folder.sfmap("run", "logs")
    assert "created            0" in changed.stderr
    assert "--changed" in changed.stderr
    assert "created            4" in folder.sfmap("run", "logs", "--changed").stderr


def test_an_object_that_changed_after_a_kill_is_read_from_its_beginning(
    s3_server: ObjectServer, folder: Folder
) -> None:
    key = f"segment-logs/abc/{DAYS[0]}/1.gz"
    bucket = s3_server.bucket({key: packed(0, COUNT * 2)})
    source(folder, s3_server, bucket)
    killed_after(folder, 1, "run", "logs", "--connections", "1", "--results", "results")
    s3_server.write(bucket, key, packed(COUNT * 2 - 10, 20))
    done = folder.sfmap("run", "logs", "--results", "results")
    assert done.returncode == 0, done.stderr
    # Records whose write was under way at the kill are told, too; they are of lines behind these.
    lines = [int(str(line["line"])) for line in folder.lines("results")]
    assert [line for line in lines if line <= 20] == list(range(1, 21))
    numbers = [int(str(email)[:6]) for (email,) in folder.rows("SELECT Email FROM Lead ORDER BY Email")]
    delivered = sum(number < COUNT * 2 - 10 for number in numbers)
    assert numbers == sorted({*range(delivered), *range(COUNT * 2 - 10, COUNT * 2 + 10)})


def test_keys_that_are_wrong_are_one_message_before_anything_is_delivered(
    azure_server: ObjectServer, folder: Folder
) -> None:
    source(folder, azure_server, azure_server.bucket({}))
    secrets = folder.path / "secrets.env"
    secrets.write_text("AZURE_STORAGE_ACCOUNT=acme\n")
    done = folder.sfmap("run", "logs")
    assert done.returncode == 2
    assert "there is no key for it" in done.stderr
    assert not (folder.path / ".sfmap" / "org.db").exists()


def test_two_patterns_that_differ_after_a_question_mark_are_two_sources(
    s3_server: ObjectServer, folder: Folder
) -> None:
    bucket = s3_server.bucket({"a1b.gz": packed(0, 3), "a1c.gz": packed(3, 2)})
    source(folder, s3_server, bucket)
    (folder.path / "sfmap.yaml").write_text("{}")
    variables = {**s3_server.variables, "AWS_ENDPOINT_URL": s3_server.endpoint}
    patterns = [f"s3://{bucket}/a?{letter}.gz" for letter in "bc"]
    for pattern in patterns:
        done = folder.sfmap("run", pattern, environment=variables)
        assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(folder.path / ".sfmap" / "journal.db")) as journal:
        names = {name for (name,) in journal.execute("SELECT source FROM sources")}
    assert names == {json.dumps([pattern]) for pattern in patterns}
