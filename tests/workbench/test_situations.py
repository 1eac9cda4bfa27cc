"""Projects that are not as usual: without git or samples, in a sub-folder, with overlays, with an org away."""

import time
from pathlib import Path

import pytest

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import start_local_org
from sfmap.tests.folder import Folder

from .dev import ANA, MAPPING, commit, project, started

SAMPLE = "tests/events/samples.ndjson::ana"
LEAD = "mappings/lead.yaml"


def test_without_git_nothing_is_compared(tmp_path: Path) -> None:
    with started(project(tmp_path / "p")) as dev:
        told = dev.get("/api/project")
        assert (told["branch"], told["head"], "not a git repository" in told["head_message"]) == ("", "", True)
        (shown,) = dev.post("/api/render", files={}, sample=SAMPLE)["results"]
        assert shown["before"] is None
        assert {one["state"] for one in shown["fields"]} == {"same"}
        assert dev.read(LEAD)["head"] is None


def test_in_a_sub_folder_of_a_repository(tmp_path: Path) -> None:
    folder = project(tmp_path / "repository" / "sub" / "p")
    (tmp_path / "repository" / "mappings").mkdir()
    (tmp_path / "repository" / "mappings" / "lead.yaml").write_text("another project's\n")
    commit(tmp_path / "repository")
    with started(folder) as dev:
        assert dev.read(LEAD)["head"] == MAPPING
        changed = {LEAD: MAPPING.replace("Acme", "Ajax")}
        (shown,) = dev.post("/api/render", files=changed, sample=SAMPLE)["results"]
        assert [one["field"] for one in shown["fields"] if one["state"] == "changed"] == ["Company"]


