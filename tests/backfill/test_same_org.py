"""Records of a back-fill leave the org as the events one by one would: row by row."""

from pathlib import Path

import pytest

from ..examples import mostly_soak
from .streams import WORLDS, stream
from .worlds import world

QUICK = ("one key", "two keys in turn", "several mappings of one object", "pointers")


@pytest.mark.parametrize(
    "name", mostly_soak([*QUICK, *(name for name in WORLDS if name not in QUICK)], len(QUICK))
)
def test_the_org_is_the_same(tmp_path: Path, name: str) -> None:
    # Companies come late where people point to them.
    events = stream(len(name), 400, 80 if "pointers" in name else 12)
    with world(tmp_path / "events", WORLDS[name], events) as plain:
        plain.folder.write("before.ndjson", stream(1, 30, 12))  # some records are there before the back-fill
        plain.run("before.ndjson")
        plain.run("a.ndjson", "b.ndjson")
    with world(tmp_path / "records", WORLDS[name], events) as folded:
        folded.folder.write("before.ndjson", stream(1, 30, 12))
        folded.run("before.ndjson")
        made = folded.make()
        assert any(row.events > 1 for row in made) == (name != "two keys in turn")
        folded.run("--records", "out")
    for table, rows in plain.held().items():
        assert folded.held()[table] == rows, table
