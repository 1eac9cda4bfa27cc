"""jsforce's own test-suite with the local org; `JSFORCE_CHECKOUT` is a clone at the pinned commit.

`jsforce_suite.yaml` says of each case that does not pass why; `jsforce_suite.md` has the figures of the last run.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..conftest import HERE, access_token, create
from ..environments import clone_of
from ..pins import checkouts

CLIENT = "jsforce/jsforce"
REASONS = HERE / "jsforce_suite.yaml"
FIGURES = HERE / "jsforce_suite.md"
IMPORTED, IMPORTERS = "bulk", ("connection-crud", "query")
"""Two suites import a helper from another one, whose cases run again in them."""
SCHEMA = """\
objects:
  UpsertTable__c:
    fields:
      ExtId__c: {type: string, length: 50, external_id: true}
  BigTable__c: {}
"""
Cases = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def checkout() -> Path:
    """The clone, built."""
    folder = clone_of(CLIENT, "JSFORCE_CHECKOUT")
    if not shutil.which("npm"):
        pytest.skip("Node.js and npm are not here")
    if not (folder / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
    if not (folder / "lib").exists():
        subprocess.run(["npx", "tsc", "-p", "."], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    """An org with the sample data of a new one, and the rows that the suite's set-up makes."""
    folder = tmp_path_factory.mktemp("jsforce")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml", tls=True) as running:
        accounts = create(running, "Account", ({"Name": f"Sample {place}"} for place in range(3)))
        create(running, "Contact", ({"FirstName": "Ann", "LastName": "Lee", "AccountId": one} for one in accounts))
        deal = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-05-01"}
        create(running, "Opportunity", ({**deal, "AccountId": one} for one in accounts))
        create(running, "BigTable__c", ({"Name": f"{place:08}"} for place in range(6_500)))
        yield running


def test_its_own_suite(
    checkout: Path, org: LocalOrg, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    reasons = yaml.safe_load(REASONS.read_text("utf-8"))
    cases = _run(checkout, org, tmp_path / "result.json", reasons["not run"])
    FIGURES.write_text(_page(cases, reasons), "utf-8")
    passed, counted = _count(cases, "passed"), _count(cases, "passed", "failed")
    record_property("counted", f"{passed} of {counted} cases")
    record_property("missing", "; ".join(f"{suite}: {reason}" for suite, reason in reasons["suites"].items()))
    failed = {
        suite: [name for name, status in named.items() if status == "failed"] for suite, named in cases.items()
    }
    unexplained = {
        suite: [name for name in names if name not in reasons["cases"].get(suite, {})]
        for suite, names in failed.items()
        if names and suite not in reasons["suites"]
    }
    assert {suite: names for suite, names in unexplained.items() if names} == {}
    stale = [
        (suite, name) for suite, named in reasons["cases"].items() for name in named if name not in failed[suite]
    ]
    assert stale == []


def _run(checkout: Path, org: LocalOrg, result: Path, left_out: dict[str, str]) -> Cases:
    """The status of each case, by suite."""
    environment = {**os.environ, "SF_LOGIN_URL": org.url, "SF_ACCESS_TOKEN": access_token(org)}
    environment |= {"SF_USERNAME": org.username, "SF_PASSWORD": org.password + org.security_token}
    environment["NODE_EXTRA_CA_CERTS"] = str(org.authority)
    environment.pop("CI", None)  # it would run failed cases again
    ignored = [f"--testPathIgnorePatterns=/{suite}.test" for suite in left_out]
    command = [
        "npx",
        "jest",
        "--runInBand",
        "--forceExit",
        "--silent",
        "--json",
        f"--outputFile={result}",
        *ignored,
    ]
    subprocess.run(command, cwd=checkout, env=environment, capture_output=True, timeout=3_600)
    found: Cases = {}
    for suite in json.loads(result.read_text("utf-8"))["testResults"]:
        name = Path(suite["name"]).name.removesuffix(".test.ts")
        found[name] = _statuses(suite["assertionResults"])
    for suite in IMPORTERS:
        for again in found[IMPORTED]:
            found[suite].pop(again, None)
    return dict(sorted(found.items()))


def _statuses(results: list[dict[str, Any]]) -> dict[str, str]:
    """By the name of the case; cases of the same name are numbered."""
    seen: Counter[str] = Counter()
    statuses = {}
    for one in results:
        seen[one["fullName"]] += 1
        again = seen[one["fullName"]]
        statuses[one["fullName"] + (f" ({again})" if again > 1 else "")] = one["status"]
    return statuses


def _count(cases: Cases, *statuses: str) -> int:
    return sum(status in statuses for named in cases.values() for status in named.values())


def _page(cases: Cases, reasons: dict[str, Any]) -> str:
    rows = []
    for suite, named in cases.items():
        counts = Counter(named.values())
        reason = reasons["suites"].get(suite, "")
        rows.append(f"| {suite} | {counts['passed']} | {counts['failed']} | {counts['pending']} | {reason} |\n")
    listed = [
        f"- {suite}: {name}: {reason}\n"
        for suite, named in reasons["cases"].items()
        for name, reason in named.items()
    ]
    left_out = [f"- {suite}: {reason}\n" for suite, reason in reasons["not run"].items()]
    return (
        "# jsforce's own test-suite with the local org\n\n"
        f"Written by `make clients`, from jsforce {checkouts()[CLIENT]}.\n\n"
        "| suite | passed | failed | skipped by jsforce | why they fail |\n|---|---:|---:|---:|---|\n"
        f"{''.join(rows)}\nSingle cases that fail:\n\n{''.join(listed)}\nNot run:\n\n{''.join(left_out)}"
    )
