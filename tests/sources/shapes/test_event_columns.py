"""Columns named in sfmap.yaml, and the events that their rows become."""

import pytest

from sfmap.engine.project.project_file import load_project
from sfmap.engine.wiring.source_opening import USUAL_OPTIONS, open_source

from ...folder import Folder

# Each case: the keys of the source, the row, and what of its event differs from that of the case above.
CASES: dict[str, tuple[str, dict[str, object], dict[str, object]]] = {
    "all other columns are traits": (
        "event: {type: identify, userId: id}",
        {"id": 7, "email": "a@b.co", "plan": "pro"},
        {"type": "identify", "userId": "7", "traits": {"email": "a@b.co", "plan": "pro"}},
    ),
    "except some": (
        "event: {type: identify, except: [plan]}",
        {"email": "a@b.co", "plan": "pro"},
        {"type": "identify", "traits": {"email": "a@b.co"}},
    ),
    "named traits only": (
        "event: {type: identify, traits: {email: E-Mail, address.city: Ort}}",
        {"E-Mail": "a@b.co", "Ort": "Köln", "Umsatz": "1"},
        {"type": "identify", "traits": {"email": "a@b.co", "address": {"city": "Köln"}}},
    ),
    "a constant, and an event of a column": (
        "event: {type: track, event: {value: Order Completed}, userId: {column: who}}",
        {"who": "u", "total": 1},
        {"type": "track", "event": "Order Completed", "userId": "u", "properties": {"total": 1}},
    ),
    "the type from a column": (
        "event: {type: {column: kind}, groupId: id}",
        {"kind": "group", "id": "g", "name": "Acme"},
        {"type": "group", "groupId": "g", "traits": {"name": "Acme"}},
    ),
    "opted in": (
        "event: {type: identify, opt_in: true}",
        {"email": "a@b.co"},
        {"type": "identify", "integrations": {"Salesforce": True}, "traits": {"email": "a@b.co"}},
    ),
    "types of texts": (
        "event: {type: identify, timezone: Europe/Berlin}\n"
        "    csv: {decimal: ','}\n"
        "    types: {revenue: number, day: {date: '%d.%m.%Y'}, at: {datetime: '%d.%m.%Y %H:%M'},"
        " ok: boolean, tags: json, odd: number}",
        {
            "revenue": "1.234,50",
            "day": "31.12.2026",
            "at": "01.07.2026 12:00",
            "ok": "yes",
            "tags": '["a"]',
            "odd": "many",
        },
        {
            "type": "identify",
            "traits": {
                "revenue": 1234.5,
                "day": "2026-12-31",
                "at": "2026-07-01T10:00:00.000Z",
                "ok": True,
                "tags": ["a"],
                "odd": "many",
            },
        },
    ),
    "objects of flat columns": (
        "event: {type: identify}\n    unflatten: [address]",
        {"address_city": "Köln", "address_zip": "50667", "address_book": "x", "addressee": "y"},
        {
            "type": "identify",
            "traits": {"address": {"city": "Köln", "zip": "50667", "book": "x"}, "addressee": "y"},
        },
    ),
    "the row within a column": (
        "event: {type: identify, userId: id}\n    unwrap: data",
        {"data": '{"id": "u", "email": "a@b.co"}', "loaded": 1},
        {"type": "identify", "userId": "u", "traits": {"loaded": 1, "email": "a@b.co"}},
    ),
    "a timestamp": (
        "event: {type: identify, timestamp: changed, timezone: Europe/Berlin}",
        {"changed": "2026-01-01 12:00:00"},
        {"type": "identify", "timestamp": "2026-01-01T11:00:00.000Z", "traits": {}},
    ),
}


@pytest.mark.parametrize(("keys", "row", "expected"), CASES.values(), ids=CASES)
def test_a_row_becomes_the_event_that_its_source_says(
    folder: Folder, keys: str, row: dict[str, object], expected: dict[str, object]
) -> None:
    event = event_of(folder, keys, row)
    assert str(event.pop("messageId")).startswith("row-")
    assert event == expected


def test_a_message_id_names_the_row_for_good(folder: Folder) -> None:
    """It differs by content, not by the run; a column may give it instead."""
    keys = "event: {type: identify}"
    first = event_of(folder, keys, {"email": "a@b.co"})["messageId"]
    assert event_of(folder, keys, {"email": "a@b.co"})["messageId"] == first
    assert event_of(folder, keys, {"email": "b@b.co"})["messageId"] != first
    assert event_of(folder, "event: {type: identify, messageId: id}", {"id": 5})["messageId"] == "5"


def test_a_row_without_a_type_is_rejected(folder: Folder) -> None:
    good, bad = {"kind": "identify", "email": "a@b.co"}, {"email": "b@b.co"}
    (folder.path / "sfmap.yaml").write_text("sources:\n  rows: {files: rows, event: {type: {column: kind}}}\n")
    folder.write("rows", [good, bad])
    done = folder.sfmap("render", "rows")
    assert done.returncode == 1
    assert "rows:2: the column kind does not say what the event is" in done.stdout


def event_of(folder: Folder, keys: str, row: dict[str, object]) -> dict[str, object]:
    (folder.path / "sfmap.yaml").write_text(f"sources:\n  rows:\n    files: rows.ndjson\n    {keys}\n")
    folder.write("rows.ndjson", [row])
    (received,) = open_source(load_project(folder.path), ["rows"], USUAL_OPTIONS)
    assert received.event, received.problem
    return dict(received.event)
