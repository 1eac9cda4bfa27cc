"""A project renders, explains and checks events as the commands do."""

import datetime
import decimal
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest

import sfmap

from ..folder import Folder, Identify

MAPPING = """\
sfmap: 1
event: identify
object: Lead
match: Email
opt_in: integrations.Salesforce
fields:
  Email: traits.email
  LastName: {from: traits.name, default: n/a}
  Company: {value: Acme}
  AnnualRevenue: {from: traits.money, type: number}
  Title: {from: traits.title, max: 3}
"""
PROJECT = """\
mappings: mappings
orgs:
  sandbox:
    login_url: https://test.salesforce.com
    username: u
    password: ${PASSWORD}
    settings: {m: {opt_in: null}}
"""

MakeProject = Callable[..., sfmap.Project]


@pytest.fixture
def make_project(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> MakeProject:
    monkeypatch.chdir(folder.path)

    def make(mapping: str = MAPPING, project: str = PROJECT) -> sfmap.Project:
        (folder.path / "mappings").mkdir()
        (folder.path / "mappings" / "m.yaml").write_text(mapping)
        (folder.path / "sfmap.yaml").write_text(project)
        return sfmap.Project()

    return make


def test_an_event_becomes_the_records_that_render_prints(
    make_project: MakeProject, folder: Folder, identify: Identify
) -> None:
    event = identify("a@b.co", name="Ann", title="Chief")
    (payload,) = make_project().render(event)
    assert payload["mapping"] == "m"
    assert payload["fields"] == {"Email": "a@b.co", "LastName": "Ann", "Company": "Acme", "Title": "Chi"}
    assert payload["notes"] == ["Title: cut to 3 characters"]
    folder.write("e.ndjson", [event])
    assert orjson.loads(folder.sfmap("render", "e.ndjson").stdout) == {"event": 1, **payload}


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ({"type": "group"}, {"skipped": "no mapping takes group events"}),
        (
            {"type": "identify", "integrations": {"Salesforce": False}},
            {"skipped": "not opted in: integrations.Salesforce is not true"},
        ),
        ([1], {"rejected": "list instead of an event (a dict)"}),
        (None, {"rejected": "NoneType instead of an event (a dict)"}),
    ],
)
def test_an_event_without_a_record_says_why(make_project: MakeProject, event: object, payload: object) -> None:
    assert make_project().render(event) == [payload]  # type: ignore[arg-type]


def test_an_event_that_holds_itself_is_rejected(make_project: MakeProject) -> None:
    event: dict[str, object] = {"type": "identify"}
    event["traits"] = event
    assert make_project().render(event) == [{"rejected": "nested too deeply"}]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (decimal.Decimal("12.5"), 12.5),
        (datetime.date(2026, 1, 2), None),
        (math.nan, None),
        (b"12", None),
        ("12", 12.0),
    ],
)
def test_values_of_python_are_read_as_those_of_tables(
    make_project: MakeProject, identify: Identify, given: object, written: object
) -> None:
    (payload,) = make_project().render(identify("a@b.co", money=given))
    assert payload["fields"].get("AnnualRevenue") == written


def test_an_org_has_settings_of_its_own(make_project: MakeProject) -> None:
    project, event = make_project(), {"type": "identify", "traits": {"email": "a@b.co"}}
    skipped = ["skipped" in project.render(event, org=org)[0] for org in (None, "sandbox", "local")]
    assert skipped == [True, False, True]
    with pytest.raises(sfmap.NoSuchOrg, match="sandbox"):
        project.render(event, org="sandbx")


def test_an_explanation_is_text_and_data(make_project: MakeProject, folder: Folder, identify: Identify) -> None:
    event = identify("a@b.co", name="Ann")
    explanation = make_project().explain(event)
    folder.write("e.ndjson", [event])
    assert f"{explanation}\n" == folder.sfmap("render", "--explain", "e.ndjson").stdout
    data = orjson.loads(folder.sfmap("render", "--explain", "--format", "json", "e.ndjson").stdout)
    assert [{"event": 1, **payload} for payload in explanation.payloads] == [data]
    assert explanation.payloads[0]["explain"][0]["from"] == "traits.email"


def test_a_good_project_has_no_diagnostics(make_project: MakeProject) -> None:
    assert make_project().check() == []


def test_a_diagnostic_has_its_place_and_what_is_wrong(make_project: MakeProject, folder: Folder) -> None:
    project = make_project(MAPPING.replace("match: Email", "match: Emial"))
    (found,) = (one for one in project.check() if one.severity == "error")
    assert (found.file, found.line, found.column) == ("mappings/m.yaml", 4, 8)
    assert found.code.startswith("SF")
    assert "Emial" in found.message
    assert str(found) in folder.sfmap("check").stderr
    with pytest.raises(sfmap.Mistakes) as caught:
        project.render({"type": "identify"})
    assert caught.value.diagnostics[0].code == found.code


def test_a_mistake_in_the_project_file_is_a_diagnostic(make_project: MakeProject) -> None:
    (found,) = make_project(project="mapings: mappings\n").check()
    assert (found.file, found.line, found.column) == ("sfmap.yaml", 1, 1)


def test_secrets_beside_a_mistake_are_not_in_its_representation(make_project: MakeProject) -> None:
    project = make_project(project=f"{PROJECT}    token: s3cr3t\n")
    assert "s3cr3t" not in repr(project.check())


def test_without_a_project_file_the_shipped_mappings_are_used(tmp_path: Path, identify: Identify) -> None:
    (payload,) = sfmap.Project(tmp_path).render(identify("a@b.co", name="Ann Lee"))
    assert (payload["mapping"], payload["fields"]["LastName"]) == ("lead", "Lee")


def test_other_mappings_can_be_used(make_project: MakeProject, tmp_path: Path, identify: Identify) -> None:
    make_project()
    (tmp_path / "sfmap.yaml").unlink()
    project = sfmap.Project(tmp_path / "mappings", mappings=tmp_path / "mappings")
    assert project.render(identify("a@b.co", name="Ann"))[0]["mapping"] == "m"


@pytest.mark.parametrize(("name", "why"), [("missing", "does not exist"), ("file", "is a file")])
def test_a_folder_that_is_not_there_is_refused_at_once(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(sfmap.CannotRead, match=why):
        sfmap.Project(tmp_path / name)


def test_threads_share_a_project(make_project: MakeProject, identify: Identify) -> None:
    project = make_project()
    events = [identify(f"{number}@b.co", name="Ann") for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        payloads = list(pool.map(project.render, events))
    assert [one["fields"]["Email"] for (one,) in payloads] == [f"{number}@b.co" for number in range(200)]
