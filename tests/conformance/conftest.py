"""The local org for clients written by others, and Node.js for those that need it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg, start_local_org

HERE = Path(__file__).parent
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


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    folder = tmp_path_factory.mktemp("org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned npm packages installed, and the scripts of this folder."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are not here: the clients written in JavaScript are not tried")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, folder / script.name)
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.fail(f"npm ci: {done.stdout} {done.stderr}")
    return folder


def run_node(folder: Path, script: str, local: LocalOrg) -> None:
    """Runs a script that throws where something is not as it should be."""
    environment = {**os.environ, "ORG_URL": local.url, "ORG_USER": local.username}
    environment["ORG_PASSWORD"] = local.password + local.security_token
    done = subprocess.run(
        ["node", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
