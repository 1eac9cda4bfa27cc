"""A project as people have it: mappings of its own in git, edits that are not committed, and samples."""

from pathlib import Path

from ..folder import Folder
from ..workbench.dev import commit

ANA = {
    "type": "identify",
    "messageId": "web-1042",
    "userId": "u-2",
    "traits": {
        "email": "ana@example.com",
        "name": "Ana María de la Cruz",
        "title": "Directora de operaciones y crecimiento",
        "company": {"name": "Cruz y Hijos", "id": 666},
        "phone": "+34 910 000 111",
        "rating": "boiling",
        "plan": "pro",
        "favouriteArtist": "Rosalía",
        "description": "Wants a demo before the end of the quarter. " * 8,
        "employees": "about twelve",
    },
    "context": {"campaign": {"source": "newsletter", "name": "spring"}},
    "integrations": {"Salesforce": True},
}
SIGNED_UP = {"type": "track", "event": "Signed Up", "messageId": "web-1043", "properties": {"plan": "pro"}}
EDITS = {
    "{from: [traits.title, traits.position, traits.jobTitle], max: 128}": (
        "{from: [traits.position, traits.title, traits.jobTitle], max: 16}"
    ),
    "{from: traits.leadSource, type: picklist}": "{from: traits.leadSource, default: {value: Web, write: create}}",
    "{from: traits.rating, type: picklist}": (
        "{from: traits.rating, values: {boiling: Hot, hot: Hot, mild: Warm}, else: Cold}"
    ),
    "type: phone, max: 40, blank_values: [0]}\n  MobilePhone": (
        "type: phone, max: 40, write: empty}\n  MobilePhone"
    ),
}


def acme(folder: Path) -> Folder:
    """The project, with edits of lead.yaml against HEAD."""
    Folder(folder).sfmap("init", "acme")
    made = Folder(folder / "acme")
    samples = made.path / "tests" / "events" / "samples.ndjson"
    written = samples.read_bytes().splitlines()
    made.write("tests/events/samples.ndjson", [ANA, *(line.decode() for line in written), SIGNED_UP])
    lead = made.path / "mappings" / "lead.yaml"
    text = lead.read_text("utf-8")
    commit(made.path)
    for old, new in EDITS.items():
        assert old in text, old
        text = text.replace(old, new)
    lead.write_text(text, "utf-8")
    return made
