"""What commands show on a terminal: color for what failed, 80 columns, and counts in the right number."""

import re

import pytest

from ..folder import Folder, identify
from .terminals import Shown, on_a_terminal

NAMELESS = {"type": "identify", "integrations": {"Salesforce": True}}
RED = "\x1b[31m\x1b[1m"


def is_whole(shown: Shown, columns: int = 80) -> bool:
    """Whether no line is wider than the terminal, but for commands to paste."""
    return not [line for line in shown.lines if len(line) > columns and not line.startswith("  sfmap ")]


def test_the_summary_shows_what_failed_in_red_and_fits(folder: Folder) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co", favouriteArtist="x"), NAMELESS, {"type": "page"}])
    done = on_a_terminal(folder, "run", events)
    assert f"  {RED}failed             1\x1b[0m  Email is required" in done.raw
    assert is_whole(done)
    place = next(number for number, line in enumerate(done.lines) if line.startswith("  noted"))
    assert done.lines[place + 1].startswith(" " * 24)
    assert "Failed records are kept. To list them, and to deliver them again:" in done.lines


def test_nothing_is_colored_with_no_color(folder: Folder) -> None:
    events = folder.write("e.ndjson", [identify(f"p{number}@b.co") for number in range(2_100)] + [NAMELESS])
    done = on_a_terminal(folder, "run", events, environment={"NO_COLOR": "1"})
    assert not re.search(r"\x1b\[[\d;]*m", done.raw)
    assert [line for line in done.writes if line.startswith("[##########] 100% 2,101 events, 1 failed")]


@pytest.mark.parametrize("columns", [60, 80])
def test_mistakes_fit(folder: Folder, columns: int) -> None:
    (folder.path / "sfmap.yaml").write_text("mappings: mappings\n")
    (folder.path / "mappings").mkdir()
    rule = "{from: [traits.firstName, traits.name | frist_name], default: n/a, max: 80, type: strng}"
    text = f"sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\nfields:\n  Email: {rule} # {'x' * 200}\n"
    (folder.path / "mappings" / "lead.yaml").write_text(text)
    done = on_a_terminal(folder, "check", columns=columns)
    assert done.code == 2
    assert is_whole(done, columns)
    assert "^" in done.raw
    assert 'did you mean "first_name"?' in done.raw


def test_messages_are_broken_between_words(folder: Folder) -> None:
    (folder.path / "sfmap.yaml").write_text("default_org: local\n")
    done = on_a_terminal(folder, "run", "--org", "nowhere-to-be-found", "no-such-file.ndjson")
    assert done.code == 2
    assert is_whole(done)


def test_a_run_in_which_everything_was_skipped_says_what_to_change(folder: Folder) -> None:
    events = [{**identify(f"p{number}@b.co"), "integrations": {}} for number in range(3)]
    done = on_a_terminal(folder, "run", folder.write("e.ndjson", [*events, {"type": "page"}]))
    assert "  To deliver them anyway, set in sfmap.yaml: settings: {MAPPING: {opt_in: null}}" in done.lines
    assert "  Check the mappings' key event: it says which events they take." in done.lines
    assert "  sfmap render --explain e.ndjson" in done.lines


@pytest.mark.parametrize(("number", "counted"), [(1, "1 event compared"), (2, "2 events compared")])
def test_counts_have_the_right_number(folder: Folder, number: int, counted: str) -> None:
    (folder.path / "before").mkdir()
    events = folder.write("e.ndjson", [identify(f"p{one}@b.co") for one in range(number)])
    assert f"{counted}, 0 changed." in folder.sfmap("diff", "--from", "before", events).stderr
