"""`sfmap describe`: the fields of an object."""

import json
import re
from pathlib import Path

from sfmap.engine.local_org.calls import credentials

from ..folder import Folder


def test_describe_prints_the_fields_of_an_object(folder: Folder) -> None:
    described = folder.sfmap("describe", "Lead")
    assert described.returncode == 0
    assert "As described now." in described.stderr
    assert re.search(r"LastName +string\(80\), required", described.stdout)


def test_a_description_is_kept_until_it_is_refreshed(folder: Folder) -> None:
    folder.sfmap("describe", "Lead")
    again = folder.sfmap("describe", "Lead", "--json")
    assert json.loads(again.stdout)["fields"]["Email"]["length"] == 80
    assert "minutes ago" in folder.sfmap("describe", "Lead").stderr
    assert "described now" in folder.sfmap("describe", "Lead", "--refresh").stderr
    kept = "".join(path.read_text() for path in Path(folder.path, ".sfmap/describe").iterdir())
    assert credentials.PASSWORD not in kept


def test_an_unknown_object_is_refused_with_a_suggestion(folder: Folder) -> None:
    unknown = folder.sfmap("describe", "Laed")
    assert (unknown.returncode, 'did you mean "Lead"?' in unknown.stderr) == (2, True)


def test_a_missing_file_of_certificates_is_named(folder: Folder) -> None:
    org = "{login_url: 'https://localhost:9', username: a@b.co, password: '${SECRET}'}"
    (folder.path / "sfmap.yaml").write_text(f"orgs: {{mine: {org}}}\n")
    wrong = {"SECRET": "x", "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}
    done = folder.sfmap("describe", "Lead", "--org", "mine", environment=wrong)
    assert done.returncode == 3
    assert "REQUESTS_CA_BUNDLE names /nowhere/ca.pem, which does not exist" in done.stderr
