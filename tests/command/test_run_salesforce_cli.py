"""`sfmap run` with a session of Salesforce's command line, as version 2.146.3 prints it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..folder import SFMAP, Folder, Identify
from . import salesforce_cli
from .salesforce_cli import HINT, WARNING


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


def token(local: LocalOrg) -> str:
    client = f"client_id={credentials.CLIENT_ID}&client_secret={credentials.CLIENT_SECRET}"
    form = f"grant_type=client_credentials&{client}"
    return str(json.loads(urlopen(f"{local.url}/services/oauth2/token", form.encode()).read())["access_token"])


def printed(local: LocalOrg, access_token: str) -> str:
    """What the two commands print, one after the other."""
    display = {"status": 0, "result": {"accessToken": HINT, "instanceUrl": f"{local.url}/"}, "warnings": [WARNING]}
    shown = {"status": 0, "result": {"accessToken": access_token}, "warnings": []}
    return f"{json.dumps(display, indent=2)}\n{json.dumps(shown, indent=2)}\n"


def with_sf(folder: Folder, local: LocalOrg, *tokens: str) -> dict[str, str]:
    """An environment that has the command, which gives these tokens one by one, the last one again and again."""
    (folder.path / "tokens").write_text(" ".join(tokens))
    (folder.path / "url").write_text(f"{local.url}/")
    command = folder.path / "bin" / "sf"
    command.parent.mkdir()
    command.symlink_to(salesforce_cli.__file__)
    path = os.pathsep.join([str(command.parent), str(SFMAP.parent), os.environ["PATH"]])
    return {"PATH": path, "SALESFORCE_CLI": str(folder.path)}


def asked(folder: Folder) -> list[str]:
    return (folder.path / "asked").read_text().splitlines()


def entry(folder: Folder, target: str = "uat") -> None:
    (folder.path / "sfmap.yaml").write_text(f"orgs: {{mine: {{auth: cli, target_org: {target}}}}}\n")


def test_the_session_comes_from_the_salesforce_cli(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    environment = with_sf(folder, local, token(local))
    entry(folder)
    events = folder.write("e.ndjson", [identify("cli@b.co"), identify("")])

    done = folder.sfmap("run", events, "--org", "mine", environment=environment)

    assert done.returncode == 1, done.stderr
    assert asked(folder) == [
        "org display --json --target-org=uat",
        "org auth show-access-token --json --target-org=uat",
    ]
    assert "Email is required" in folder.sfmap("dead-letters", "--org", "mine").stdout  # without asking it


def test_an_expired_session_is_requested_again(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    environment = with_sf(folder, local, "00D000000000001!over", token(local))
    entry(folder)
    events = folder.write("e.ndjson", [identify("again@b.co")])

    done = folder.sfmap("run", events, "--org", "mine", environment=environment)

    assert done.returncode == 0, done.stderr
    assert len(asked(folder)) == 4


def test_a_session_that_stays_expired_ends_the_run(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    environment = with_sf(folder, local, "00D000000000001!over")
    entry(folder)
    done = folder.sfmap("run", folder.write("e", [identify("a@b.co")]), "--org", "mine", environment=environment)
    assert (done.returncode, "only just opened" in done.stderr) == (3, True)
    assert len(asked(folder)) == 4


def test_an_org_unknown_to_the_cli_is_reported(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    environment = with_sf(folder, local, "x")
    entry(folder, "nope")
    done = folder.sfmap("run", folder.write("e", [identify("a@b.co")]), "--org", "mine", environment=environment)
    assert done.returncode == 3
    assert "No authorization information found for x. ***" in done.stderr
    assert "sf org login web -a nope" in done.stderr
    assert "Se.cret" not in done.stderr


def test_a_missing_cli_is_reported(folder: Folder, identify: Identify, tmp_path: Path) -> None:
    entry(folder)
    events = folder.write("e", [identify("a@b.co")])
    done = folder.sfmap("run", events, "--org", "mine", environment={"PATH": str(tmp_path)})
    assert (done.returncode, "npm install --global @salesforce/cli" in done.stderr) == (3, True)


def test_the_output_of_both_cli_commands_is_a_session(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    events = folder.write("e.ndjson", [identify("both@b.co")])
    text = printed(local, token(local))
    coloured = text.replace('"status"', '\x1b[34m"status"\x1b[0m')
    for given in (text, coloured):
        piped = folder.sfmap("run", "--org-from-stdin", events, stdin=given.encode())
        assert piped.returncode == 0, piped.stderr

    session = folder.path / "session.json"
    session.touch(0o600)
    session.write_text(text)
    (folder.path / "sfmap.yaml").write_text("orgs: {mine: {auth: session, session_file: session.json}}\n")
    assert folder.sfmap("run", events, "--org", "mine").returncode == 0


def test_a_redacted_token_is_not_sent(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    events = folder.write("e.ndjson", [identify("a@b.co")])
    entry = f"orgs: {{mine: {{auth: session, access_token: '${{T}}', instance_url: '{local.url}'}}}}\n"
    (folder.path / "sfmap.yaml").write_text(entry)
    log = urlopen(f"{local.url}/calls").read()

    piped = folder.sfmap("run", "--org-from-stdin", events, stdin=printed(local, HINT).encode())
    named = folder.sfmap("run", "--org", "mine", events, environment={"T": HINT})

    for done in (piped, named):
        assert done.returncode == 3
        assert "sf org auth show-access-token --json" in done.stderr
    assert urlopen(f"{local.url}/calls").read() == log
