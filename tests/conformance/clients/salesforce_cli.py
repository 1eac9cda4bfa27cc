"""Salesforce's CLI with the local org: signed in once, then its commands for data, objects and limits."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ...npm_packages import installed
from ..conftest import SCHEMA, access_token
from ..pins import SALESFORCE_CLI

CLIENT = "@salesforce/cli"
KEY = Path(credentials.__file__).parent / credentials.KEY_FILE
Sf = Callable[..., Any]
BROWSER = """\
#!{python}
import os, ssl, sys, urllib.request

if os.fork():  # as a real browser, it does not keep the program that opens it
    sys.exit()
os.dup2(os.open(os.devnull, os.O_RDWR), 1)
trusting = ssl.create_default_context(cafile="{authority}")
for _ in range(30):
    try:  # the CLI listens before it answers
        urllib.request.urlopen(sys.argv[1], timeout=2, context=trusting)
        break
    except OSError:
        continue
"""
"""A program that opens a page as a browser does, without a screen."""


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    folder = tmp_path_factory.mktemp("cli")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml", tls=True) as running:
        yield running


@pytest.fixture(scope="module")
def sf(org: LocalOrg, tmp_path_factory: pytest.TempPathFactory) -> Sf:
    """Runs a command in a home of its own, signed in by an access token; gives the `result` of its JSON."""
    home = tmp_path_factory.mktemp("home")
    packages = installed(SALESFORCE_CLI) / "node_modules"
    program = packages / ".bin" / "sf"
    newer_node = [str(one) for one in packages.glob("node-*/bin")]
    environment = {**os.environ, "HOME": str(home), "PATH": ":".join([*newer_node, os.environ["PATH"]])}
    browser = home / "browser"
    browser.write_text(BROWSER.format(python=sys.executable, authority=org.authority))
    browser.chmod(0o755)
    environment |= {"NODE_EXTRA_CA_CERTS": str(org.authority), "BROWSER": str(browser)}
    environment |= {"SF_ACCESS_TOKEN": access_token(org), "SF_DISABLE_TELEMETRY": "true"}
    environment |= {"SF_AUTOUPDATE_DISABLE": "true", "SF_USE_GENERIC_UNIX_KEYCHAIN": "true"}

    def run_command(*command: str, as_json: bool = True) -> Any:
        asked: list[str | Path] = [program, *command, *(["--json"] if as_json else [])]
        done = subprocess.run(asked, cwd=home, env=environment, capture_output=True, text=True, timeout=240)
        if done.returncode:
            pytest.fail(f"sf {' '.join(command)}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}", pytrace=False)
        return json.loads(done.stdout)["result"] if as_json else json.loads(done.stdout)

    run_command("org", "login", "access-token", "--instance-url", org.url, "--no-prompt", "--alias", "local")
    run_command("config", "set", "target-org", "local", "--global")
    return run_command


def test_org_login_access_token_and_org_display(sf: Sf, org: LocalOrg) -> None:
    shown = sf("org", "display")
    assert shown["username"] == org.username
    assert shown["instanceUrl"].rstrip("/") == org.url


def test_data_create_get_update_and_delete_record(sf: Sf) -> None:
    record = ["--sobject", "Lead"]
    made = sf("data", "create", "record", *record, "--values", "LastName=Lee Company='Init & Co' Key__c=c1")
    assert made["success"]
    sf("data", "update", "record", *record, "--where", "Key__c=c1", "--values", "Title=Clerk")
    assert sf("data", "get", "record", *record, "--record-id", made["id"])["Title"] == "Clerk"
    assert sf("data", "delete", "record", *record, "--record-id", made["id"])["success"]


def test_data_query(sf: Sf) -> None:
    for place in range(2):
        sf("data", "create", "record", "--sobject", "Account", "--values", f"Name=Queried{place}")
    soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name LIKE 'Queried%' ORDER BY Name"
    found = sf("data", "query", "--query", soql)
    assert (found["totalSize"], [one["Name"] for one in found["records"]]) == (2, ["Queried0", "Queried1"])
    counted = sf("data", "query", "--query", "SELECT Name, COUNT(Id) n FROM Account GROUP BY Name")
    assert {"Name": "Queried0", "n": 1}.items() <= next(
        one for one in counted["records"] if one["Name"] == "Queried0"
    ).items()


def test_data_query_as_csv_with_the_metadata_of_columns(sf: Sf, tmp_path: Path) -> None:
    sf(
        "data",
        "create",
        "record",
        "--sobject",
        "Lead",
        "--values",
        "LastName=Ray Company=x Score__c=1.5 Key__c=csv",
    )
    soql = "SELECT LastName, Score__c, Owner.Name FROM Lead WHERE Key__c = 'csv'"
    out = tmp_path / "out.csv"
    sf("data", "query", "--query", soql, "--result-format", "csv", "--output-file", str(out))
    head, row = out.read_text().splitlines()
    assert head == "LastName,Score__c,Owner.Name"
    assert row.startswith("Ray,1.5,")


def test_data_import_and_export_tree(sf: Sf, tmp_path: Path) -> None:
    tree = {
        "records": [
            {
                "attributes": {"type": "Account", "referenceId": "a1"},
                "Name": "Tree",
                "Contacts": {
                    "records": [{"attributes": {"type": "Contact", "referenceId": "c1"}, "LastName": "Leaf"}]
                },
            }
        ]
    }
    (tmp_path / "tree.json").write_text(json.dumps(tree))
    assert len(sf("data", "import", "tree", "--files", str(tmp_path / "tree.json"))) == 2
    soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account WHERE Name = 'Tree'"
    sf("data", "export", "tree", "--query", soql, "--output-dir", str(tmp_path / "out"))
    (exported,) = (tmp_path / "out").glob("*.json")
    (account,) = json.loads(exported.read_text())["records"]
    assert [one["LastName"] for one in account["Contacts"]["records"]] == ["Leaf"]


def test_data_import_update_upsert_export_and_delete_bulk(sf: Sf, tmp_path: Path) -> None:
    def file(name: str, *lines: str) -> list[str]:
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        return ["--file", str(tmp_path / name), "--sobject", "Lead", "--wait", "3"]

    made = sf(
        "data", "import", "bulk", *file("i.csv", "LastName,Company,Key__c", "Lee,Initech,b1", "Ray,Initech,b2")
    )
    assert (made["processedRecords"], made["failedRecords"]) == (2, 0)
    key = ["--external-id", "Key__c"]
    kept = sf("data", "upsert", "bulk", *file("u.csv", "Key__c,LastName,Company", "b2,Roe,x", "b3,Poe,x"), *key)
    assert kept["jobInfo"]["numberRecordsProcessed"] == 2
    export = ["--query", "SELECT Id, LastName FROM Lead WHERE Key__c LIKE 'b%' ORDER BY Key__c"]
    out = tmp_path / "out.csv"
    sf("data", "export", "bulk", *export, "--output-file", str(out), "--result-format", "csv", "--wait", "3")
    rows = [line.replace('"', "").split(",") for line in out.read_text().splitlines()[1:]]
    assert [last for _, last in rows] == ["Lee", "Roe", "Poe"]
    changed = sf("data", "update", "bulk", *file("c.csv", "Id,Title", *(f"{one},Clerk" for one, _ in rows)))
    assert changed["processedRecords"] == 3
    gone = sf("data", "delete", "bulk", *file("d.csv", "Id", *(one for one, _ in rows)))
    assert gone["jobInfo"]["numberRecordsProcessed"] == 3


def test_sobject_list_and_describe(sf: Sf) -> None:
    assert {"Account", "Lead"} <= set(sf("sobject", "list", "--sobject", "all"))
    described = sf("sobject", "describe", "--sobject", "Lead")
    assert any(field["name"] == "Key__c" and field["externalId"] for field in described["fields"])


def test_org_list_limits(sf: Sf) -> None:
    assert any(one["name"] == "DailyApiRequests" for one in sf("org", "list", "limits"))


def test_api_request_rest(sf: Sf) -> None:
    answer = sf("api", "request", "rest", "services/data/v60.0/sobjects/Account/describe", as_json=False)
    assert answer["name"] == "Account"


def test_data_search(sf: Sf) -> None:
    sf("data", "create", "record", "--sobject", "Account", "--values", "Name=Zanzibar")
    sosl = "FIND {Zanzibar} IN NAME FIELDS RETURNING Account(Id, Name)"
    assert [one["Name"] for one in sf("data", "search", "--query", sosl)["searchRecords"]] == ["Zanzibar"]


def test_org_login_jwt(sf: Sf, org: LocalOrg) -> None:
    way = ["--client-id", credentials.CLIENT_ID, "--jwt-key-file", str(KEY), "--username", org.username]
    assert sf("org", "login", "jwt", *way, "--instance-url", org.url)["username"] == org.username
    assert sf("org", "display", "--target-org", org.username)["instanceUrl"].rstrip("/") == org.url


def test_org_login_web(sf: Sf, org: LocalOrg) -> None:
    signed_in = sf("org", "login", "web", "--instance-url", org.url, "--alias", "web")
    assert (signed_in["clientId"], signed_in["username"]) == ("PlatformCLI", org.username)
    assert sf("org", "display", "--target-org", "web")["connectedStatus"] == "Connected"
