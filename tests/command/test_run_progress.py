"""The line on a terminal that says how far a run is."""

import os
import pty
import re
import subprocess

from ..folder import SFMAP, Folder, identify
from ..reliability.people import LEAD, person
from ..scene import SECRETS, Scene


def on_a_terminal(folder: Folder, *arguments: str, environment: dict[str, str] | None = None) -> list[str]:
    """What the command shows one after the other, where each line of the terminal is written again or ended."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [SFMAP, *arguments], cwd=folder.path, stderr=theirs, env={**os.environ, **(environment or {})}
    )
    os.close(theirs)
    shown = b""
    while data := _read(ours):
        shown += data
    os.close(ours)
    assert process.wait() in (0, 1), shown.decode()
    return [line.strip("\r") for line in re.split(r"\r\x1b\[K|\n", shown.decode())]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the command has ended
        return b""


def test_it_counts_decided_events_of_all_files(folder: Folder) -> None:
    (folder.path / "logs").mkdir()
    for day in range(3):
        people = [identify(f"p{day}-{number}@b.co") for number in range(1_500)]
        folder.write(f"logs/{day}.ndjson", [*people, {"type": "identify", "integrations": {"Salesforce": True}}])
    (folder.path / "logs" / "3.ndjson").write_text("")
    shown = [
        line for line in on_a_terminal(folder, "run", "logs/*.ndjson", "--report", "r") if " events, " in line
    ]
    assert [line.partition(" events")[0] for line in shown] == ["2,000", "4,000", "4,503"]
    assert ", 1 failed, " in shown[0]
    assert ", file 2 of 4, " in shown[0]
    assert re.fullmatch(r"2,000 events, 1 failed, [\d,]+ a second, file 2 of 4, \d+ s left", shown[0])
    assert shown[-1].endswith("0 s left")


def test_messages_stand_on_lines_of_their_own(scene: Scene) -> None:
    """A create of the last window loses its answer, so that records wait."""
    scene.mapping(LEAD)
    scene.faults({"kind": "late_commit", "calls": "create", "at": [23], "seconds": 1.2})
    scene.folder.write("events.ndjson", [person(f"p{number}") for number in range(4_500)])
    shown = on_a_terminal(scene.folder, "run", "--org", "org", "events.ndjson", environment=SECRETS)
    messages = [line for line in shown if "records wait until" in line]
    assert len(messages) == 1
    assert " events" not in messages[0]


def test_nothing_is_shown_where_there_is_no_terminal(folder: Folder) -> None:
    events = folder.write("e.ndjson", [identify(f"p{number}@b.co") for number in range(2_500)])
    assert " a second" not in folder.sfmap("run", events).stderr
