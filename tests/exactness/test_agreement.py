"""Check and delivery agree: of what describe can tell, nothing fails an event whose mapping passed without a word.

Drawn mappings are checked against an org and those of which nothing is said are delivered to it. What an event may
still fail for stands here, and is told from the tables below, not from the product.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..examples import one_in
from .harness import SECRETS, Stage, said, stage
from .trial import PROJECT, write

SCHEMA = """\
objects:
  Open__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true}
      Code__c: {type: string, length: 10}
      Short__c: {type: textarea, length: 200}
      Long__c: {type: textarea, length: 30000}
      Count__c: {type: int}
      Score__c: {type: double, precision: 8, scale: 2}
      Vip__c: {type: boolean}
      Day__c: {type: date}
      Seen__c: {type: datetime}
      Mail__c: {type: email}
      Open_List__c: {type: picklist, values: [Hot, Cold]}
      List__c: {type: picklist, restricted: true, values: [Hot, Cold]}
      Lists__c: {type: multipicklist, restricted: true, values: [Hot, Cold]}
      Account__c: {type: reference, to: Account}
      User__c: {type: reference, to: User}
  Strict__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true}
      Code__c: {type: string, length: 10, required: true}
      Day__c: {type: date, required: true}
      Mail__c: {type: email, required: true}
      List__c: {type: picklist, restricted: true, required: true, values: [Hot, Cold]}
      User__c: {type: reference, to: User, required: true}
      Long__c: {type: textarea, length: 30000}
      Count__c: {type: int}
