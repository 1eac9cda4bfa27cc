"""`sfmap describe`: the fields of an object."""

import json
import re
from pathlib import Path

from sfmap.engine.local_org import credentials

from ..folder import Folder


def test_describe_prints_the_fields_of_an_object(folder: Folder) -> None:
    first = folder.sfmap("describe", "Lead")
    assert first.returncode == 0
    assert "As described now." in first.stderr
    assert re.search(r"LastName +string\(80\), required", first.stdout)
    again = folder.sfmap("describe", "Lead", "--json")
    assert json.loads(again.stdout)["fields"]["Email"]["length"] == 80
    assert "minutes ago" in folder.sfmap("describe", "Lead").stderr
    assert "described now" in folder.sfmap("describe", "Lead", "--refresh").stderr
    unknown = folder.sfmap("describe", "Laed")
    assert (unknown.returncode, 'did you mean "Lead"?' in unknown.stderr) == (2, True)
    kept = "".join(path.read_text() for path in Path(folder.path, ".sfmap/describe").iterdir())
    assert credentials.PASSWORD not in kept
