"""`sfmap suggest`: drafts of mappings that find the fields of the shipped ones, and nothing wrong."""

from pathlib import Path
from typing import cast

import pytest
import yaml
from _pytest.mark import ParameterSet

from sfmap.engine.inspect.coverage import Coverage
from sfmap.engine.inspect.traits.rule_readers import read_by, reads_of
from sfmap.engine.inspect.traits.trait_inventory import inventory_of
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources

from ..cases import load_cases
from ..folder import REPOSITORY, Folder

ROWS = REPOSITORY / "tests/behaviour/rows"
COLLECTED = REPOSITORY / "tests/shipped/collected"
MORE: list[Event] = [
    {
        "type": "group",
        "groupId": "g1",
        "traits": {"name": "B", "industry": "Banking", "rating": "hot", "ownership": "Public", "employeeCount": 7},
    },
]
"""What no row has of the shipped mapping of Accounts."""


def events_of(folder: Path) -> list[Event]:
    cases = cast(list[ParameterSet], load_cases(folder))
    return [cast(dict[str, Event], case.values[0])["event"] for case in cases]


def drafted(folder: Folder, events: list[Event], *more: str) -> dict[str, CompiledMapping]:
    """By object, the drafts, which pass every check."""
    done = folder.sfmap("suggest", folder.write("e.ndjson", events), "--write", "drafts", *more)
    assert done.returncode == 0, done.stderr
    for arguments in ([], ["--org", "local"]):
        checked = folder.sfmap("check", "--mappings", "drafts", *arguments)
        assert (checked.returncode, "warning" in checked.stderr) == (0, False), checked.stderr
    compiled = compile_mappings(ChosenMappings(sources=mapping_sources(folder.path / "drafts")))
    return {one.mapping.object: one for one in compiled}


@pytest.mark.parametrize("name", ["lead", "account"])
def test_the_fields_of_the_shipped_mappings_are_found(name: str, folder: Folder) -> None:
    events = [*events_of(ROWS), *MORE]
    drafts = drafted(folder, events)
    sources = mapping_sources(None)
    (shipped,) = compile_mappings(ChosenMappings(sources={name: sources[name]}))
    draft = drafts[shipped.mapping.object]
    coverage = Coverage(shipped)
    for event in events:
        if shipped.plan.takes(event.get("type"), event.get("event")):
            coverage.add({**event, "integrations": {"Salesforce": True}})
    wanted = set(coverage.fired)
    found = {one.field for one in draft.plan.fields}
    assert len(wanted & found) >= 0.9 * len(wanted), wanted - found
    assert len(wanted) >= 18
    assert wrong(draft, shipped, events) == []


def wrong(draft: CompiledMapping, shipped: CompiledMapping, events: list[Event]) -> list[str]:
    """What a draft reads for a field that the shipped mapping does not read for it."""
    kinds = [kind for kind in inventory_of(events).kinds() if draft.plan.takes(kind.type, kind.name)]
    mistakes = []
    for read in reads_of(draft.plan):
        path = tuple(one if isinstance(one, str) else None for one in read.path)
        readers = [one.field for kind in kinds for one in read_by([shipped], kind, path)]
        assert read.plan
        if read.plan.field not in readers:
            mistakes.append(f"{read.source.text} → {read.plan.field}")
    return mistakes


def test_events_of_other_products_give_drafts_that_pass_every_check(folder: Folder) -> None:
    drafts = drafted(folder, events_of(COLLECTED))
    assert {name: str(one.mapping.lookups[0].names[0]) for name, one in drafts.items()} == {
        "Lead": "Email",
        "Account": "AccountNumber",
        "Contact": "Email",
    }
    person = {one.field: [source.text for source in one.sources] for one in drafts["Lead"].plan.fields}
    assert person["FirstName"] == ["traits.firstname", "traits.name | first_name"]
    assert person["NumberOfEmployees"] == ["traits.company.employee_count"]
    assert person["Title"] == ["traits.title", "traits.jobtitle"]
    company = {one.field: [source.text for source in one.sources] for one in drafts["Account"].plan.fields}
    assert company["BillingCity"] == ["traits.address.city"]
    assert company["AccountNumber"] == ["groupId"]


SCHEMA = """\
objects:
  Subscription__c:
    label: Subscription
    fields:
      User_Id__c: {type: string, length: 40, label: User ID, external_id: true, unique: true}
      Plan__c: {type: picklist, values: [Free, Pro, Enterprise], restricted: true, label: Plan}
      Seats__c: {type: double, precision: 9, scale: 0, label: Number of Seats}
      Renewal__c: {type: date, label: Renewal Date}
      Trial__c: {type: boolean, label: Is Trial}
      Score__c: {type: double, precision: 9, scale: 2, label: Score}
      Region__c: {type: string, length: 10, label: Sales Region, required: true}
"""


def test_an_object_with_custom_fields_is_drafted(folder: Folder) -> None:
    (folder.path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\n")
    event: Event = {
        "type": "track",
        "event": "Plan Changed",
        "userId": "u1",
        "properties": {
            "user_id": "u1",
            "plan": "pro",
            "number_of_seats": 4,
            "renewalDate": "2026-12-01",
            "is_trial": False,
            "score": "high",
        },
    }
    (draft,) = drafted(folder, [event], "--object", "Subscription__c").values()
    assert {one.field: [source.text for source in one.sources] for one in draft.plan.fields} == {
        "User_Id__c": ["properties.user_id"],
        "Plan__c": ["properties.plan"],
        "Seats__c": ["properties.number_of_seats"],
        "Renewal__c": ["properties.renewalDate"],
        "Trial__c": ["properties.is_trial"],
        "Region__c": ["a constant"],
    }
    (path,) = (folder.path / "drafts").iterdir()
    text = path.read_text()
    assert yaml.safe_load(text)["fields"]["Plan__c"]["values"] == {"pro": "Pro"}
    assert "# Region__c (Sales Region) is required by the org, and no trait fits it." in text
    assert "#   properties.score: high" in text


def test_events_that_fit_nothing_end_with_a_message(folder: Folder) -> None:
    done = folder.sfmap("suggest", folder.write("e.ndjson", [{"type": "page", "properties": {"zoom": 3}}]))
    assert done.returncode == 2
    assert done.stderr.startswith("Error: no trait of page events fills a field that records of ")
