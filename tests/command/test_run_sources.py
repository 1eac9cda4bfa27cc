"""`sfmap run NAME`: sources of sfmap.yaml, of which each run takes what is new."""

import gzip
import io
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ..folder import Event, Folder, identify
from ..object_stores import ObjectServer

LOGS = "sources:\n  logs: {files: 'logs/*'}\n"


def write_log(folder: Folder, name: str, events: Sequence[Event], modified: int = 0) -> Path:
    """A packed file of events in `logs`."""
    (folder.path / "logs").mkdir(exist_ok=True)
    folder.write("lines", events)
    path = folder.path / "logs" / name
    path.write_bytes(gzip.compress((folder.path / "lines").read_bytes()))
    if modified:
        os.utime(path, (modified, modified))
    return path


def emails(folder: Folder) -> list[str]:
    return [str(row[0]) for row in folder.rows("SELECT Email FROM Lead ORDER BY Id")]


def read(said: str) -> int:
    """How many events a run says that it has read."""
    (line,) = [line for line in said.splitlines() if line.startswith("  read ")]
    return int(line.split()[1].replace(",", ""))


@pytest.fixture
def logs(folder: Folder) -> Folder:
    (folder.path / "sfmap.yaml").write_text(LOGS)
    write_log(folder, "day-9.gz", [identify("a@b.co")])
    write_log(folder, "day-10.gz", [identify("b@b.co"), identify("c@b.co")])
    return folder


def test_a_run_takes_the_files_that_are_new(logs: Folder) -> None:
    said = logs.sfmap("run", "logs").stderr
    assert "2 new files, from logs/day-9.gz to logs/day-10.gz" in said
    assert emails(logs) == ["a@b.co", "b@b.co", "c@b.co"]
    write_log(logs, "day-11.gz", [identify("d@b.co")])
    said = logs.sfmap("run", "logs").stderr
    assert "1 new file: logs/day-11.gz" in said
    assert read(said) == 1
    said = logs.sfmap("run", "logs").stderr
    assert "No file is new" in said
    assert read(said) == 0
    assert emails(logs) == ["a@b.co", "b@b.co", "c@b.co", "d@b.co"]


def test_restart_takes_all_files_again(logs: Folder) -> None:
    logs.sfmap("run", "logs")
    assert read(logs.sfmap("run", "logs", "--restart").stderr) == 3
    assert read(logs.sfmap("run", "logs").stderr) == 0


def test_a_changed_file_is_named_and_taken_if_asked_for(logs: Folder) -> None:
    logs.sfmap("run", "logs")
    write_log(logs, "day-9.gz", [identify("a@b.co"), identify("new@b.co")])
    for _ in range(2):
        said = logs.sfmap("run", "logs").stderr
        assert (
            "1 file has changed since delivered, such as logs/day-9.gz. To deliver changed files, too: sfmap run"
            in said
        )
        assert read(said) == 0
    said = logs.sfmap("run", "logs", "--changed").stderr
    assert read(said) == 2
    assert "changed" not in logs.sfmap("run", "logs").stderr
    assert emails(logs) == ["a@b.co", "b@b.co", "c@b.co", "new@b.co"]


def test_an_unfinished_run_is_continued_with_its_own_files(logs: Folder) -> None:
    """Newer files are the next run's, even where they come earlier by name."""
    many = [identify(f"p{number}@b.co") for number in range(3_000)]
    write_log(logs, "day-12.gz", many)
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    write_log(logs, "day-1.gz", [identify("late@b.co")])
    said = logs.sfmap("run", "logs").stderr
    assert "Continuing after event" in said
    assert "late@b.co" not in emails(logs)
    assert read(logs.sfmap("run", "logs").stderr) == 1
    assert len(emails(logs)) == len(set(emails(logs))) == 3_004


def test_files_that_change_during_an_unfinished_run_are_read_from_their_beginning(logs: Folder) -> None:
    """Those that the run had finished are not."""
    many = [identify(f"p{number}@b.co") for number in range(3_000)]
    write_log(logs, "day-12.gz", many)
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    write_log(logs, "day-12.gz", [*many, identify("more@b.co")])
    said = logs.sfmap("run", "logs").stderr
    assert "has changed since its last, unfinished run" in said
    assert "1 new file: logs/day-12.gz" in said
    assert len(emails(logs)) == len(set(emails(logs))) == 3_004


def test_a_file_that_is_removed_before_its_turn_is_left_out(logs: Folder) -> None:
    many = [identify(f"p{number}@b.co") for number in range(3_000)]
    write_log(logs, "day-11.gz", many)
    last = write_log(logs, "day-12.gz", [identify("gone@b.co")])
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    last.unlink()
    assert logs.sfmap("run", "logs").returncode == 0
    assert len(emails(logs)) == 3_003