"""
TEXT = ("word", "sentence", "mail", "whole", "decimal", "flag", "day", "moment", "id", "listed")
FITS: Mapping[str, tuple[str, ...]] = {
    "Key__c": TEXT, "Code__c": TEXT, "Short__c": TEXT, "Long__c": TEXT, "Name": TEXT,
    "Count__c": ("whole",), "Score__c": ("whole", "decimal"), "Vip__c": ("flag",), "Day__c": ("day", "moment"),
    "Seen__c": ("day", "moment"), "Mail__c": ("mail",), "Open_List__c": TEXT, "List__c": ("listed",),
    "Lists__c": ("listed",), "Account__c": ("id",), "User__c": ("id",), "OwnerId": ("id",),
    "CreatedDate": ("day", "moment"),
}  # fmt: skip
"""By field, the properties whose values it holds."""
REQUIRED = ("Code__c", "Day__c", "Mail__c", "List__c", "User__c")
GOOD_KEYS = ("Key__c", "Code__c", "Count__c")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Open__c": tuple(FITS),
    "Strict__c": (
        "Key__c",
        "Code__c",
        "Day__c",
        "Mail__c",
        "List__c",
        "User__c",
        "Long__c",
        "Count__c",
        "OwnerId",
    ),
}
REQUIRED = ("Code__c", "Day__c", "Mail__c", "List__c", "User__c")
VALUES: Mapping[str, object] = {
    "word": "abc", "sentence": "a text of more than ten characters", "mail": "a@b.co", "whole": 12,
    "decimal": 1.5, "flag": True, "day": "2026-11-23", "moment": "2026-11-23T10:00:00Z",
    "id": "005000000000001AAA", "listed": "Hot",
}  # fmt: skip
CONSTANTS = ("abc", "a text of more than ten characters", 12, 1.5, True, "2026-11-23", "a@b.co", "Hot", "Hot;Cold")
TYPES = ("string", "integer", "number", "boolean", "date", "datetime", "email", "picklist", "id")
CONDITIONS = (
    "Count__c > 5", "Long__c = 'x'", "Nope__c = null", "CreatedDate > 2020-01-01T00:00:00Z", "Owner.Name != 'x'",
    "NOT (Key__c LIKE 'a%' OR Code__c IN ('Long__c = 1', 'b'))",
)  # fmt: skip
MORE: Mapping[str, tuple[object, ...]] = {
    "type": TYPES, "required": (True,), "when": ("{{ properties.flag }}",),
    "write": ("create", "update", "empty"), "max": (5, 80), "default": CONSTANTS,
}  # fmt: skip
MOSTLY = st.integers(0, 19).map(bool)
SILENCED = "[SF023, SF025, SF045, SF052]"
"""Warnings of what fails no event: what has no effect, is never written, is cut, or is made twice."""
MAY_FAIL = (
    re.compile(r"\w+ is required: "),
    re.compile(r"nothing to write: no field has a value"),
    re.compile(r"nothing to find the record by: no value for "),
    re.compile(r"\w+: no \w+ was found by \w+"),
    re.compile(r"INVALID_CROSS_REFERENCE_KEY: "),
)
"""What only an event or a record of the org tells: a value that is missing, a record that is not there."""


@dataclass(frozen=True)
class Drawn:
    """A mapping, as JSON, of which YAML is a superset."""

    document: Mapping[str, object]

    @property
    def rules(self) -> Mapping[str, Mapping[str, object]]:
        rules = self.document["fields"]
        assert isinstance(rules, dict)
        return rules

    def source(self, field: str) -> str:
        """The property that the rule reads; empty for a constant."""
        return str(self.rules.get(field, {}).get("from", "")).removeprefix("properties.")

    def may_fail(self, reason: str) -> bool:
        if any(known.match(reason) for known in MAY_FAIL):
            return True
        if reason.startswith("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST: "):
            return any(self.source(name) not in ("", "listed") for name in ("List__c", "Lists__c"))
        looked_up = re.match(r"cannot look up by (\w+): properties\.(\w+) is not ", reason)
        if looked_up is None:
            return False
        field, source = looked_up.groups()
        return source == self.source(field) and source not in FITS[field]


SURE: Mapping[str, Mapping[str, object]] = {
    "Code__c": {"from": "properties.word", "required": True},
    "Day__c": {"from": "properties.day", "type": "date", "required": True},
    "Mail__c": {"from": "properties.mail", "type": "email", "max": 80, "required": True},
    "List__c": {"from": "properties.listed", "required": True},
    "User__c": {"from": "properties.id", "type": "id", "required": True},
}
"""Rules that never leave a required field empty; the drawn ones mostly differ from them in one key."""


@st.composite
def rules(draw: st.DrawFn, name: str) -> dict[str, object]:
    """A rule for the field, more often than not a good one."""
    rule: dict[str, object] = {"from": f"properties.{draw(st.sampled_from(FITS[name]))}"}
    if name in SURE and draw(MOSTLY):
        rule = dict(SURE[name])
    if FITS[name] == ("id",) and not draw(MOSTLY):
        rule = {
            "object": draw(st.sampled_from(("Account", "User"))),
            "by": draw(st.sampled_from(("Name", "Username", "Description", "CreatedDate", "Nope"))),
            "from": "properties.word",
            "on_missing": draw(st.sampled_from(("drop", "reject"))),
        }
    elif not draw(MOSTLY):
        rule = {"value": draw(st.sampled_from(CONSTANTS))}
    elif not draw(MOSTLY):
        rule |= {"from": f"properties.{draw(st.sampled_from(tuple(VALUES)))}"}
    if not draw(MOSTLY):
        key = draw(st.sampled_from(tuple(MORE)))
        rule[key] = draw(st.sampled_from(MORE[key]))
    if not draw(MOSTLY):
        rule.pop(draw(st.sampled_from(("type", "required", "max", "on_missing"))), None)
    return rule


@st.composite
def mappings(draw: st.DrawFn) -> Drawn:
    name = draw(st.sampled_from(tuple(FIELDS)))
    operation = draw(st.sampled_from(("create", "update", "upsert", "upsert", "upsert", "delete")))
    known = FIELDS[name]
    fields = set(draw(st.lists(st.sampled_from(known), min_size=1, max_size=5)))
    if name == "Strict__c" and draw(MOSTLY):
        fields.update(REQUIRED)
    document: dict[str, object] = {"sfmap": 1, "event": "track", "object": name, "operation": operation}
    if operation != "create":
        by = GOOD_KEYS if draw(MOSTLY) else known
        tried = st.lists(st.sampled_from(by), min_size=1, max_size=2, unique=True)
        lookups = draw(st.lists(tried, min_size=1, max_size=2))
        fields.update(one for lookup in lookups for one in lookup)
        by_key = {"external_id": lookups[0][0]}
        document["match"] = lookups if draw(MOSTLY) else by_key
        if not draw(MOSTLY):
            document["where"] = draw(st.sampled_from(CONDITIONS))
    document["fields"] = {one: draw(rules(one)) for one in sorted(fields)}
    return Drawn(document)


EVENTS = st.lists(st.sets(st.sampled_from(tuple(VALUES)), max_size=4), min_size=4, max_size=4)
"""Which of the properties each event lacks."""


@pytest.fixture(scope="module")
def the_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("agreement"), SCHEMA) as ready:
        yield ready


def command(the_stage: Stage, folder: Path, *argv: str) -> object:
    return the_stage.ask(cwd=str(folder), argv=argv, env=SECRETS, stdin="")["code"]


def silent(the_stage: Stage, folder: Path, drawn: Mapping[str, Drawn]) -> dict[str, Drawn]:
    """The mappings that pass `check` without a word; the files of the others are deleted."""
    assert command(the_stage, folder, "check", "--org", "org", "--json") in (0, 2), said(folder)
    spoken = json.loads((folder / "printed.txt").read_text())["diagnostics"]
    noisy = {Path(one["file"]).stem for one in spoken}
    for name in noisy:
        (folder / "mappings" / f"{name}.yaml").unlink()
    return {name: one for name, one in drawn.items() if name not in noisy}


def disagreements(the_stage: Stage, several: list[Drawn], events: list[set[str]]) -> list[str]:
    folder = the_stage.folder / "project"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "mappings").mkdir(parents=True)
    drawn = {f"m{number}": one for number, one in enumerate(several)}
    for name, one in drawn.items():
        document = {**one.document, "event": {"type": "track", "name": name}}
        (folder / "mappings" / f"{name}.yaml").write_text(json.dumps(document))
    named = {"url": the_stage.url, "username": "developer@local.sfmap.test", "call_limit": 10, "batch_size": 200}
    project = PROJECT.format(use="[]", repeats=0, **named).replace("use: []\n", "")
    (folder / "sfmap.yaml").write_text(f"{project}silence: {SILENCED}\n")
    left = silent(the_stage, folder, drawn)
    if not left:
        return []
    properties = [{name: value for name, value in VALUES.items() if name not in lacks} for lacks in events]
    write(
        folder / "e.ndjson",
        tuple({"type": "track", "event": name, "properties": given} for name in left for given in properties),
    )
    code = command(the_stage, folder, "run", "e.ndjson", "--org", "org", "--results", "results.ndjson")
    assert code in (0, 1), said(folder)
    told = map(json.loads, (folder / "results.ndjson").read_text().splitlines())
    failed = [(left[one["mapping"]], one["reason"]) for one in told if one["outcome"] == "failed"]
    return [f"{reason}\n{json.dumps(one.document)}" for one, reason in failed if not one.may_fail(reason)]


@settings(one_in(10), suppress_health_check=list(HealthCheck))
@given(several=st.lists(mappings(), min_size=8, max_size=8), events=EVENTS)
def test_delivery_refuses_nothing_that_check_passes(
    the_stage: Stage, several: list[Drawn], events: list[set[str]]
) -> None:
    assert disagreements(the_stage, several, events) == []
