"""`sfmap render` with several processes: the same output as with one, and errors that say what happened."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import orjson
import pytest

from ..folder import Event, Folder, Identify, identify

LINE = orjson.dumps(identify("a@b.co", description="x" * 2_000)) + b"\n"
MANY = 10_000
"""Lines of more than 20 MB, so that not all of them are handed out before the first are printed."""


def test_several_processes_print_the_same_as_one(folder: Folder, identify: Identify) -> None:
    """Several parts of a file, with all that makes counting lines hard."""
    line = orjson.dumps(identify("a@b.co", description="x" * 2_000))
    odd = [b"\xef\xbb\xbf", b"  ", b"", b"nonsense", b"\r", line + b"\r", b"[]"]
    (folder.path / "one.ndjson").write_bytes(b"\n".join([*odd, *[line, b"", b" \t"] * 1_500, *odd, line]))
    (folder.path / "two.ndjson").write_bytes(b"\xef\xbb\xbf" + line + b"\n")
    shutil.copy(folder.path / "one.ndjson", folder.path / "three.ndjson")
    files = ("one.ndjson", "two.ndjson", "three.ndjson")
    one, three = (folder.sfmap("render", "--jobs", jobs, *files) for jobs in "13")
    assert one.stdout == three.stdout
    assert len(one.stdout.splitlines()) == 2 * (1_500 + 3 + 4 + 1) + 1  # a mark within the file is nonsense too
    assert (one.returncode, three.returncode) == (1, 1)


def test_lines_are_counted_after_one_that_is_too_long(folder: Folder) -> None:
    with (folder.path / "e.ndjson").open("wb") as out:
        out.writelines([b"1\n", b"2" * (67 * 1024 * 1024), b"\n", b"3\n", LINE, b"5\n"])
    one, two = (folder.sfmap("render", "--jobs", jobs, "e.ndjson").stdout for jobs in "12")
    assert "e.ndjson:2: longer than 64 MiB" in one
    assert "e.ndjson:5: " in one
    assert two == one


def cut_short(path: Path) -> None:
    os.truncate(path, len(LINE) * MANY // 5)


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(LINE * MANY)
    other.rename(path)


def removed(path: Path) -> None:
    path.unlink()


CHANGES: list[tuple[Callable[[Path], None], str]] = [
    (cut_short, "it changed while it was being read"),
    (replaced, "it changed while it was being read"),
    (removed, "No such file or directory"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_file_that_changes_while_it_is_read_is_reported(
    folder: Folder, change: Callable[[Path], None], words: str
) -> None:
    path = folder.path / "e.ndjson"
    path.write_bytes(LINE * MANY)
    process = folder.start("render", "--jobs", "2", "e.ndjson", stdout=subprocess.PIPE, before=())
    assert process.stdout
    process.stdout.read(1)  # the pipe is full now, so the rest waits
    change(path)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert said.decode() == f"Error: cannot read e.ndjson: {words}\n"


def children(process: "subprocess.Popen[bytes]") -> list[int]:
    return [int(child) for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def test_mappings_are_read_once(folder: Folder) -> None:
    """Whoever saves a mapping meanwhile does not spoil what is printed."""
    (folder.path / "ours").mkdir()
    os.mkfifo(folder.path / "ours" / "lead.yaml")
    text = "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields: {Email: traits.email}\n"
    Thread(target=(folder.path / "ours" / "lead.yaml").write_text, args=(text,), daemon=True).start()
    (folder.path / "e.ndjson").write_bytes(LINE * 10)
    process = folder.start("render", "--jobs", "2", "--mappings", "ours", "e.ndjson", stdout=subprocess.PIPE)
    try:
        printed, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert len(printed.splitlines()) == 10
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bind processes to cores")
def test_no_more_processes_than_available_cores_are_started(folder: Folder) -> None:
    (folder.path / "e.ndjson").write_bytes(LINE * MANY)
    one_core = ("taskset", "--cpu-list", str(min(os.sched_getaffinity(0))))
    process = folder.start("render", "e.ndjson", stdout=subprocess.PIPE, before=one_core)
    assert process.stdout
    process.stdout.read(1)
    assert not children(process)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell of processes in other ways")
def test_a_killed_process_is_reported(folder: Folder) -> None:
    (folder.path / "e.ndjson").write_bytes(LINE * MANY)
    process = folder.start("render", "--jobs", "2", "e.ndjson", stdout=subprocess.PIPE, before=())
    assert process.stdout
    process.stdout.read(1)
    for child in children(process):
        os.kill(child, signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "one of the processes was killed" in said.decode()
    assert "Traceback" not in said.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell of processes in other ways")
def test_a_killed_parent_leaves_no_process(folder: Folder) -> None:
    (folder.path / "e.ndjson").write_bytes(LINE * MANY)
    process = folder.start("render", "--jobs", "3", "e.ndjson", stdout=subprocess.PIPE, before=())
    assert process.stdout
    process.stdout.read(1)
    others = children(process)
    process.kill()
    process.communicate(timeout=60)  # waits for the output of all of them to be closed
    assert len(others) == 3
    assert not [other for other in others if Path(f"/proc/{other}/exe").exists()]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_reported(folder: Folder) -> None:
    (folder.path / "e.ndjson").write_bytes(LINE * MANY)
    with open("/dev/full", "wb") as full:
        process = folder.start("render", "--jobs", "2", "e.ndjson", stdout=full.fileno())
        _, said = process.communicate(timeout=60)
    assert said == b"Error: cannot write standard output: No space left on device\n"
    assert process.returncode == 2


def test_a_reader_that_stops_reading_ends_all_processes_silently(folder: Folder) -> None:
    (folder.path / "e.ndjson").write_bytes(LINE * MANY)
    process = folder.start("render", "--jobs", "2", "e.ndjson", stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 141


def test_too_many_processes_are_reported(folder: Folder) -> None:
    (folder.path / "e.ndjson").write_bytes(LINE * MANY)
    few_files = ("sh", "-c", 'ulimit -n 16; exec "$@"', "sh")
    process = folder.start("render", "--jobs", "64", "e.ndjson", stdout=subprocess.PIPE, before=few_files)
    try:
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 2
    assert said == b"Error: 64 processes cannot be started: Too many open files; try --jobs 1\n"


def test_messages_name_the_file(folder: Folder, identify: Identify) -> None:
    good: list[Event | str] = [identify("a@b.co")]
    folder.write("good.ndjson", good)
    folder.write("bad.ndjson", [*good, "nonsense"])
    problem = "not JSON: Expecting value, column 1"
    for jobs in "12":
        done = folder.sfmap("render", "--jobs", jobs, "good.ndjson", "bad.ndjson")
        assert orjson.loads(done.stdout.splitlines()[-1])["rejected"] == f"bad.ndjson:2: {problem}"
    streamed = folder.sfmap("render", "-", stdin=b"nonsense\n")
    assert orjson.loads(streamed.stdout)["rejected"] == f"-:1: {problem}"
    explained = folder.sfmap("render", "--explain", "good.ndjson", "bad.ndjson")
    assert explained.stdout.splitlines()[-1] == f"event 3: rejected: bad.ndjson:2: {problem}"
