"""tap-salesforce, a Singer tap, with the local org: it knows no other address than login.salesforce.com."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sfmap.engine.local_org.calls import credentials

from ..conftest import SCHEMA, create, run
from ..environments import environment_of
from ..salesforce_names import NamedOrg, start_named_org

CLIENT = "tap-salesforce"
NAMES = ["Burlington", "Grand Hotels", "United Oil"]
SELECTED = {"Id", "Name", "NumberOfEmployees", "SystemModstamp", "CreatedDate", "IsDeleted"}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamedOrg]:
    folder = tmp_path_factory.mktemp("tap")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_named_org(folder, folder / "schema.yaml") as started:
        create(started.org, "Account", ({"Name": name, "NumberOfEmployees": 5} for name in NAMES))
        yield started


@pytest.mark.parametrize("tried", ["discovery and sync by the REST API", "discovery and sync by the Bulk API"])
def test_tap_salesforce(named: NamedOrg, tmp_path: Path, tried: str) -> None:
    tap: list[str | Path] = [environment_of(CLIENT) / "tap-salesforce", "--config", _config(tmp_path, tried)]
    catalog = json.loads(run([*tap, "--discover"], named.org, tmp_path, **named.environment))
    streams = {stream["stream"] for stream in catalog["streams"]}
    assert {"Account", "Contact", "Lead", "Opportunity"} <= streams
    _select_accounts(catalog)
    (tmp_path / "catalog.json").write_text(json.dumps(catalog))
    lines = run([*tap, "--properties", "catalog.json"], named.org, tmp_path, **named.environment).splitlines()
    messages = [json.loads(line) for line in lines]
    records = [message["record"] for message in messages if message["type"] == "RECORD"]
    assert sorted(record["Name"] for record in records) == NAMES
    assert all(record["Id"].startswith("001") for record in records)
    assert any(message["type"] == "STATE" and message["value"].get("bookmarks") for message in messages)


def _config(folder: Path, tried: str) -> Path:
    config = {
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
        "refresh_token": credentials.REFRESH_TOKEN,
        "start_date": "2020-01-01T00:00:00Z",
        "api_type": "BULK" if "Bulk" in tried else "REST",
        "select_fields_by_default": "true",
    }
    (folder / "config.json").write_text(json.dumps(config))
    return folder / "config.json"


def _select_accounts(catalog: dict[str, Any]) -> None:
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            place = entry["breadcrumb"]
            chosen = stream["stream"] == "Account" and (not place or place[1] in SELECTED)
            entry["metadata"]["selected"] = chosen
