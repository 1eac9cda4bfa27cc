"""`sfmap run` with each way to sign in, against the local org."""

import json
import stat
from collections.abc import Iterator
from importlib.resources import files
from urllib.request import urlopen

import pytest

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..folder import Folder, Identify


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


PROJECT = """\
orgs:
  started:
    login_url: {url}
    {way}
"""


def private(folder: Folder, name: str, text: str) -> str:
    path = folder.path / name
    path.write_text(text)
    path.chmod(0o600)
    return name


KEY = (files("sfmap.engine.local_org.calls") / credentials.KEY_FILE).read_text("utf-8")
SECRETS = {"SF_SECRET": credentials.CLIENT_SECRET, "SF_REFRESH": credentials.REFRESH_TOKEN}
WAYS = {
    "client_credentials": f"client_id: {credentials.CLIENT_ID}\n    client_secret: ${{SF_SECRET}}",
    "refresh_token": f"client_id: {credentials.CLIENT_ID}\n    refresh_token: ${{SF_REFRESH}}",
    "jwt": f"client_id: {credentials.CLIENT_ID}\n    username: {credentials.USERNAME}\n    key_file: key.pem",
}


@pytest.mark.parametrize("auth", WAYS)
def test_run_signs_in_by_oauth(folder: Folder, identify: Identify, local: LocalOrg, auth: str) -> None:
    private(folder, "key.pem", KEY)
    way = f"auth: {auth}\n    {WAYS[auth]}"
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=local.url, way=way))
    events = folder.write("e.ndjson", [identify(f"{auth}@b.co")])
    done = folder.sfmap("run", "--org", "started", events, environment=SECRETS)
    assert done.returncode == 0, done.stderr
    assert "login" not in done.stderr
    for secret in (*SECRETS.values(), KEY):
        assert secret not in done.stderr + done.stdout


@pytest.mark.parametrize("auth", ["client_credentials", "refresh_token"])
def test_a_refused_oauth_sign_in_reveals_no_secret(
    folder: Folder, identify: Identify, local: LocalOrg, auth: str
) -> None:
    way = f"auth: {auth}\n    {WAYS[auth]}"
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=local.url, way=way))
    events = folder.write("e.ndjson", [identify("a@b.co")])
    wrong = dict.fromkeys(SECRETS, "not-the-secret-at-all")
    done = folder.sfmap("run", "--org", "started", events, "--report", "r.json", environment=wrong)
    assert done.returncode == 3
    assert "refuses the sign-in" in done.stderr
    written = "".join(path.read_text("utf-8", "replace") for path in folder.path.rglob("*.json"))
    assert "not-the-secret-at-all" not in done.stderr + done.stdout + written


def test_a_private_key_that_others_can_read_is_refused(
    folder: Folder, identify: Identify, local: LocalOrg
) -> None:
    private(folder, "key.pem", KEY)
    (folder.path / "key.pem").chmod(0o640)
    assert stat.S_IMODE((folder.path / "key.pem").stat().st_mode) == 0o640
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=local.url, way=f"auth: jwt\n    {WAYS['jwt']}"))
    done = folder.sfmap("run", "--org", "started", folder.write("e", [identify("a@b.co")]))
    assert (done.returncode, "chmod 600 key.pem" in done.stderr) == (2, True)


def session_of(local: LocalOrg) -> str:
    client = f"client_id={credentials.CLIENT_ID}&client_secret={credentials.CLIENT_SECRET}"
    form = f"grant_type=client_credentials&{client}"
    answer = json.loads(urlopen(f"{local.url}/services/oauth2/token", form.encode()).read())
    printed = {"status": 0, "result": {"accessToken": answer["access_token"], "instanceUrl": local.url}}
    return json.dumps(printed)


def test_a_session_is_read_from_standard_input(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    events = folder.write("e.ndjson", [identify("ready@b.co")])
    piped = folder.sfmap("run", "--org-from-stdin", events, stdin=session_of(local).encode())
    assert piped.returncode == 0, piped.stderr


def test_a_session_is_read_from_a_file(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    private(folder, "session.json", session_of(local))
    (folder.path / "sfmap.yaml").write_text("orgs: {started: {auth: session, session_file: session.json}}\n")
    events = folder.write("e.ndjson", [identify("ready@b.co")])
    assert folder.sfmap("run", "--org", "started", events).returncode == 0


@pytest.mark.parametrize("bad", ["", "nonsense", '{"result": {}}'])
def test_an_unreadable_session_is_refused(folder: Folder, identify: Identify, bad: str) -> None:
    events = folder.write("e.ndjson", [identify("ready@b.co")])
    done = folder.sfmap("run", "--org-from-stdin", events, stdin=bad.encode())
    assert (done.returncode, "sf org display --json and sf org auth" in done.stderr) == (2, True)


def test_an_expired_session_is_reported(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    ended = json.dumps({"accessToken": "00D!over", "instanceUrl": local.url})
    events = folder.write("e.ndjson", [identify("ready@b.co")])
    over = folder.sfmap("run", "--org-from-stdin", events, stdin=ended.encode())
    assert (over.returncode, "the session has ended" in over.stderr) == (3, True)


def test_a_session_and_events_cannot_both_come_from_standard_input(folder: Folder) -> None:
    assert folder.sfmap("run", "--org-from-stdin", "-", stdin=b"{}").returncode == 2
