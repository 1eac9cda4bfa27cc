"""Where the cursor is in a mapping: below which keys, in a key or a value. Half-written text is the usual case."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
MAPPINGS = sorted((HERE.parents[1] / "mappings").glob("*.yaml"))

PLACES = """
sfmap: 1\\n^                                      | key   |                          |
sfmap: 1\\nobj^                                   | key   |                          | obj
object: Le^                                      | value | object                   | Le
object: ^                                        | value | object                   |
fields:\\n  ^                                     | key   | fields                   |
fields:\\n  Em^                                   | key   | fields                   | Em
fields:\\n  A: x\\n  ^\\n  B: y                     | key   | fields                   |
fields:\\n  A: x\\n^                               | key   |                          |
fields:\\n  A: x\\n\\n  ^\\n\\naddress: y             | key   | fields                   |
fields:\\n  A: traits.em^                         | value | fields A                 | traits.em
fields:\\n  A: ^\\n  B: x                          | value | fields A                 |
fields:\\n  : traits.x^                           | value | fields :                 | traits.x
fields:\\n  ^: traits.x                           | key   | fields                   |
fields: {A: tr^, B: x}                           | value | fields A                 | tr
fields: {A: traits.email, ^}                     | key   | fields                   |
fields:\\n  A: {fr^}                              | key   | fields A                 | fr
fields:\\n  A: {from: ^}                          | value | fields A from            |
fields:\\n  A: {from: [a.b, tr^], type: x}        | value | fields A from 1          | tr
fields:\\n  A: {from: [a.b, c.d \\| fi^            | value | fields A from 1          | c.d \\| fi
fields:\\n  A: {from: a.b, type: ^}\\n  B: x       | value | fields A type            |
fields:\\n  A: {from: a.b, ty^\\n  B: {x: y}       | key   | fields A                 | ty
fields:\\n  A: {from: [a, b],\\n      ty^: x}      | key   | fields A                 | ty
fields:\\n  A: {from: [a],\\n      type: ph^}      | value | fields A type            | ph
fields:\\n  A:\\n    from: tr^                     | value | fields A from            | tr
fields:\\n  A:\\n    from: x\\n    ty^              | key   | fields A                 | ty
fields:\\n  A: {values: {hot: H^ot}, else: x}     | value | fields A values hot      | H
fields:\\n  A: {template: "{{ a.^ }}"}            | value | fields A template        | {{ a.
fields:\\n  A: "a.b \\| jo^"                       | value | fields A                 | a.b \\| jo
fields:\\n  A:\\n    template: >-\\n      {% if t^   | value | fields A template        | {% if t
when: "{{ traits.x^"                             | value | when                     | {{ traits.x
match: [Em^                                      | value | match 0                  | Em
match:\\n  - ^                                    | value | match 0                  |
match:\\n- A\\n- [B^, x]                           | value | match 1 0                | B
match: [{A: tr^}]                                | value | match 0 A                | tr
event: {type: track, name: ^}                    | value | event name               |
address:\\n  parts:\\n    City: {from: ci^}        | value | address parts City from  | ci
unless_found:\\n  - object: A\\n    by: ^          | value | unless_found 0 by        |
# com^                                           | comment |                        |
a: b # co^                                       | comment | a                      |
"""


def cells(line: str) -> tuple[str, str, list[str], str]:
    text, kind, path, word = (part.strip() for part in line.replace("\\|", "\0").split("|"))
    # A blank at the end of a text counts where the position follows it.
    return (
        text.replace("\\n", "\n").replace("\0", "|"),
        kind,
        path.replace(":", "").split(" ") if path else [],
        word.replace("\0", "|"),
    )


def found(**given: object) -> Any:
    if not shutil.which("node"):
        pytest.skip("Node.js is not here: the page's modules are not tried")
    done = subprocess.run(
        ["node", HERE / "places.mjs"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout)


def test_places() -> None:
    rows = [cells(line) for line in PLACES.strip().splitlines()]
    places = found(texts=[text for text, *_ in rows])["places"]
    for (text, kind, path, word), place in zip(rows, places, strict=True):
        assert place["kind"] == kind, text
        if kind != "comment":
            assert [str(key) for key in place["path"]] == path, text
            assert place["word"].strip() == word, text


def test_every_position_of_the_shipped_mappings_has_a_place() -> None:
    assert found(whole=[path.read_text() for path in MAPPINGS])["lost"] == []


@pytest.mark.parametrize("path", MAPPINGS, ids=lambda path: path.name)
def test_the_rules_of_a_mapping_are_those_of_a_yaml_parser(path: Path) -> None:
    text = path.read_text()
    entries = dict(found(whole=[text])["entries"][0])
    fields = yaml.load(text, yaml.BaseLoader)["fields"]
    assert {
        name.removeprefix("fields.") for name in entries if name.count(".") == 1 and name.startswith("fields.")
    } == set(fields)
    for name, rule in fields.items():
        assert yaml.load(entries[f"fields.{name}"], yaml.BaseLoader) == rule
