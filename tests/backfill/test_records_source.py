"""Files of records that are not what a back-fill has made, or are damaged: each is said."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .streams import LEAD
from .test_refused_records import EVENTS
from .worlds import World, world


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "world", {"lead": LEAD}, EVENTS) as found:
        found.make()
        yield found


def records(ready: World) -> Path:
    return ready.folder.path / "out" / "records" / "part-00000.txt"


def test_a_file_of_records_is_delivered(ready: World) -> None:
    assert "read               6  events" in ready.run("--records", "out/records/part-00000.txt")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--records", "a.ndjson"), "a.ndjson:1 is not a record of sfmap backfill: name the folder or a file"),
        (
            ("--records", "mappings"),
            "mappings has no summary.json: sfmap backfill has not made it",
        ),
        (("--records", "nothing"), "cannot read nothing: no such file or folder"),
        (("--records", "out", "a.ndjson"), "--records goes without EVENTS"),
        (("--records", "out", "--skip-delivered"), "--records goes without EVENTS"),
    ],
)
def test_what_are_no_records_is_said(ready: World, arguments: tuple[str, ...], said: str) -> None:
    assert said in ready.run(*arguments, code=2)


def test_records_of_a_back_fill_that_did_not_end_are_refused(ready: World) -> None:
    (ready.folder.path / "out" / "summary.json").unlink()
    assert "out has no summary.json" in ready.run("--records", "out", code=2)


def test_records_of_other_mappings_are_refused(ready: World) -> None:
    (ready.folder.path / "mappings" / "lead.yaml").write_text(LEAD.replace("traits.title", "traits.rank"))
    assert "the mappings have changed since the records in out were made" in ready.run("--records", "out", code=2)


def test_records_for_another_org_are_refused(ready: World) -> None:
    done = ready.folder.sfmap("run", "--records", "out")
    assert done.returncode == 2
    assert "were made for the objects of another org (--org org)" in done.stderr


def test_damaged_lines_fail_alone(ready: World) -> None:
    lines = records(ready).read_text().splitlines()
    assert len(lines) == 2
    damaged = [lines[0], lines[1][:60], '{"type": "identify"}', lines[1]]
    records(ready).write_text("\n".join(damaged) + "\n")
    ready.run("--records", "out", code=1)
    told = [(one["outcome"], one["reason"]) for one in ready.folder.lines("results")]
    assert [fate for fate, _ in told] == ["created", "failed", "failed", "created"]
    assert "not JSON" in str(told[1][1])
    assert told[2][1] == "not a record of sfmap backfill"


def test_damaged_contents_are_made_again_from_the_events(ready: World) -> None:
    lines = [json.loads(line) for line in records(ready).read_text().splitlines()]
    lines[0]["create"] = 5
    lines[1]["create"], lines[1]["events"] = None, "none"
    records(ready).write_text("".join(json.dumps(line) + "\n" for line in lines))
    ready.run("--records", "out", code=1)
    told = [(one["outcome"], one["reason"]) for one in ready.folder.lines("results")]
    assert told == [
        ("created", None),
        *[("updated", None)] * 3,
        ("failed", "the events of this record are damaged"),
    ]


def test_no_records_are_no_failure(ready: World) -> None:
    records(ready).write_text("")
    assert "read               0  events" in ready.run("--records", "out", code=0)
