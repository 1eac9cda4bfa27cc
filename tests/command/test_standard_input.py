"""`sfmap run -`: events that come when they come; and what large lines take."""

import fcntl
import json
import re
import signal
import sqlite3
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..folder import SFMAP, Event, Folder, Identify


def lines(*events: Event) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def wait_for(process: "subprocess.Popen[bytes]", look: Callable[[], bool]) -> None:
    """Until it is so, while the command is under way."""
    while not look():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)


def ended(process: "subprocess.Popen[bytes]") -> bytes:
    """What it has said at its end, which comes though nobody closes its standard input."""
    process.wait(60)
    assert process.stderr
    return process.stderr.read()


def leads(folder: Folder) -> int:
    try:
        return len(folder.rows("SELECT Id FROM Lead"))
    except sqlite3.OperationalError:  # not there yet
        return 0


def start(folder: Folder, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [str(SFMAP), "run", "-", *arguments]
    return subprocess.Popen(command, cwd=folder.path, stdin=subprocess.PIPE, stderr=subprocess.PIPE)


def test_events_go_though_no_more_have_come(folder: Folder, identify: Identify) -> None:
    process = start(folder)
    assert process.stdin
    for number in range(2):
        process.stdin.write(lines(identify(f"p{number}@b.co")))
        process.stdin.flush()
        wait_for(process, lambda: leads(folder) == number + 1)  # noqa: B023 - looked at before the next one
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert process.returncode == 130, said
    assert b"Every event up to 2 has its outcome. No further events were read" in said
    assert b"Fatal" not in said


def test_what_was_read_and_not_delivered_is_said(folder: Folder, identify: Identify) -> None:
    """The rest of it, sent again, is delivered once."""
    process = start(folder, "--linger", "3600")
    assert process.stdin
    process.stdin.write(lines(*(identify(f"p{number}@b.co") for number in range(3)), {"type": "page"}))
    process.stdin.flush()
    assert process.stderr
    first = process.stderr.readline()
    wait_for(process, lambda: _has_read_all(process))
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert process.returncode == 130, first + said
    assert b"No event was delivered. 4 more events were read but not delivered" in said
    again = folder.sfmap("run", "-", stdin=lines(*(identify(f"p{number}@b.co") for number in range(3))))
    assert again.returncode == 0, again.stderr
    assert leads(folder) == 3


def _has_read_all(process: "subprocess.Popen[bytes]") -> bool:
    """Whether nothing is left in the pipe."""
    assert process.stdin
    left = struct.unpack("i", fcntl.ioctl(process.stdin.fileno(), termios.FIONREAD, b"\0\0\0\0"))[0]
    return bool(left == 0)


SHAPES: dict[str, bytes] = {
    "a long text": b'"' + b"x" * 10_000_000 + b'"',
    "lists of nothing": b"[" + b"[]," * 3_300_000 + b"[]]",
    "objects": b"[" + b'{"a":1},' * 1_200_000 + b"{}]",
    "blanks": b'"' + b" " * 10_000_000 + b'"',
}


def peak_of(process: int) -> int:
    """The most memory that the process had, in KiB. Its resource usage would count what forked it, too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) if found else 0


@pytest.mark.parametrize("shape", SHAPES)
def test_lines_of_ten_megabytes_take_little_memory(folder: Folder, identify: Identify, shape: str) -> None:
    """And whatever they are, the events beside them are delivered."""
    with (folder.path / "e.ndjson").open("wb") as file:
        file.write(lines(identify("first@b.co")))
        for number in range(6):
            event = lines(identify(f"p{number}@b.co", note=0)).replace(b'"note": 0', b'"note": ' + SHAPES[shape])
            file.write(event)
        file.write(lines(identify("last@b.co")))
    process = folder.start("run", "e.ndjson")
    peak = 0
    while process.poll() is None:
        peak = max(peak, peak_of(process.pid))
        time.sleep(0.02)
    assert process.returncode in (0, 1)
    assert 20 < peak / 1024 < 300
    emails = {email for (email,) in folder.rows("SELECT Email FROM Lead")}
    assert {"first@b.co", "last@b.co"} <= emails
