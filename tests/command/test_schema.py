"""`sfmap schema`: the JSON Schema of mapping files."""

import orjson
import yaml
from jsonschema import Draft7Validator

from ..folder import Folder
from .acme import SAMPLES


def test_the_schema_rejects_invalid_mappings(folder: Folder) -> None:
    schema = orjson.loads(folder.sfmap("schema").stdout)
    validator = Draft7Validator(schema)
    good = {
        "sfmap": 1,
        "event": "identify",
        "object": "Lead",
        "match": "Email",
        "fields": {"Email": "traits.email"},
    }
    assert validator.is_valid(good)
    for broken in BROKEN_FOR_THE_SCHEMA:
        assert not validator.is_valid({**good, **broken}), broken
    assert not validator.is_valid({"sfmap": 1})


BROKEN_FOR_THE_SCHEMA: list[dict[str, object]] = [
    {"sfmap": 2},
    {"feilds": {}},
    {"event": "identfy"},
    {"event": {"type": "track", "nmae": "x"}},
    {"operation": "destroy"},
    {"match": []},
    {"match": {"external": "Key__c"}},
    {"fields": {"Email": 5}},
    {"fields": {"bad name": "traits.a"}},
    {"fields": {"Email": {"from": "a", "max": 0}}},
    {"fields": {"Email": {"from": "a", "write": "sometimes"}}},
    {"fields": {"Account": {"object": "Account"}}},
    {"address": {"from": "traits"}},
    {"custom": {"from": "traits", "objects": "explode"}},
]


def test_a_schema_knows_an_org_and_the_paths_of_events(project: Folder) -> None:
    schema = orjson.loads(project.sfmap("schema", "--org", "local", "--samples", SAMPLES).stdout)
    assert "Company" in orjson.dumps(schema["definitions"]["fields of Lead"]).decode()
    paths = schema["definitions"]["source"]["anyOf"][0]["enum"]
    assert {"traits.email", "traits.name", "integrations.Salesforce"} <= set(paths)
    validator = Draft7Validator(schema)
    for name in ("lead", "account"):
        mapping = yaml.safe_load((project.path / f"mappings/{name}.yaml").read_text("utf-8"))
        assert [error.message for error in validator.iter_errors(mapping)] == []
        mapping["fields"]["Own__c"] = "traits.not_in_the_samples"
        assert validator.is_valid(mapping)


def test_no_value_of_an_event_is_in_a_schema(project: Folder) -> None:
    event = {"type": "identify", "traits": {"email": "secret@example.com", "plan": "hush"}}
    project.write("private.ndjson", [event])
    printed = project.sfmap("schema", "--samples", "private.ndjson").stdout
    assert "traits.plan" in printed
    assert "secret@" not in printed
    assert "hush" not in printed


def test_the_schema_of_a_new_project_is_renewed_by_a_description_of_the_org(project: Folder) -> None:
    written = project.path / "mappings/mapping.schema.json"
    assert "traits.email" in written.read_text()
    (project.path / "schema.yaml").write_text("objects: {Lead: {fields: {Score__c: {type: double}}}}\n")
    (project.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\n")
    assert "Score__c" not in written.read_text()
    done = project.sfmap("describe", "--refresh")
    assert done.returncode == 0, done.stderr
    assert "Renewed mappings/mapping.schema.json, from which editors complete." in done.stderr
    assert "Score__c" in written.read_text()
    assert "traits.email" in written.read_text()
    assert orjson.loads(written.read_bytes())["x-sfmap"] == {"org": "local", "samples": ["tests/events"]}


def test_a_description_leaves_the_schema_of_another_org_alone(project: Folder) -> None:
    assert project.sfmap("schema", "--org", "local", "--write").returncode == 0
    (project.path / "sfmap.yaml").write_text("orgs:\n  local: {}\n  other: {server: local}\n")
    written = (project.path / "mappings/mapping.schema.json").read_bytes()
    project.sfmap("describe", "Lead", "--org", "other", "--refresh")
    assert (project.path / "mappings/mapping.schema.json").read_bytes() == written


def test_what_cannot_be_described_or_read_is_said(project: Folder) -> None:
    unknown = project.sfmap("schema", "--org", "sandbx")
    assert unknown.returncode == 2
    assert 'no org "sandbx"' in unknown.stderr
    missing = project.sfmap("schema", "--samples", "nowhere.ndjson")
    assert missing.returncode == 2
    assert "nowhere.ndjson" in missing.stderr
    (project.path / "mappings/mapping.schema.json").unlink()
    none = project.sfmap("describe", "--refresh")
    assert "To make it: sfmap schema --org local --write\n" in none.stderr
