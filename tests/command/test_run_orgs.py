"""`sfmap run` with an org of the project: secrets, and orgs that cannot be used."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..folder import Folder, Identify

SECRET = "correct-horse-battery-staple"
TOKEN = "TokenThatNobodyMaySee"

PROJECT = """\
default_org: production
orgs:
  production:
    login_url: {url}
    username: {username}
    password: ${{SF_PASSWORD}}
    security_token: ${{SF_TOKEN}}
    patience: 2
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


def project(folder: Folder, url: str, username: str = "someone@example.com") -> None:
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=url, username=username))


def everything_written(path: Path) -> str:
    return "".join(file.read_text("utf-8", "replace") for file in path.rglob("*") if file.is_file())


def test_secrets_are_read_from_the_environment(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    project(folder, local.url, local.username)
    events = folder.write("e.ndjson", [identify("a@b.co")])
    secrets = {"SF_PASSWORD": local.password, "SF_TOKEN": local.security_token}
    done = folder.sfmap("run", events, environment=secrets)
    assert done.returncode == 0, done.stderr
    assert "the org production at 127.0.0.1" in done.stderr


def test_secrets_are_read_from_a_private_secrets_file(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    project(folder, local.url, local.username)
    secrets = folder.path / "secrets.env"
    secrets.write_text(f"# ours\nexport SF_PASSWORD='{local.password}'\nSF_TOKEN={local.security_token}\n")
    events = folder.write("e.ndjson", [identify("b@b.co")])

    secrets.chmod(0o644)
    open_to_all = folder.sfmap("run", events)
    secrets.chmod(0o600)
    done = folder.sfmap("run", events)

    assert open_to_all.returncode == 2
    assert "other users can read secrets.env; run: chmod 600 secrets.env" in open_to_all.stderr
    assert done.returncode == 0, done.stderr


def test_a_missing_secret_is_reported_with_its_place(folder: Folder, identify: Identify) -> None:
    project(folder, "https://login.salesforce.com")
    done = folder.sfmap("run", folder.write("e.ndjson", [identify("a@b.co")]))
    assert done.returncode == 2
    assert "sfmap.yaml:6: password of the org production: SF_PASSWORD is not set" in done.stderr


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "cannot connect"),
        ("https://no-such-host.invalid", "no-such-host.invalid"),
    ],
)
def test_an_unreachable_org_ends_the_run(folder: Folder, identify: Identify, url: str, words: str) -> None:
    project(folder, url)
    events = folder.write("e.ndjson", [identify("a@b.co")])
    done = folder.sfmap(
        "run", events, "--results", "results.ndjson", environment={"SF_PASSWORD": SECRET, "SF_TOKEN": TOKEN}
    )
    assert done.returncode == 3
    assert words.casefold() in done.stderr.casefold()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("url", ["http://login.salesforce.com", "nonsense"])
@pytest.mark.parametrize("command", ["run", "check"])
def test_an_invalid_login_url_is_refused(folder: Folder, identify: Identify, command: str, url: str) -> None:
    project(folder, url)
    events = folder.write("e.ndjson", [identify("a@b.co")])
    done = folder.sfmap(command, *([events] if command == "run" else []))
    assert done.returncode == 2
    assert "login_url is not" in done.stderr


def test_a_wrong_password_reveals_no_secret(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    project(folder, local.url, local.username)
    events = folder.write("e.ndjson", [identify("a@b.co")])
    done = folder.sfmap(
        "run",
        events,
        "--results",
        "results.ndjson",
        "--report",
        "report.json",
        environment={"SF_PASSWORD": SECRET, "SF_TOKEN": TOKEN},
    )
    assert done.returncode == 3
    assert "Reset My Security Token" in done.stderr
    assert folder.report()["api_calls"] == {"login": 1}
    written = done.stdout + done.stderr + everything_written(folder.path)
    assert SECRET not in written
    assert TOKEN not in written


def test_an_invalid_schema_of_the_local_org_is_refused(folder: Folder, identify: Identify) -> None:
    (folder.path / "sfmap.yaml").write_text("orgs: {local: {schema: fields.yaml}}\n")
    (folder.path / "fields.yaml").write_text("objects:\n  Leed: {fields: {x__c: {type: strng}}}\n")
    done = folder.sfmap("run", folder.write("e.ndjson", [identify("a@b.co")]))
    assert done.returncode == 2
    assert "fields.yaml:2:3: error: Leed is not a standard object" in done.stderr
    assert 'did you mean "Lead"?' in done.stderr
    assert 'did you mean "string"?' in done.stderr


def test_a_damaged_database_of_the_local_org_is_reported(folder: Folder, identify: Identify) -> None:
    (folder.path / ".sfmap").mkdir()
    (folder.path / ".sfmap" / "org.db").write_text("this is no database, and longer than a header of one" * 100)
    done = folder.sfmap("run", folder.write("e.ndjson", [identify("a@b.co")]))
    assert done.returncode == 3
    assert "cannot use .sfmap/org.db: file is not a database" in done.stderr
    assert "Traceback" not in done.stderr
