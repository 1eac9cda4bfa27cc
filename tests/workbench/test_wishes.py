"""Twelve wishes of a newcomer, each fulfilled by a recipe whose gaps are filled in, as docs/workbench.md tells."""

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import indent
from typing import Any, cast

import pytest

import sfmap
from sfmap.engine.workbench.recipe_book import recipes

from ..folder import REPOSITORY

SCHEMA = """\
objects:
  Lead:
    fields:
      First_UTM_Source__c: {type: string, length: 80}
      First_UTM_Campaign__c: {type: string, length: 80}
      Last_UTM_Source__c: {type: string, length: 80}
      Last_UTM_Campaign__c: {type: string, length: 80}
      Interests__c: {type: multipicklist, values: [CRM, Email], restricted: true}
      Trial_Ends__c: {type: date}
      Score__c: {type: double, precision: 5, scale: 0}
"""
LEAD = "sfmap: 1\nevent: identify\nobject: Lead\nmatch: Email\n"
RULES = {
    "Email": "traits.email",
    "LastName": "{from: traits.name | last_name, default: n/a}",
    "Company": "{from: traits.company, default: n/a}",
}
PERSON: dict[str, Any] = {"email": "ann@initech.com", "name": "Ann Lee"}


def mapping_with(title: str, gaps: Mapping[str, str]) -> str:
    """A mapping of leads with the recipe, or the recipe if it is a mapping of its own."""
    (recipe,) = (one for one in recipes() if one.title == title)
    text = recipe.text
    for suggested, own in gaps.items():
        assert f"${{{suggested}}}" in text, suggested
        text = text.replace(f"${{{suggested}}}", own)
    text = re.sub(r"\$\{([^{}]*)\}", r"\1", text)
    if recipe.place == "file":
        return text
    fields = text if recipe.place == "fields" else ""
    rules = "".join(f"{name}: {rule}\n" for name, rule in RULES.items() if f"\n{name}:" not in f"\n{fields}")
    return f"{LEAD}{'' if fields else text}fields:\n{indent(rules + fields, '  ')}"


def identify(context: object = None, **traits: object) -> dict[str, object]:
    return {"type": "identify", "traits": {**PERSON, **traits}, "context": context or {}, "messageId": "m"}


def track(name: str, **properties: object) -> dict[str, object]:
    to = {"integrations": {"Salesforce": True}, "messageId": "m"}
    return {"type": "track", "event": name, "properties": {"email": PERSON["email"], **properties}, **to}


WISHES: dict[str, tuple[Mapping[str, str], dict[str, object], Mapping[str, object] | None]] = {
    "Owner by country": (
        {"DE": "Germany", "dach@acme.example": "berlin@acme.example"},
        identify(country="Germany"),
        {"Owner": {"object": "User", "by": "Username", "value": "berlin@acme.example"}},
    ),
    "First and last UTM parameters": (
        {},
        identify(context={"campaign": {"source": "ads", "name": "spring"}}),
        {"Last_UTM_Source__c": "ads", "First_UTM_Campaign__c": "spring"},
    ),
    "Picklist from a table": ({"hot": "on fire"}, identify(temperature="On Fire"), {"Rating": "Hot"}),
    "Company from the e-mail's domain": ({}, identify(), {"Company": "initech.com"}),
    "Several values into a multi-select picklist": (
        {},
        identify(interests=["CRM", "Email"]),
        {"Interests__c": "CRM;Email"},
    ),
    "Day in a time zone": ({}, identify(trial_ends_at="2026-05-31T22:30:00Z"), {"Trial_Ends__c": "2026-06-01"}),
    "E-mail opt-out": (
        {"traits.subscribed": "traits.newsletter"},
        identify(newsletter="no"),
        {"HasOptedOutOfEmail": True},
    ),
    "Only where there is no contact yet": ({}, identify(), {"Email": "ann@initech.com"}),
    "Campaign member": (
        {"Webinar Registered": "Webinar Attended"},
        track("Webinar Attended", campaign="Spring"),
        {"Status": "Responded"},
    ),
    "Task": (
        {"Demo Booked": "Demo Requested", "Demo booked": "Call about a demo"},
        track("Demo Requested"),
        {"Subject": "Call about a demo"},
    ),
    "Internal people left out": ({"acme.example": "initech.com"}, identify(), None),
    "Number, rounded": ({}, identify(score="72.6"), {"Score__c": 73}),
}


@pytest.mark.parametrize("title", WISHES)
def test_a_wish_is_fulfilled_by_a_recipe(tmp_path: Path, title: str) -> None:
    gaps, event, wanted = WISHES[title]
    (tmp_path / "mappings").mkdir()
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (tmp_path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\nsilence: [SF052]\n")
    (tmp_path / "mappings" / "m.yaml").write_text(mapping_with(title, gaps))
    project = sfmap.Project(tmp_path)
    assert [str(one.message) for one in project.check()] == []
    (payload,) = cast(list[dict[str, Any]], project.render(event))
    if wanted is None:
        assert "skipped" in payload
        return
    found = {**payload["fields"], **payload.get("create_only", {}), **payload.get("if_empty", {})}
    assert {name: found.get(name) for name in wanted} == wanted


def test_the_wishes_are_those_of_the_page() -> None:
    page = (REPOSITORY / "docs" / "workbench.md").read_text("utf-8")
    assert [title for title in WISHES if f"*{title}*" not in page] == []
