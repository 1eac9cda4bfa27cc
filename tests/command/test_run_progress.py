"""The bar on a terminal that says how far a run is."""

import re

from ..folder import Folder, identify, interrupt
from ..reliability.people import LEAD, person
from ..scene import SECRETS, Scene
from .terminals import on_a_terminal


def test_it_counts_decided_events_of_all_files(folder: Folder) -> None:
    (folder.path / "logs").mkdir()
    for day in range(3):
        people = [identify(f"p{day}-{number}@b.co") for number in range(1_500)]
        folder.write(f"logs/{day}.ndjson", [*people, {"type": "identify", "integrations": {"Salesforce": True}}])
    (folder.path / "logs" / "3.ndjson").write_text("")
    done = on_a_terminal(folder, "run", "logs/*.ndjson", "--report", "r")
    assert done.code == 1
    bars = [line for line in done.writes if line.startswith("[")]
    assert [re.sub(r" event.*", "", line) for line in bars] == [
        "[..........]   0% 0",
        "[####......]  44% 2,000",
        "[#########.]  89% 4,000",
        "[##########] 100% 4,503",
    ]
    shown = r"\[#{4}\.{6}\]  44% 2,000 events, 1 failed, \d+ s left, [\d,]+ a second, file 2 of 4"
    assert re.fullmatch(shown, bars[1])
    assert ", 0 s left, " in bars[-1]
    assert not [line for line in done.lines if line.startswith("[")]


def test_it_fits_a_narrow_terminal(folder: Folder) -> None:
    events = folder.write("e.ndjson", [identify(f"p{number}@b.co") for number in range(2_500)])
    bars = [line for line in on_a_terminal(folder, "run", events, columns=50).writes if line.startswith("[")]
    assert len(bars) == 3
    assert max(map(len, bars)) < 50


def test_it_stands_below_messages_while_the_org_does_not_answer(scene: Scene) -> None:
    """The org is away after the first window, and comes back."""
    scene.mapping(LEAD)
    scene.faults({"kind": "server_unavailable", "calls": "create", "at": [11, 12, 13]})
    scene.folder.write("events.ndjson", [person(f"p{number}") for number in range(4_000)])
    command = ("run", "--org", "org", "--connections", "1", "events.ndjson")
    done = on_a_terminal(scene.folder, *command, environment=SECRETS)
    assert done.code == 0, done.raw
    writes = [line for line in done.writes if line]
    back = writes.index("The org answers again.")
    bar = writes[back - 1]
    assert bar.startswith("[#####.....]  50% 2,000 events, ")
    assert "Retrying until" in " ".join(writes[back - 3 : back - 1])
    assert writes[back + 1] == bar
    assert not [line for line in done.lines if "[" in line]


def test_messages_stand_on_lines_of_their_own(scene: Scene) -> None:
    """A create of the last window loses its answer, so that records wait."""
    scene.mapping(LEAD)
    scene.faults({"kind": "late_commit", "calls": "create", "at": [23], "seconds": 1.2})
    scene.folder.write("events.ndjson", [person(f"p{number}") for number in range(4_500)])
    done = on_a_terminal(scene.folder, "run", "--org", "org", "events.ndjson", environment=SECRETS)
    messages = [line for line in done.lines if "records wait until" in line]
    assert len(messages) == 1
    assert " events" not in messages[0]


def test_ctrl_c_is_answered_in_place_of_the_bar(folder: Folder) -> None:
    events = folder.write("e.ndjson", [identify(f"p{number}@b.co") for number in range(12_000)])
    pressed: list[bool] = []

    def press(process: object, shown: str) -> None:
        if re.search("[24],000 events", shown) and not pressed:
            pressed.append(True)
            interrupt(process)  # type: ignore[arg-type]

    done = on_a_terminal(folder, "run", events, meanwhile=press)
    assert done.code == 130
    assert "Stopping after the calls in flight; Ctrl-C again stops at once." in done.lines
    assert not [line for line in done.lines if line.startswith("[")]


def test_it_says_how_far_bulk_jobs_are(scene: Scene) -> None:
    scene.mapping(LEAD.replace("match: Email", "operation: create"))
    scene.faults({"kind": "slow", "calls": "processBatch", "seconds": 0.3})
    scene.folder.write("events.ndjson", [person(f"p{number}") for number in range(1_000)])
    command = ("run", "--org", "org", "--bulk", "always", "events.ndjson")
    done = on_a_terminal(scene.folder, *command, environment=SECRETS)
    assert done.code == 0, done.raw
    assert [line for line in done.writes if re.search(r"1 bulk job: \d+00 of 1,000 rows", line)], done.writes


def test_nothing_is_shown_where_there_is_no_terminal(folder: Folder) -> None:
    events = folder.write("e.ndjson", [identify(f"p{number}@b.co") for number in range(2_500)])
    said = folder.sfmap("run", events).stderr
    assert " a second" not in said
    assert "\x1b" not in said
