"""Values of fields whose type only the org describes."""

from typing import cast

from ..folder import Folder, Identify


def test_multi_select_values_are_sent_in_one_batch(folder: Folder, identify: Identify) -> None:
    """Each value is compared on its own, so a joined text does not make its record go alone."""
    tags = "{type: multipicklist, restricted: true, values: [red, green, blue]}"
    (folder.path / "schema.yaml").write_text(f"objects: {{Lead: {{fields: {{Tags__c: {tags}}}}}}}\n")
    (folder.path / "sfmap.yaml").write_text("orgs: {local: {schema: schema.yaml}}\n")
    tagged = [identify("same@b.co", name="Ann", Tags__c="red;blue" if n % 2 else "red; green") for n in range(100)]
    events = folder.write("e.ndjson", [{**event, "messageId": f"m{n}"} for n, event in enumerate(tagged)])
    done = folder.sfmap("run", events, "--report", "report.json")
    assert done.returncode == 0, done.stderr
    assert cast(dict[str, int], folder.report()["api_calls"])["upsert"] == 1
    assert folder.rows("SELECT Tags__c FROM Lead") == [("red;blue",)]
    bad = folder.sfmap("run", folder.write("bad.ndjson", [identify("bad@b.co", name="Ann", Tags__c="red;pink")]))
    assert (bad.returncode, "bad value for restricted picklist field" in bad.stderr) == (1, True)


MEASURED_SCHEMA = """
objects:
  Lead:
    fields:
      ticket__c: {type: string, length: 40}
      visits__c: {type: double, precision: 18, scale: 0}
      share__c: {type: percent, precision: 5, scale: 2}
      opens__c: {type: time}
      seen__c: {type: date}
"""
MEASURED = [
    ("ticket", "12345678901234567890123", "12345678901234567890123"),
    ("ticket", "18446744073709551616", "18446744073709551616"),
    ("ticket", "-100000000000000001", "-100000000000000001"),
    (
        "visits",
        "12345678901234567890",
        "visits__c: left out: traits.visits has more digits than a number",
    ),
    (
        "visits",
        "123456789012345678",
        "visits__c: left out: traits.visits has more digits than a number field keeps",
    ),
    ("visits", "100000000000000000", 100000000000000000),
    ("visits", '"$1,200"', 1200),
    ("share", "1000", "share__c: left out: traits.share has more than 3 digits before the point"),
    ("opens", '"9:30 AM"', "09:30:00.000Z"),
    ("opens", '"25:00:00"', "opens__c: left out: traits.opens is not a time of day"),
    ("seen", '"4000-12-31"', "4000-12-31"),
    ("seen", '"0001-01-01T00:00:00Z"', "seen__c: left out: traits.seen is out of the range of a date field"),
]
"""A custom trait, and what the org holds then, or the note beside a record without it."""


def test_values_are_converted_to_the_described_type(folder: Folder) -> None:
    """A value that its field cannot hold costs that value and no more; digits of a text field are exact."""
    (folder.path / "schema.yaml").write_text(MEASURED_SCHEMA)
    (folder.path / "sfmap.yaml").write_text("use: [lead]\norgs: {local: {schema: schema.yaml}}\n")
    traits = [
        f'"traits": {{"email": "p{n}@b.co", "{key}": {value}}}' for n, (key, value, _) in enumerate(MEASURED)
    ]
    lines = [f'{{"type": "identify", "integrations": {{"Salesforce": true}}, {one}}}' for one in traits]
    done = folder.sfmap("run", folder.write("e.ndjson", lines), "--results", "results.ndjson")
    assert done.returncode == 0, done.stderr
    for n, ((trait, _, expected), line) in enumerate(zip(MEASURED, folder.lines("results.ndjson"), strict=True)):
        assert line["outcome"] == "created"
        notes = cast(list[str], line.get("notes", []))
        if notes:
            assert notes[0].startswith(str(expected)), notes
            expected = None
        assert folder.rows(f"SELECT {trait}__c FROM Lead WHERE Email = 'p{n}@b.co'") == [(expected,)]
