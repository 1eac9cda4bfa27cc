"""CumulusCI with the local org: its tasks that extract and load a dataset, as `cci` runs them."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ..conftest import SCHEMA, create, run, token_answer
from ..environments import environment_of
from ..salesforce_names import NamedOrg, start_named_org

CLIENT = "cumulusci"
PROJECT = """\
minimum_cumulusci_version: "4.0"
project:
  name: Tried
  package: {name: Tried, api_version: "60.0"}
"""
MAPPING = """\
Insert accounts:
  sf_object: Account
  api: API
  fields: [Name, NumberOfEmployees]
Insert contacts:
  sf_object: Contact
  api: API
  fields: [FirstName, LastName]
  lookups:
    AccountId: {table: Account}
"""
DATASET = """\
BEGIN TRANSACTION;
CREATE TABLE "Account" (id VARCHAR(255) NOT NULL, "Name" VARCHAR(255), "NumberOfEmployees" VARCHAR(255),
  PRIMARY KEY (id));
INSERT INTO "Account" VALUES('Account-1','Loaded & Co','7');
CREATE TABLE "Contact" (id VARCHAR(255) NOT NULL, "FirstName" VARCHAR(255), "LastName" VARCHAR(255),
  "AccountId" VARCHAR(255), PRIMARY KEY (id));
INSERT INTO "Contact" VALUES('Contact-1','Ann','Loaded','Account-1');
COMMIT;
"""
Cci = Callable[..., str]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamedOrg]:
    folder = tmp_path_factory.mktemp("cumulusci")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_named_org(folder, folder / "schema.yaml") as started:
        yield started


@pytest.fixture
def cci(named: NamedOrg, tmp_path: Path) -> Cci:
    """Runs `cci` in a project."""
    (tmp_path / "cumulusci.yml").write_text(PROJECT)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    org = {**token_answer(named.org), "instance_url": "https://login.salesforce.com"}
    environment = {
        **named.environment,
        "HOME": str(tmp_path),
        "CUMULUSCI_KEY": "0123456789abcdef",
        "CUMULUSCI_DISABLE_REFRESH": "True",
        "CUMULUSCI_ORG_local": json.dumps({**org, "username": named.org.username}),
        "CUMULUSCI_SYSTEM_CERTS": "True",
    }
    program = environment_of(CLIENT) / "cci"

    def run_task(task: str, api: str, *options: str) -> str:
        (tmp_path / "mapping.yml").write_text(MAPPING.replace("API", api))
        command: list[str | Path] = [
            program,
            "task",
            "run",
            task,
            "--org",
            "local",
            "--mapping",
            "mapping.yml",
            *options,
        ]
        return run(command, named.org, tmp_path, **environment)

    return run_task


@pytest.mark.parametrize(
    ("api", "tried"), [("rest", "extract_dataset by REST"), ("bulk", "extract_dataset by Bulk API")]
)
def test_a_dataset_is_extracted(named: NamedOrg, cci: Cci, tmp_path: Path, api: str, tried: str) -> None:
    (account,) = create(named.org, "Account", [{"Name": f"Extracted {api}", "NumberOfEmployees": 5}])
    create(named.org, "Contact", [{"FirstName": "Bo", "LastName": f"Extracted {api}", "AccountId": account}])
    cci("extract_dataset", api, "--sql_path", "extracted.sql")
    extracted = (tmp_path / "extracted.sql").read_text()
    found = re.search(rf"""INSERT INTO "Account" VALUES\('(Account-\d+)','Extracted {api}','5'\)""", extracted)
    assert found, extracted
    assert f"'Bo','Extracted {api}','{found[1]}'" in extracted


@pytest.mark.parametrize(
    ("api", "tried"), [("rest", "load_dataset by REST"), ("bulk", "load_dataset by Bulk API")]
)
def test_a_dataset_is_loaded(named: NamedOrg, cci: Cci, tmp_path: Path, api: str, tried: str) -> None:
    (tmp_path / "dataset.sql").write_text(DATASET.replace("'Ann'", f"'{api}'"))
    cci("load_dataset", api, "--sql_path", "dataset.sql")
    cci("extract_dataset", api, "--sql_path", "extracted.sql")
    extracted = (tmp_path / "extracted.sql").read_text()
    loaded = re.findall(r"""INSERT INTO "Account" VALUES\('(Account-\d+)','Loaded & Co','7'\)""", extracted)
    assert any(f"'{api}','Loaded','{account}'" in extracted for account in loaded), extracted
