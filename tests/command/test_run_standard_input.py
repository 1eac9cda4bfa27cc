"""`sfmap run -`: events that are delivered while the stream is still open."""

import fcntl
import json
import signal
import sqlite3
import struct
import subprocess
import termios
import time

from ..folder import Event, Folder, Identify, wait_for, warm_sfmap
from ..reliability.people import LEAD, person
from ..scene import Scene


def lines(*events: Event) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


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
    command = [*warm_sfmap(), "run", "-", *arguments]
    return subprocess.Popen(command, cwd=folder.path, stdin=subprocess.PIPE, stderr=subprocess.PIPE)


def test_events_are_delivered_before_the_stream_ends(folder: Folder, identify: Identify) -> None:
    process = start(folder)
    assert process.stdin
    for number in range(2):
        process.stdin.write(lines(identify(f"p{number}@b.co")))
        process.stdin.flush()
        wait_for(process, lambda: leads(folder) == number + 1)  # noqa: B023 - looked at before the next one
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert process.returncode == 130, said
    assert b"Every event up to 2 has its outcome. Continue with the next event." in said
    assert b"Fatal" not in said


def test_events_that_come_one_after_the_other_do_not_wait_for_many(folder: Folder, identify: Identify) -> None:
    process = start(folder, "--linger", "0.2")
    assert process.stdin
    for number in range(4_000):  # fewer than are delivered at once
        process.stdin.write(lines(identify(f"p{number}@b.co")))
        process.stdin.flush()
        time.sleep(0.005)
        if number % 50 == 0 and leads(folder):
            break
    assert leads(folder)
    process.kill()
    process.communicate()


def test_an_interrupted_stream_reports_events_that_were_not_delivered(folder: Folder, identify: Identify) -> None:
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


def test_standard_input_can_be_named_only_once(folder: Folder) -> None:
    done = folder.sfmap("run", "-", "-")
    assert done.returncode == 2
    assert "only once" in done.stderr


def test_events_are_read_from_standard_input(folder: Folder) -> None:
    line = b'{"type":"identify","traits":{"email":"a@b.co"},"integrations":{"Salesforce":true}}'
    done = folder.sfmap("run", "-", "--json", stdin=line)
    assert done.returncode == 0
    assert '"created": 1' in done.stdout
    assert "local org" in done.stderr


def test_results_are_those_of_this_stream_even_if_it_cannot_begin(scene: Scene) -> None:
    """A client that reads them would take outcomes of the stream before for new ones."""
    scene.mapping(LEAD)
    delivered = ("run", "-", "--results", "results")
    scene.sfmap(*delivered, stdin=lines(person("p1")))
    assert len(scene.outcomes()) == 1
    scene.faults({"kind": "day_limit"})
    assert "No event was delivered" in scene.sfmap(*delivered, stdin=lines(person("p2")), code=3)
    assert scene.outcomes() == []


def test_another_pipe_of_the_same_name_is_delivered_from_its_start(scene: Scene) -> None:
    """A pipe cannot be read twice, whatever it is called."""
    scene.mapping(LEAD)
    for names, code in (("ab", 3), ("cd", 0)):
        most = ("--max-calls", "4") if code else ()
        lines = "".join(f"{json.dumps(person(name))}\n" for name in names)
        scene.sfmap("run", "/dev/stdin", *most, stdin=lines.encode(), code=code)
    assert scene.rows("SELECT Email FROM Lead ORDER BY Email") == [("c@b.co",), ("d@b.co",)]
