"""What holds for every command: closed, full or unread streams, Ctrl-C, and bugs of sfmap."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from ..folder import SFMAP, Folder, Identify, interrupt, warm_sfmap
from .bug_in_mapping import broken

INTERRUPTED = Path(__file__).parent / "interrupted"
"""A folder whose orjson stands for a person who presses Ctrl-C."""
FULL = "Error: cannot write standard output: No space left on device\n"
PRINTING = [
    ["render", "e.ndjson"],
    ["render", "--jobs", "2", "e.ndjson"],
    ["render", "--explain", "e.ndjson"],
    ["diff", "--from", "before", "e.ndjson"],
    ["check", "--json"],
    ["check", "--compiled"],
    ["schema"],
    ["--help"],
    ["run", "--help"],
]


def shell(folder: Folder, redirection: str, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    start = [str(SFMAP)] if "-" in redirection else warm_sfmap()
    """A stream that is closed cannot be handed on."""
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *start, *arguments]
    return subprocess.run(command, cwd=folder.path, capture_output=True, timeout=60)


@pytest.fixture
def project(folder: Folder, identify: Identify) -> Folder:
    folder.write("e.ndjson", [identify("a@b.co", plan="pro")])
    (folder.path / "before").mkdir()
    (folder.path / "before" / "sfmap.yaml").write_text("use: [account]\n")
    return folder


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_full_disk_is_reported(project: Folder, arguments: Sequence[str]) -> None:
    done = shell(project, "> /dev/full", *arguments)
    assert (done.returncode, done.stderr.decode().splitlines(keepends=True)[-1]) == (2, FULL)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", PRINTING, ids=" ".join)
def test_a_closed_pipe_ends_the_command_silently(project: Folder, arguments: Sequence[str]) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as gone:
        done = subprocess.run([*warm_sfmap(), *arguments], cwd=project.path, stdout=gone, stderr=subprocess.PIPE)
    assert done.returncode == 141
    assert b"Error" not in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_reader_that_stops_reading_ends_the_command_silently(folder: Folder, identify: Identify) -> None:
    folder.write("many.ndjson", [identify(f"p{number}@b.co") for number in range(5_000)])
    process = folder.start("render", "many.ndjson", stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.communicate(timeout=60)[1] == b""
    assert process.returncode == 141


def test_closed_standard_input_is_reported_where_it_is_needed(project: Folder) -> None:
    """Only - needs it."""
    for command in ("render", "run"):
        done = shell(project, "<&-", command, "e.ndjson")
        assert done.returncode == 0, done.stderr
        for arguments, words in (([], "Name a file of events"), (["-"], "standard input: it is closed")):
            done = shell(project, "<&-", command, *arguments)
            assert done.returncode == 2
            assert words in done.stderr.decode()
            assert b"Traceback" not in done.stderr
    assert shell(project, "<&-", "render", "--jobs", "2", "e.ndjson").returncode == 0
    session = shell(project, "<&-", "run", "--org-from-stdin", "e.ndjson")
    assert session.returncode in (2, 3)
    assert b"Traceback" not in session.stderr


def test_closed_standard_output_is_reported(project: Folder) -> None:
    done = shell(project, ">&-", "render", "e.ndjson")
    assert (done.returncode, done.stderr) == (
        2,
        b"Error: cannot write standard output: Bad file descriptor\n",
    )
    assert shell(project, ">&-", "run", "e.ndjson").returncode == 0
    assert shell(project, "2>&-", "run", "e.ndjson").returncode == 0


def test_ctrl_c_stops_a_command_that_starts(project: Folder) -> None:
    for arguments in (["render", "e.ndjson"], ["run", "e.ndjson"], ["check"], ["init", "x"]):
        done = project.sfmap(*arguments, environment={"PYTHONPATH": str(INTERRUPTED)})
        assert (done.returncode, done.stderr.strip()) == (130, "Stopped.")


@pytest.mark.parametrize("jobs", "12")
def test_ctrl_c_stops_a_command_that_prints(folder: Folder, identify: Identify, jobs: str) -> None:
    folder.write("many.ndjson", [identify(f"p{number}@b.co") for number in range(5_000)])
    process = folder.start("render", "--jobs", jobs, "many.ndjson", stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.read(1)  # the pipe is full now
    interrupt(process)
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said.strip()) == (130, b"Stopped.")


def test_a_bug_is_reported_without_a_traceback_or_data(folder: Folder) -> None:
    """Without a traceback, and without what somebody sent."""
    command = [sys.executable, "-m", "sfmap.tests.command.bug_in_mapping"]
    line = broken.__code__.co_firstlineno + 1
    done = subprocess.run(command, cwd=folder.path, input=b"{}", capture_output=True, timeout=60)
    assert done.returncode == 70
    assert done.stderr.startswith(b"Error: this is a bug in sfmap: TypeError at bug_in_mapping.py:%d." % line)
    assert b"Ann Lee" not in done.stderr
    more = {**os.environ, "SFMAP_TRACEBACK": "1"}
    assert (
        b"Ann Lee" in subprocess.run(command, cwd=folder.path, input=b"{}", capture_output=True, env=more).stderr
    )