def test_a_commit_is_the_new_head(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    commit(folder.path)
    with started(folder) as dev:
        changed = {LEAD: MAPPING.replace("Acme", "Ajax")}
        assert dev.post("/api/render-all", files=changed)["changed"] == 1
        (folder.path / LEAD).write_text(changed[LEAD])
        before = dev.get("/api/project")["head"]
        commit(folder.path)
        wait_until(lambda: dev.get("/api/project")["head"] != before)
        assert dev.post("/api/render-all", files=changed)["changed"] == 0


def test_mappings_with_mistakes_at_head_are_said(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", mapping="sfmap: [\n")
    commit(folder.path)
    (folder.path / LEAD).write_text(MAPPING)
    with started(folder) as dev:
        assert "cannot be used" in dev.get("/api/project")["head_message"]
        (shown,) = dev.post("/api/render", files={}, sample=SAMPLE)["results"]
        assert (shown["kind"], shown["before"]) == ("record", None)


def test_a_record_that_only_head_makes_is_gone(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    commit(folder.path)
    with started(folder) as dev:
        changed = {LEAD: MAPPING.replace("event: identify", "event: identify\nwhen: traits.plan == 'free'")}
        told = dev.post("/api/render", files=changed, sample=SAMPLE)
        assert [(one["mapping"], one["object"]) for one in told["gone"]] == [("lead", "Lead")]
        assert told["results"][0]["reason_at"] == {"file": LEAD, "line": 3}
        assert told["results"][0]["before"]["kind"] == "record"


def test_without_samples_and_mappings_the_shipped_ones_are_shown(folder: Folder) -> None:
    with started(folder) as dev:
        assert dev.get("/api/samples") == []
        assert dev.post("/api/render-all", files={})["samples"] == []
        files = dev.get("/api/project")["files"]
        assert {(one["kind"], one["readonly"]) for one in files} == {("mapping", True)}
        lead = dev.read("sfmap/mappings/lead.yaml")
        assert ("object: Lead" in lead["text"], lead["readonly"]) == (True, True)
        assert dev.save("sfmap/mappings/lead.yaml", "mine", lead["etag"]).status == 422
        (shown,) = dev.post("/api/render", files={}, event=ANA)["results"]
        assert shown["file"] == "sfmap/mappings/lead.yaml"
        assert "put files of events" in dev.post("/api/snapshots/accept")["message"]


def test_an_unsaved_base_changes_its_overlay(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", mapping=MAPPING.replace("sfmap: 1", "sfmap: 1\nactive: false"))
    (folder.path / "mappings" / "own.yaml").write_text("sfmap: 1\nextends: lead\nfields:\n  Phone: traits.phone\n")
    with started(folder) as dev:
        base = (folder.path / LEAD).read_text().replace("Acme", "Ajax")
        (shown,) = dev.post("/api/render", files={LEAD: base}, sample=SAMPLE)["results"]
        company = next(one for one in shown["fields"] if one["field"] == "Company")
        assert (company["value"], company["source"]["file"], shown["mapping"]) == ("Ajax", LEAD, "own")
        (one,) = dev.post("/api/check", files={LEAD: base.replace("Title:", "Titel:")})["diagnostics"]
        assert (one["file"], one["fixes"][0]["text"]) == (LEAD, "Title")


@pytest.mark.parametrize("name", ["not-utf-8", "large"])
def test_a_file_that_cannot_be_edited_says_why(tmp_path: Path, name: str) -> None:
    folder = project(tmp_path / "p")
    content = b"a: \xff\n" if name == "not-utf-8" else b"# " + b"x" * (5 * 1024 * 1024)
    (folder.path / "mappings" / "other.yaml").write_bytes(content)
    with started(folder) as dev:
        (other,) = (one for one in dev.get("/api/project")["files"] if one["path"] == "mappings/other.yaml")
        assert (other["readonly"], bool(other["problem"])) == (True, True)
        assert dev.ask("GET", "/api/file?path=mappings/other.yaml").said["error"] == other["problem"]


def test_lines_that_are_no_events_are_listed_with_the_reason(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", samples=("{", ANA, "[1]", ""))
    with started(folder) as dev:
        told = dev.get("/api/samples")
        assert [(one["line"], bool(one["problem"])) for one in told] == [(1, True), (2, False), (3, True)]
        assert dev.post("/api/render-all", files={})["samples"][0]["state"] == "rejected"


def test_several_records_of_one_event_have_their_item(tmp_path: Path) -> None:
    mapping = MAPPING.replace("object: Lead", "for_each: traits.people\nobject: Lead").replace(
        "[traits.email, userId | if_email]", "item.email"
    )
    folder = project(tmp_path / "p", mapping=mapping)
    event = {**ANA, "traits": {"people": [{"email": "a@b.co"}, {"email": "no"}, {"email": "c@d.co"}]}}
    with started(folder) as dev:
        told = dev.post("/api/render", files={}, event=event)["results"]
        assert [(one["kind"], one["item"]) for one in told] == [("record", 1), ("rejected", 2), ("record", 3)]
        assert told[1]["reason_at"] == {"file": LEAD, "line": 11}


ORG = """\
mappings: mappings
orgs:
  sandbox:
    login_url: {url}
    username: {username}
    password: ${{PASSWORD}}
    security_token: ${{TOKEN}}
"""
SECRETS = f"PASSWORD={credentials.PASSWORD}\nTOKEN={credentials.SECURITY_TOKEN}\n"
SCHEMA = (
    "objects:\n  Lead:\n    fields:\n      Score__c: {type: double, precision: 5, scale: 0, label: Our score}\n"
)


def wait_until(look: object) -> None:
    assert callable(look)
    while not look():
        time.sleep(0.01)


def test_an_org_is_asked_once_in_the_background_and_remembered_while_it_is_away(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", mapping=MAPPING + "  Score__c: traits.score\n  Scor__c: traits.score\n")
    (tmp_path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "secrets.env").write_text(SECRETS)
    (folder.path / "secrets.env").chmod(0o600)
    log = tmp_path / "calls.log"
    with start_local_org(tmp_path / "org.db", tmp_path / "schema.yaml", log=log) as local:
        (folder.path / "sfmap.yaml").write_text(ORG.format(url=local.url, username=credentials.USERNAME))
        with started(folder, "--org", "sandbox") as dev:
            wait_until(lambda: dev.post("/api/check", files={})["org"]["state"] == "checked")
            told = dev.post("/api/check", files={})
            (one,) = told["diagnostics"]
            assert (told["against"], one["kind"], one["severity"]) == ("sandbox", "SF041", "error")
            assert one["fixes"][0]["text"] == "Score__c"
            # What the org lacks does not keep the record from being shown.
            (shown,) = dev.post("/api/render", files={}, event={**ANA, "traits": {"email": "a@b.co", "score": 7}})[
                "results"
            ]
            assert {"Our score"} < {field["label"] for field in shown["fields"]}
            assert dev.get("/api/describe?object=Lead")["known"] == "org"
    calls = log.read_text()
    assert '"create"' not in calls
    assert '"upsert"' not in calls
    with started(folder, "--org", "sandbox") as dev:  # the org is away by now
        told = dev.post("/api/check", files={})
        assert (told["org"]["state"], told["against"]) == ("checked", "sandbox")
    for cached in (folder.path / ".sfmap" / "describe").iterdir():
        cached.unlink()
    with started(folder, "--org", "sandbox") as dev:
        wait_until(lambda: dev.post("/api/check", files={})["org"]["state"] == "away")
        told = dev.post("/api/check", files={})
        assert (told["against"], bool(told["org"]["message"])) == ("the standard objects", True)
        assert credentials.PASSWORD not in str(told)
        assert dev.post("/api/render", files={}, sample=SAMPLE)["results"][0]["kind"] == "record"


def test_a_rejected_event_is_not_a_change_by_itself(tmp_path: Path) -> None:
    folder = project(tmp_path)
    commit(tmp_path)
    with started(folder) as dev:
        no_email = {**ANA, "traits": {"name": "Ana"}}
        (shown,) = dev.post("/api/render", files={}, event=no_email)["results"]
        assert (shown["kind"], shown["before"]["kind"]) == ("rejected", "rejected")
        assert {field["state"] for field in shown["fields"]} == {"same"}


def test_where_a_person_comes_from_counts_as_unread(tmp_path: Path) -> None:
    with started(project(tmp_path)) as dev:
        context = {"campaign": {"source": "ads", "name": ""}, "library": {"name": "analytics.js"}}
        unread = dev.post("/api/render", files={}, event={**ANA, "context": context})["unread"]
        assert [one["path"] for one in unread] == ["traits.plan", "context.campaign.source"]


def test_the_schema_of_the_local_org_is_named(tmp_path: Path) -> None:
    folder = project(tmp_path)
    (folder.path / "schema.yaml").write_text(SCHEMA)
    saved = "orgs:\n  local: {schema: schema.yaml}\n"
    with started(folder) as dev:
        assert dev.post("/api/check", files={})["against"] == "the standard objects"
        told = dev.post("/api/check", files={"sfmap.yaml": saved})
        assert told["against"] == "the standard objects and schema.yaml"
        assert told["org"]["against"] == told["against"]


def test_a_changed_schema_is_read_again(tmp_path: Path) -> None:
    folder = project(tmp_path, mapping=MAPPING + "  Score__c: traits.score\n")
    schema = folder.path / "schema.yaml"
    schema.write_text("objects: {Lead: {fields: {Score: {type: double}}}}\n")
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\n")
    with started(folder) as dev:
        (one,) = dev.post("/api/check", files={})["diagnostics"]
        assert one["file"].endswith("schema.yaml")
        schema.write_text(SCHEMA)
        assert dev.post("/api/check", files={})["diagnostics"] == []
        fields = dev.get("/api/describe?object=Lead")["fields"]
        assert "Our score" in {field["label"] for field in fields}


def test_traits_of_the_context_that_a_rule_reads_are_read(tmp_path: Path) -> None:
    mapping = MAPPING.replace("traits.email, userId", "context.traits.email, userId")
    event = {**ANA, "traits": None, "context": {"traits": {"email": "ana@example.com", "plan": "pro"}}}
    with started(project(tmp_path, mapping=mapping)) as dev:
        unread = dev.post("/api/render", files={}, event=event)["unread"]
        assert [one["path"] for one in unread] == ["traits.plan"]


FIELDS_OF_THE_ORG = """\
objects:
  Lead:
    fields:
      Trial__c: {type: date}
      Code__c: {type: string, length: 4}
      Uses__c: {type: multipicklist, values: [CRM, Email], restricted: true}
"""


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        ("Trial__c: {value: next week}", "left out: it"),
        ("Trial__c: {value: 2026-05-31}", ""),
        ("Code__c: {value: ABCDEF}", "cut to 4 characters"),
        ("Uses__c: {value: CRM;Golf}", "refused: Golf is not among the values"),
        ("Unheard: {value: x}", "not a standard field: left out"),
        ("Unheard__c: {value: x}", ""),
        ("CreatedDate: {value: 2026-05-31T00:00:00Z}", "left out: this field is read-only"),
    ],
)
def test_a_record_says_what_the_org_does_with_a_value(tmp_path: Path, rule: str, note: str) -> None:
    folder = project(tmp_path, mapping=f"{MAPPING}  {rule}\n")
    (folder.path / "schema.yaml").write_text(FIELDS_OF_THE_ORG)
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\n")
    with started(folder) as dev:
        (shown,) = dev.post("/api/render", files={}, sample=SAMPLE)["results"]
        (notes,) = [field["notes"] for field in shown["fields"] if field["field"] == rule.partition(":")[0]]
        assert "; ".join(notes).startswith(note)
        assert bool(notes) == bool(note)
