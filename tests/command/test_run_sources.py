"""`sfmap run NAME`: sources of sfmap.yaml, of which each run takes what is new."""

import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ..folder import Event, Folder, identify

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
        assert "1 file has changed since delivered, such as logs/day-9.gz: see --changed" in said
        assert read(said) == 0
    said = logs.sfmap("run", "logs", "--changed").stderr
    assert read(said) == 2
    assert "changed" not in logs.sfmap("run", "logs").stderr
    assert emails(logs) == ["a@b.co", "b@b.co", "c@b.co", "new@b.co"]


def test_an_unfinished_run_is_continued_with_its_own_files(logs: Folder) -> None:
    """Newer files are the next run's, even where they come earlier by name."""
    many = [identify(f"p{number}@b.co") for number in range(3_000)]
    write_log(logs, "day-12.gz", many)
    assert logs.sfmap("run", "logs", "--max-calls", "5").returncode == 3
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
    assert logs.sfmap("run", "logs", "--max-calls", "5").returncode == 3
    write_log(logs, "day-12.gz", [*many, identify("more@b.co")])
    said = logs.sfmap("run", "logs").stderr
    assert "has changed since its last, unfinished run" in said
    assert "1 new file: logs/day-12.gz" in said
    assert len(emails(logs)) == len(set(emails(logs))) == 3_004


def test_a_file_that_is_removed_before_its_turn_is_left_out(logs: Folder) -> None:
    many = [identify(f"p{number}@b.co") for number in range(3_000)]
    write_log(logs, "day-11.gz", many)
    last = write_log(logs, "day-12.gz", [identify("gone@b.co")])
    assert logs.sfmap("run", "logs", "--max-calls", "5").returncode == 3
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
