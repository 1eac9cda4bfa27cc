"""What was probably meant is an edit: applied to the text, it takes the mistake away."""

from collections.abc import Iterator
from typing import Any

import pytest

from .dev import MAPPING, Dev, project, started

LEAD = "mappings/lead.yaml"


@pytest.fixture(name="dev", scope="module")
def dev_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    folder = project(tmp_path_factory.mktemp("project") / "p")
    (folder.path / "mappings" / "other.yaml").write_text("sfmap: 1\nextends: lead\nactive: false\n")
    with started(folder) as dev:
        yield dev


def applied(text: str, fix: dict[str, Any]) -> str:
    lines = text.split("\n")
    line = lines[fix["line"] - 1]
    lines[fix["line"] - 1] = line[: fix["column"] - 1] + fix["text"] + line[fix["end_column"] - 1 :]
    return "\n".join(lines)


MEANT = {
    "a key of the mapping": ("operation: upsert", "opration: upsert"),
    "a key of a rule": ("write: create", "writ: create"),
    "a word": ("write: create", "write: creat"),
    "an operation": ("operation: upsert", "operation: upsrt"),
    "a filter": ("if_email", "if_emial"),
    "a filter in a template": ("{from: traits.title", "{template: '{{ traits.title | uper }}'"),
    "a field": ("  Title:", "  Titel:"),
    "a field in quotes": ("  Title:", '  "Titel":'),
    "an object": ("object: Lead", "object: Leed"),
    "a type of events": ("event: identify", "event: identfy"),
    "a picklist value": ("  Title:", "  Rating: {value: Hott}\n  Title:"),
    "a picklist value in a table": (
        "  Title:",
        "  Rating: {from: traits.r, values: {a: Hott, b: Cold}}\n  Title:",
    ),
    "a field to look up by": ("  Title:", "  OwnerId: {object: User, by: Emial, from: traits.o}\n  Title:"),
    "text after another character": ("  Title:", "  Title: {value: 🦊, writ: create}\n  Phone:"),
}


@pytest.mark.parametrize(("right", "wrong"), MEANT.values(), ids=MEANT)
def test_a_fix_takes_its_mistake_away(dev: Dev, right: str, wrong: str) -> None:
    assert right in MAPPING
    text = MAPPING.replace(right, wrong, 1)
    found = dev.post("/api/check", files={LEAD: text})["diagnostics"]
    (meant,) = (one for one in found if one["hint"].startswith("did you mean"))
    (fix,) = meant["fixes"]
    assert (fix["file"], fix["line"], fix["end_line"]) == (LEAD, fix["line"], fix["line"])
    left = dev.post("/api/check", files={LEAD: applied(text, fix)})["diagnostics"]
    assert [one for one in left if one["message"] == meant["message"]] == []
