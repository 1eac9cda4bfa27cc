"""The local org for clients written by others, and Node.js for those that need it."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..npm_packages import installed

HERE = Path(__file__).parent
SCRIPTS = HERE / "scripts"
SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 20, external_id: true, unique: true}
      Score__c: {type: double, precision: 10, scale: 2}
  Contact:
    duplicate_rules:
      Same name: {fields: [FirstName, LastName]}
"""


def access_token(org: LocalOrg) -> str:
    return token_answer(org)["access_token"]


def token_answer(org: LocalOrg) -> dict[str, str]:
    """What the token endpoint answers: the token, and who it is for."""
    asked = {"grant_type": "client_credentials", "client_id": credentials.CLIENT_ID}
    asked["client_secret"] = credentials.CLIENT_SECRET
    verify = str(org.authority) if org.authority else True
    answer = requests.post(f"{org.url}/services/oauth2/token", asked, verify=verify, timeout=30)
    return dict(answer.json())


def create(org: LocalOrg, object_name: str, records: Iterable[Mapping[str, object]]) -> list[str]:
    """Creates records for a client to read; gives their ids."""
    ids: list[str] = []
    rows = [{"attributes": {"type": object_name}, **one} for one in records]
    head = {"Authorization": f"Bearer {access_token(org)}"}
    for start in range(0, len(rows), 200):
        answer = requests.post(
            f"{org.url}/services/data/v60.0/composite/sobjects",
            json={"allOrNone": True, "records": rows[start : start + 200]},
            headers=head,
            verify=str(org.authority) if org.authority else True,
            timeout=60,
        )
        ids += [one["id"] for one in answer.json()]
    return ids


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Says for the table of clients which client is tried with what, also where the test is skipped."""
    for item in items:
        if isinstance(item, pytest.Function) and (client := getattr(item.module, "CLIENT", None)):
            tried = item.callspec.params.get("tried") if hasattr(item, "callspec") else None
            words = item.name.removeprefix("test_").replace("_", " ")
            item.user_properties += [("client", client), ("tried", tried or words)]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned npm packages, and the scripts for them."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "node_modules").symlink_to(installed(HERE) / "node_modules")
    for script in SCRIPTS.glob("*.mjs"):
        shutil.copy(script, folder / script.name)
    return folder


def run_node(folder: Path, script: str, local: LocalOrg, *arguments: str) -> None:
    run(["node", script, *arguments], local, folder)


def run(command: Sequence[str | Path], local: LocalOrg, folder: Path, **environment: str) -> str:
    """Runs a program, which gets address and credentials of the org, and fails where something is not right."""
    given = {"ORG_URL": local.url, "ORG_USER": local.username}
    given["ORG_PASSWORD"] = local.password + local.security_token
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **given, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.fail(f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}", pytrace=False)
    return done.stdout
