"""What the endpoints answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from .dev import ANA, MAPPING, Dev, commit, project, started


@pytest.fixture(name="dev", scope="module")
def dev_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    folder = project(tmp_path_factory.mktemp("project"))
    commit(folder.path)
    with started(folder) as dev:
        yield dev


def edited(old: str, new: str, name: str = "mappings/lead.yaml") -> dict[str, str]:
    assert old in MAPPING
    return {name: MAPPING.replace(old, new, 1)}


def field(shown: dict[str, list[dict[str, Any]]], name: str) -> dict[str, Any]:
    groups = ("fields", "left_out", "no_value", "removed")
    return next(one for group in groups for one in shown[group] if one["field"] == name)


SAMPLE = "tests/events/samples.ndjson::ana"


def test_the_project_lists_what_can_be_edited(dev: Dev) -> None:
    told = dev.get("/api/project")
    assert (told["branch"], told["org"]["state"], told["orgs"]) == ("main", "standard", ["local"])
    assert [(one["path"], one["kind"]) for one in told["files"]] == [
        ("mappings/lead.yaml", "mapping"),
        ("sfmap.yaml", "project"),
        ("tests/events/samples.ndjson", "samples"),
    ]


def test_unsaved_texts_are_checked_with_a_fix_for_what_was_meant(dev: Dev) -> None:
    assert dev.post("/api/check", files={})["diagnostics"] == []
    (one,) = dev.post("/api/check", files=edited("if_email", "if_emial"))["diagnostics"]
    assert (one["kind"], one["file"], one["line"], one["column"], one["end_column"]) == (
        "SF012", "mappings/lead.yaml", 10, 41, 49,
    )  # fmt: skip
    (fix,) = one["fixes"]
    assert (fix["line"], fix["column"], fix["end_column"], fix["text"]) == (10, 41, 49, "if_email")


def test_a_record_says_where_each_value_comes_from(dev: Dev) -> None:
    told = dev.post("/api/render", files={}, sample=SAMPLE)
    (shown,) = told["results"]
    assert (shown["kind"], shown["operation"], shown["object"]) == ("record", "upsert", "Lead")
    assert (shown["match"], shown["label"]) == ("Email = ana@example.com", "Lead")
    name = field(shown, "LastName")
    assert name["source"] == {
        "text": "traits.name", "file": "mappings/lead.yaml", "line": 11, "column": 38, "end_column": 49,
    }  # fmt: skip
    assert name["tried"] == [
        {"source": "traits.lastName", "found": "missing", "file": "mappings/lead.yaml", "line": 11, "column": 21,
         "end_column": 36}
    ]  # fmt: skip
    assert (field(shown, "Company")["write"], field(shown, "Company")["source"]["column"]) == ("create", 20)
    assert field(shown, "Title")["notes"] == ["cut to 10 characters"]
    assert told["unread"] == [{"path": "traits.plan", "value": "pro"}]
    assert (told["event"], told["stale"]) == (ANA, False)


def test_a_field_without_value_has_its_write_mode(dev: Dev) -> None:
    told = dev.post("/api/render", files={}, event={**ANA, "traits": {"email": "ana@example.com"}})
    title = field(told["results"][0], "Title")
    assert (title["write"], title["value"], title["source"]) == ("empty", None, None)


@pytest.mark.parametrize(
    ("old", "new", "name", "state", "before"),
    [
        ("Acme", "Ajax", "Company", "changed", "Acme"),
        ("write: create", "write: always", "Company", "changed", "Acme"),
        ("  Title:", "  Phone: traits.plan\n  Title:", "Phone", "new", None),
        ("from: traits.title", "from: traits.none", "Title", "removed", "Head of ev"),
        ("  Title: {from: traits.title, max: 10, write: empty}\n", "", "Title", "removed", "Head of ev"),
        ("Acme", "Acme", "Company", "same", None),
    ],
    ids=["value", "write", "new rule", "other source", "no rule", "as before"],
)
def test_a_field_is_compared_with_head(
    dev: Dev, old: str, new: str, name: str, state: str, before: str | None
) -> None:
    (shown,) = dev.post("/api/render", files=edited(old, new), sample=SAMPLE)["results"]
    found = field(shown, name)
    was = found["before"]
    assert found["state"] == state
    assert (was["shown"] if isinstance(was, dict) else was) == before


def test_a_skipped_event_names_the_line_that_decides(dev: Dev) -> None:
    (shown,) = dev.post("/api/render", files={}, sample="tests/events/samples.ndjson::bob")["results"]
    assert (shown["kind"], shown["mapping"]) == ("skipped", "lead")
    assert shown["reason"] == "not opted in: integrations.Salesforce is not true"
    assert shown["reason_at"] == {"file": "mappings/lead.yaml", "line": 3}


def test_while_yaml_is_broken_the_last_good_records_are_stale(dev: Dev) -> None:
    dev.post("/api/render", files={}, sample=SAMPLE)
    told = dev.post("/api/render", files=edited("fields:", "fields"), sample=SAMPLE)
    assert told["stale"]
    assert told["results"][0]["kind"] == "record"
    (one,) = dev.post("/api/check", files=edited("fields:", "fields"))["diagnostics"]
    assert one["kind"] == "SF001"


def test_all_samples_say_what_they_become_and_how_much_has_changed(dev: Dev) -> None:
    told = dev.post("/api/render-all", files=edited("Acme", "Ajax"))
    ana, bob = told["samples"]
    assert (ana["state"], ana["becomes"], ana["changed"], ana["snapshot"]) == ("notes", ["Lead"], 1, "missing")
    assert (bob["state"], bob["becomes"], bob["changed"]) == ("skipped", [], 0)
    assert (told["changed"], told["snapshots"], told["stale"]) == (1, 2, False)


def test_objects_and_their_fields_are_described(dev: Dev) -> None:
    assert {"name": "Lead", "label": "Lead"} in dev.get("/api/objects")
    told = dev.get("/api/describe?object=Lead")
    fields = {one["name"]: one for one in told["fields"]}
    assert (told["label"], told["known"]) == ("Lead", "standard")
    assert (fields["LastName"]["label"], fields["LastName"]["required"]) == ("Last Name", True)
    assert {"value": "Hot", "label": "Hot"} in fields["Rating"]["picklist"]
    unknown = dev.ask("GET", "/api/describe?object=Planet__c")
    assert (unknown.status, "Planet__c" in unknown.said["error"]) == (404, True)


def test_paths_have_how_often_they_are_filled_and_who_reads_them(dev: Dev) -> None:
    paths = {one["path"]: one for one in dev.get("/api/paths")}
    email, plan = paths["traits.email"], paths["traits.plan"]
    assert (email["filled"], email["events"], email["types"]) == (2, 2, ["email"])
    assert email["examples"] == ["ana@example.com", "bob@example.com"]
    assert [(one["field"], one["line"]) for one in email["read_by"]] == [("Email", 10)]
    assert (plan["filled"], plan["read_by"]) == (1, [])


def test_the_language_is_explained(dev: Dev) -> None:
    told = dev.get("/api/language")
    keys = {one["name"]: one for one in told["rule_keys"]}
    assert keys["write"]["values"] == ["always", "create", "update", "empty"]
    assert keys["required"]["values"] == ["true", "false"]
    filters = {one["name"]: one for one in told["filters"]}
    assert filters["if_email"]["examples"]
    assert filters["split"]["signature"].startswith("split(")


def test_without_a_service_nothing_is_caught(dev: Dev) -> None:
    told = dev.get("/api/caught")
    assert (told["events"], "sfmap serve" in told["message"]) == ([], True)


def test_yaml_is_compared_with_head_by_file(dev: Dev) -> None:
    told = dev.read("mappings/lead.yaml")
    assert (told["text"], told["head"], told["readonly"]) == (MAPPING, MAPPING, False)
