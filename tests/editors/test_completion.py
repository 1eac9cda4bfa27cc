"""What editors offer in a mapping, where, and what they insert."""

from pathlib import Path

import pytest

from ..folder import Folder
from .language_server import LanguageServer

HEAD = """\
# yaml-language-server: $schema=mapping.schema.json
sfmap: 1
event: identify
object: Lead
"""
SAMPLES = "tests/events/samples.ndjson"


@pytest.fixture(scope="module")
def mapping(editing: Folder) -> Path:
    """A mapping being written, in a project whose schema is made for its org and its samples."""
    done = editing.sfmap("schema", "--org", "local", "--samples", SAMPLES, "--object", "User", "--write")
    assert done.returncode == 0, done.stderr
    assert "Wrote mappings/mapping.schema.json" in done.stderr
    return editing.path / "mappings/new.yaml"


@pytest.mark.parametrize(
    ("text", "label", "inserted"),
    [
        pytest.param("▮", "match", "match: ", id="keys of a mapping"),
        pytest.param("fields:\n  ▮", "Company", "Company: ", id="a field"),
        pytest.param("fields:\n  Co▮", "Company", "Company: ", id="a field, begun"),
        pytest.param("fields:\n  ▮", "Rating", "Rating: ", id="a picklist"),
        pytest.param("fields:\n  ▮", "Score__c", "Score__c: ", id="a custom field"),
        pytest.param("fields:\n  Rating: ▮", "traits.email", "traits.email", id="the short form of a rule"),
        pytest.param("fields:\n  Rating:\n    ▮", "from", "from: ", id="keys of a rule"),
        pytest.param("fields:\n  Rating:\n    from: ▮", "traits.name", "traits.name", id="a source"),
        pytest.param("fields:\n  Rating:\n    from: [▮]", "traits.name", "traits.name", id="sources in a row"),
        pytest.param("fields:\n  Rating:\n    from:\n      - ▮", "traits.name", "traits.name", id="sources below"),
        pytest.param("fields:\n  Rating: {from: ▮}", "traits.name", "traits.name", id="a source within braces"),
        pytest.param("opt_in: ▮", "traits.email", "traits.email", id="what an event must have"),
        pytest.param("fields:\n  Rating:\n    default: ▮", "Warm", "Warm", id="a default of a picklist"),
        pytest.param("fields:\n  Rating:\n    values:\n      hot: ▮", "Hot", "Hot", id="a table of a picklist"),
        pytest.param("fields:\n  Tier__c: {from: a, else: ▮}", "Gold", "Gold", id="a value for all others"),
        pytest.param("match: ▮", "Email", "Email", id="a field to find records by"),
        pytest.param("match: [▮]", "Email", "Email", id="several of them"),
        pytest.param("fields:\n  OwnerId:\n    object: ▮", "User", "User", id="an object to point to"),
        pytest.param(
            "fields:\n  OwnerId: {object: User, by: ▮}", "Username", "Username", id="what it is found by"
        ),
        pytest.param("unless_found: {object: Plan__c, by: ▮}", "Code__c", "Code__c", id="by a custom field"),
        pytest.param("fields:\n  Rating:\n    type: ▮", "picklist", "picklist", id="words of the language"),
    ],
)
def test_what_is_offered(server: LanguageServer, mapping: Path, text: str, label: str, inserted: str) -> None:
    offered = server.completions(mapping, HEAD + text)
    assert offered.get(label) == inserted, offered


def test_an_object_is_offered_with_its_fields(server: LanguageServer, mapping: Path) -> None:
    offered = server.completions(mapping, HEAD.replace("Lead", "▮"))
    assert {"Lead", "Plan__c", "Opportunity"} <= set(offered)
    fields = server.completions(mapping, HEAD.replace("Lead", "Plan__c") + "fields:\n  ▮")
    assert {"Code__c", "Name"} <= set(fields)
    assert "Company" not in fields


def test_a_mapping_that_extends_another_has_its_fields(server: LanguageServer, mapping: Path) -> None:
    extending = HEAD.replace("event: identify\nobject: Lead", "extends: lead")
    assert "Company" in server.completions(mapping, f"{extending}fields:\n  ▮")


def test_settings_find_the_schema_without_a_first_line(server: LanguageServer, mapping: Path) -> None:
    without = HEAD.split("\n", 1)[1]
    assert "Company" in server.completions(mapping.with_name("bare.yaml"), f"{without}fields:\n  ▮")


def test_what_is_said_of_a_completion(server: LanguageServer, mapping: Path) -> None:
    rating = server.documentation(mapping, HEAD + "fields:\n  ▮", "Rating")
    assert rating == "Rating: picklist(255), values Hot, Warm, Cold"
    email = server.documentation(mapping, HEAD + "fields:\n  Rating: ▮", "traits.email")
    assert email == "email, in 4 of the 6 events"
    assert "picklist(255)" in server.hover(mapping, HEAD + "fields:\n  Rat▮ing: traits.rating")
    assert "The fields to find a record by" in server.hover(mapping, HEAD + "mat▮ch: Email")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("fields: {Rating: {frm: traits.x}}", ["5: Property frm is not allowed."]),
        ("fields: {Rating: 5}", ['5: Incorrect type. Expected "string".']),
        ("fields: {OwnerId: {object: User}}", ['5: Missing property "by".']),
        (
            "operation: destroy",
            ['5: Value is not accepted. Valid values: "create", "update", "upsert", "delete".'],
        ),
        ("fields: {Rating: traits.unheard_of, Unknown__c: traits.x}", []),
    ],
)
def test_mistakes_are_named(server: LanguageServer, mapping: Path, text: str, messages: list[str]) -> None:
    path = mapping.with_name(f"mistake {abs(hash(text))}.yaml")
    assert [one for one in server.mistakes(path, HEAD + text) if "Expected one of" not in one] == messages


def test_shipped_mappings_have_no_mistakes(server: LanguageServer, mapping: Path) -> None:
    for path in sorted(mapping.parent.glob("*.yaml")):
        assert server.mistakes(path.with_name(f"as {path.name}"), path.read_text("utf-8")) == []