def test_since_leaves_out_older_files(logs: Folder) -> None:
    for name, day in (("day-9.gz", 1_767_225_599), ("day-10.gz", 1_767_225_600)):
        os.utime(logs.path / "logs" / name, (day, day))
    said = logs.sfmap("run", "logs", "--since", "2026-01-01").stderr
    assert read(said) == 2


def test_files_are_ordered_by_time_if_asked_for(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("sources:\n  logs: {files: logs, order: modified}\n")
    write_log(folder, "1.gz", [identify("later@b.co")], modified=2_000)
    write_log(folder, "2.gz", [identify("earlier@b.co")], modified=1_000)
    assert folder.sfmap("run", "logs").returncode == 0
    assert emails(folder) == ["earlier@b.co", "later@b.co"]


def test_a_cut_file_ends_the_run_where_the_same_command_continues(logs: Folder) -> None:
    """Everything before the cut is delivered. Once the file is whole, it is taken from its beginning."""
    many = [identify(f"p{number}@b.co") for number in range(3_000)]
    path = write_log(logs, "day-11.gz", many)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        done = logs.sfmap("run", "logs")
        assert done.returncode == 3, done.stderr
        assert "logs/day-11.gz: ends in the middle of gzip data" in done.stderr
        assert "The same command continues from there." in done.stderr
    before = len(emails(logs))
    assert 1_000 < before < 3_003
    path.write_bytes(whole)
    assert logs.sfmap("run", "logs").returncode == 0
    assert len(emails(logs)) == len(set(emails(logs))) == 3_003


def test_a_source_is_named_alone(logs: Folder) -> None:
    done = logs.sfmap("run", "logs", "other.ndjson")
    assert (done.returncode, done.stdout) == (2, "")
    assert "logs is a source of sfmap.yaml: name it alone" in done.stderr


def test_files_are_found_from_the_folders_of_a_project(logs: Folder) -> None:
    below = Folder(logs.path / "logs")
    assert below.sfmap("run", "logs").returncode == 0
    assert read(logs.sfmap("run", "logs").stderr) == 0


def test_render_shows_the_events_of_a_source(logs: Folder) -> None:
    assert logs.sfmap("render", "logs").stdout.count('"object":"Lead"') == 3
    logs.sfmap("run", "logs")
    assert logs.sfmap("render", "logs").stdout.count('"object":"Lead"') == 3


def objects(folder: Folder, server: ObjectServer, bucket: str) -> None:
    """A project with the source `logs` in a bucket."""
    source = {"files": f"{server.scheme}://{bucket}/", "store": server.settings}
    (folder.path / "sfmap.yaml").write_text(json.dumps({"sources": {"logs": source}}))
    secrets = folder.path / "secrets.env"
    secrets.touch(0o600)
    secrets.write_text("".join(f"{name}={value}\n" for name, value in server.variables.items()))


def lines(events: Sequence[Event]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


MANY = [identify(f"p{number}@b.co") for number in range(3_000)]


def test_an_object_with_lines_that_are_not_packed_is_continued(folder: Folder, s3_server: ObjectServer) -> None:
    objects(folder, s3_server, s3_server.bucket({"1": lines([identify("a@b.co")]), "2": lines(MANY)}))
    assert folder.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    done = folder.sfmap("run", "logs", "--results", "results")
    assert "Continuing after event" in done.stderr
    assert len(emails(folder)) == len(set(emails(folder))) == 3_001
    assert len(folder.lines("results")) < 3_001


@pytest.mark.parametrize("calls", ["1", "5"], ids=["before an outcome", "after some"])
def test_an_object_that_has_changed_since_an_unfinished_run_is_named(
    folder: Folder, s3_server: ObjectServer, calls: str
) -> None:
    """The journal then has the version that is delivered."""
    bucket = s3_server.bucket({"1": lines(MANY), "2": lines([identify("a@b.co")])})
    objects(folder, s3_server, bucket)
    assert folder.sfmap("run", "logs", "--max-calls", calls).returncode == 3
    s3_server.write(bucket, "1", lines([*MANY, identify("new@b.co")]))
    said = folder.sfmap("run", "logs").stderr
    assert f"s3://{bucket}/1 has changed" in said
    assert "starting at the first event" in said
    assert len(emails(folder)) == 3_002
    assert "No file is new since the last run.\n" in folder.sfmap("run", "logs").stderr


def test_a_file_that_changes_before_its_turn_is_delivered_once(logs: Folder) -> None:
    write_log(logs, "day-11.gz", MANY)
    write_log(logs, "day-12.gz", [identify("before@b.co")])
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    write_log(logs, "day-12.gz", [identify("before@b.co"), identify("after@b.co")])
    assert logs.sfmap("run", "logs").returncode == 0
    assert len(emails(logs)) == 3_005
    said = logs.sfmap("run", "logs", "--changed").stderr
    assert "No file is new since the last run.\n" in said
    assert read(said) == 0


def test_a_delivered_file_may_go_or_change_before_its_run_has_finished(logs: Folder) -> None:
    """The rest of the run is continued, not read again."""
    write_log(logs, "day-11.gz", MANY)
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    (logs.path / "logs" / "day-9.gz").unlink()
    write_log(logs, "day-10.gz", [identify("later@b.co")])
    done = logs.sfmap("run", "logs", "--max-calls", "9", "--connections", "1", "--results", "results")
    assert "Continuing after event" in done.stderr
    assert done.returncode == 3
    assert "Continuing after event" in logs.sfmap("run", "logs", "--results", "results").stderr
    delivered = [line["messageId"] for line in logs.lines("results")]
    assert len(delivered) == len(set(delivered)) < 3_003
    said = logs.sfmap("run", "logs").stderr
    assert "1 file has changed since delivered, such as logs/day-10.gz" in said
    assert read(said) == 0


def test_files_that_go_before_their_turn_do_not_move_the_others(logs: Folder) -> None:
    gone = [write_log(logs, f"day-{day}.gz", [identify(f"{day}@b.co")]) for day in (12, 13)]
    write_log(logs, "day-11.gz", MANY)
    write_log(logs, "day-14.gz", [identify(f"q{number}@b.co") for number in range(3_000)])
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    for path in gone:
        path.unlink()
    assert logs.sfmap("run", "logs", "--max-calls", "25", "--connections", "1").returncode == 3
    done = logs.sfmap("run", "logs")
    assert "Continuing after event" in done.stderr
    assert len(emails(logs)) == len(set(emails(logs))) == 6_003
    assert read(logs.sfmap("run", "logs").stderr) == 0


@pytest.mark.parametrize("options", [(), ("--restart",)])
def test_files_left_out_by_since_stay_delivered(logs: Folder, options: tuple[str, ...]) -> None:
    os.utime(logs.path / "logs" / "day-9.gz", (1_000, 1_000))
    assert read(logs.sfmap("run", "logs").stderr) == 3
    assert logs.sfmap("run", "logs", "--since", "2026-01-01", *options).returncode == 0
    assert read(logs.sfmap("run", "logs").stderr) == 0


def test_an_unfinished_run_is_continued_with_files_that_since_leaves_out(logs: Folder) -> None:
    write_log(logs, "day-11.gz", MANY, modified=1_000)
    assert logs.sfmap("run", "logs", "--max-calls", "5", "--connections", "1").returncode == 3
    assert "Continuing after event" in logs.sfmap("run", "logs", "--since", "2026-01-01").stderr
    assert read(logs.sfmap("run", "logs").stderr) == 0


def test_a_file_that_several_patterns_match_is_read_once(logs: Folder) -> None:
    (logs.path / "sfmap.yaml").write_text("sources:\n  logs: {files: ['logs/*', logs/day-9.gz, ./logs]}\n")
    assert read(logs.sfmap("run", "logs").stderr) == 3
    assert read(logs.sfmap("run", "logs/day-9.gz", "logs/../logs/*").stderr) == 3


def test_a_name_may_have_any_bytes(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text(LOGS)
    path = write_log(folder, "a.gz", [identify("a@b.co")])
    named = os.fsencode(folder.path / "logs") + b"/\xff[1] *.gz"
    os.rename(path, named)
    for _ in range(2):
        folder.sfmap("run", os.fsdecode(named))
    assert read(folder.sfmap("run", "logs").stderr) == 1
    assert read(folder.sfmap("run", "logs").stderr) == 0
    assert emails(folder) == ["a@b.co"]


def test_a_damaged_file_is_named(folder: Folder) -> None:
    whole = write_log(folder, "a.gz", [identify("a@b.co")]).read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.json", "{}\n" * 99)
    for name, data in {"short.gz": whole[:5], "cut.gz": whole[:-9], "cut.zip": archive.getvalue()[:-30]}.items():
        (folder.path / name).write_bytes(data)
        done = folder.sfmap("run", name)
        assert (done.returncode, f"Error: {name}: " in done.stderr) == (3, True), done.stderr


def test_a_misspelt_source_is_named(logs: Folder) -> None:
    done = logs.sfmap("run", "lgos")
    said = "Error: cannot read lgos: did you mean the source logs of sfmap.yaml?"
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_what_comes_before_a_file_without_events_is_delivered(logs: Folder) -> None:
    """Only the first and the last file are looked at before anything is sent."""
    (logs.path / "logs" / "day-9.pdf").write_bytes(b"%PDF-1.7 " + bytes(range(256)))
    done = logs.sfmap("run", "logs")
    assert done.returncode == 2
    assert "logs/day-9.pdf" in done.stderr
    assert emails(logs) == ["a@b.co"]
    (logs.path / "logs" / "day-9.pdf").unlink()
    assert logs.sfmap("run", "logs").returncode == 0
    assert emails(logs) == ["a@b.co", "b@b.co", "c@b.co"]
