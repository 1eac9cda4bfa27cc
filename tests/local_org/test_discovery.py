"""What the org says about itself over REST: versions, resources, limits, tabs and recent records."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .conftest import Client, sign_in

Get = Callable[..., Any]


@pytest.fixture(scope="module")
def get(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Get]:
    """The JSON at a path below v66.0 of an org with two accounts and a contact."""
    with start_local_org(tmp_path_factory.mktemp("discovery") / "org.db", daily_limit=50_000) as running:
        headers = {"Authorization": f"Bearer {sign_in(running).session_id}"}
        root = f"{running.url}/services/data/v66.0"
        for name in ("Acme", "Initech"):
            requests.post(f"{root}/sobjects/Account", json={"Name": name}, headers=headers, timeout=30)
        requests.post(f"{root}/sobjects/Contact", json={"LastName": "Lee"}, headers=headers, timeout=30)
        yield lambda path: requests.get(f"{root}{path}", headers=headers, timeout=30).json()


def test_versions_are_named_after_their_releases(get: Get) -> None:
    found = {version["version"]: version["label"] for version in get("/../")}
    expected = {"31.0": "Summer '14", "59.0": "Winter '24", "65.0": "Winter '26", "66.0": "Spring '26"}
    assert {version: found[version] for version in expected} == expected
    assert list(found) == sorted(found)


def test_resources_lead_on(get: Get) -> None:
    found = get("/")
    for name in ("sobjects", "limits", "tabs", "theme", "recent", "tooling", "metadata"):
        assert found[name] == f"/services/data/v66.0/{name}"
        assert get(f"/{name}")


def test_limits_have_a_maximum_and_what_is_left(get: Get) -> None:
    found = get("/limits")
    assert all(one["Remaining"] <= one["Max"] for one in found.values())
    assert found["DailyApiRequests"]["Max"] == 50_000
    assert found["DailyApiRequests"]["Remaining"] < 50_000
    assert {"DailyBulkApiBatches", "DataStorageMB", "FileStorageMB"} <= set(found)


def test_recent_records_are_those_changed_last(get: Get) -> None:
    assert {record.get("Name") for record in get("/recent")} >= {"Acme", "Initech", "Lee"}
    assert len(get("/recent?limit=2")) == 2
    assert get("/recent?limit=x")[0]["errorCode"] == "INVALID_PARAMETER"
    account = get("/sobjects/Account")
    assert account["objectDescribe"]["keyPrefix"] == "001"
    assert [record["Name"] for record in account["recentItems"]] == ["Initech", "Acme"]
    assert account["recentItems"][0]["attributes"]["type"] == "Account"


def test_tabs_are_the_same_over_soap(local: LocalOrg, client: Client) -> None:
    headers = {"Authorization": f"Bearer {client.session_id}"}
    tabs = requests.get(f"{local.url}/services/data/v64.0/tabs", headers=headers, timeout=30).json()
    described = client.call("<describeTabs/>")
    for name in ("name", "url", "iconUrl", "color"):
        found = [tab["colors"][0]["color"] if name == "color" else tab[name] for tab in tabs]
        texts = re.findall(f"<{name}>(.*?)</{name}>", described)
        assert found == [text for text in texts if not text.endswith(".svg") or name == "iconUrl"], name


def test_tabs_and_themes_are_those_of_the_objects(get: Get) -> None:
    tabs = {tab["name"]: tab for tab in get("/tabs")}
    assert (tabs["standard-Lead"]["label"], tabs["standard-Lead"]["sobjectName"]) == ("Leads", "Lead")
    assert "Lead" in {item["name"] for item in get("/theme")["themeItems"]}


def test_records_are_counted(get: Get) -> None:
    assert get("/limits/recordCount?sObjects=Account,Nope,contact")["sObjects"] == [
        {"count": 2, "name": "Account"},
        {"count": 1, "name": "Contact"},
    ]
    assert {"count": 0, "name": "Lead"} in get("/limits/recordCount")["sObjects"]
