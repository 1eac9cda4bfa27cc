"""`sfmap org start` and the ways to sign in: the local org as a server, and sfmap against it by each of them."""

import json
import re
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from urllib.request import urlopen

import pytest

from sfmap.engine.local_org import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from ..folder import SFMAP, Folder, Identify


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


def started(folder: Folder, *arguments: str) -> "tuple[subprocess.Popen[str], str]":
    """The server and its URL, once it has said where it is."""
    process = subprocess.Popen(
        [SFMAP, "org", "start", "--port", "0", *arguments], cwd=folder.path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    first = process.stdout.readline()
    url = re.search(r"http://\S+(?=;)", first)
    assert url, first
    return process, url[0]


def stopped(process: "subprocess.Popen[str]") -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(20)


PROJECT = """\
orgs:
  started:
    login_url: {url}
    {way}
"""


def test_the_page_shows_what_a_run_wrote(folder: Folder, identify: Identify) -> None:
    process, url = started(folder, "--log", "calls.log")
    way = f"username: {credentials.USERNAME}\n    password: ${{P}}\n    security_token: ${{T}}"
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=url, way=way))
    secrets = {"P": credentials.PASSWORD, "T": credentials.SECURITY_TOKEN}
    events = folder.write("e.ndjson", [identify("ann@b.co", name="Ann <b>Lee</b>"), identify("bob@b.co")])
    assert folder.sfmap("run", "--org", "started", events, environment=secrets).returncode == 0
    page = urlopen(f"{url}/objects/Lead?q=ANN@&sort=Email").read().decode()
    assert "ann@b.co" in page
    assert "bob@b.co" not in page
    assert "&lt;b&gt;Lee" in page
    record = re.search(r"/objects/Lead/(00Q\w+)", page)
    assert record
    assert "ann@b.co" in urlopen(f"{url}{record[0]}").read().decode()
    assert "describeSObjects" in urlopen(f"{url}/calls").read().decode()
    assert urlopen(url).headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert stopped(process) == 0
    logged = [json.loads(line) for line in (folder.path / "calls.log").read_text().splitlines()]
    assert [one["operation"] for one in logged][:2] == ["login", "describeGlobal"]
    assert not any(secret in (folder.path / "calls.log").read_text() for secret in secrets.values())


def test_what_start_prints_can_be_pasted(folder: Folder) -> None:
    process, _ = started(folder)
    assert process.stdout
    printed = "".join(process.stdout.readline() for _ in range(16))
    assert stopped(process) == 0
    (folder.path / "sfmap.yaml").write_text(printed[printed.index("orgs:") :])
    assert folder.sfmap("check").returncode == 0


def test_a_port_or_a_schema_that_cannot_be_had(folder: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = folder.sfmap("org", "start", "--port", str(taken.getsockname()[1]))
    assert (busy.returncode, "another program uses that port" in busy.stderr) == (2, True)
    (folder.path / "bad.yaml").write_text("objekts: {}\n")
    broken = folder.sfmap("org", "start", "--schema", "bad.yaml")
    assert (broken.returncode, "bad.yaml:1:1" in broken.stderr) == (2, True)
    assert "Traceback" not in busy.stderr + broken.stderr


def test_an_idle_session_ends(folder: Folder, identify: Identify) -> None:
    """With no time to live, every call needs a new session, and each is had once."""
    process, url = started(folder, "--session-minutes", "0")
    (folder.path / "sfmap.yaml").write_text(
        PROJECT.format(
            url=url, way=f"username: {credentials.USERNAME}\n    password: ${{P}}\n    security_token: ${{T}}"
        )
    )
    secrets = {"P": credentials.PASSWORD, "T": credentials.SECURITY_TOKEN}
    done = folder.sfmap("run", "--org", "started", folder.write("e", [identify("a@b.co")]), environment=secrets)
    assert stopped(process) == 0
    assert done.returncode == 3
    assert "Traceback" not in done.stderr


def private(folder: Folder, name: str, text: str) -> str:
    path = folder.path / name
    path.write_text(text)
    path.chmod(0o600)
    return name


KEY = (files("sfmap.engine.local_org") / credentials.KEY_FILE).read_text("utf-8")
SECRETS = {"SF_SECRET": credentials.CLIENT_SECRET, "SF_REFRESH": credentials.REFRESH_TOKEN}
WAYS = {
    "client_credentials": f"client_id: {credentials.CLIENT_ID}\n    client_secret: ${{SF_SECRET}}",
    "refresh_token": f"client_id: {credentials.CLIENT_ID}\n    refresh_token: ${{SF_REFRESH}}",
    "jwt": f"client_id: {credentials.CLIENT_ID}\n    username: {credentials.USERNAME}\n    key_file: key.pem",
}


@pytest.mark.parametrize("auth", WAYS)
def test_oauth(folder: Folder, identify: Identify, local: LocalOrg, auth: str) -> None:
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
def test_oauth_refused(folder: Folder, identify: Identify, local: LocalOrg, auth: str) -> None:
    way = f"auth: {auth}\n    {WAYS[auth]}"
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=local.url, way=way))
    events = folder.write("e.ndjson", [identify("a@b.co")])
    wrong = dict.fromkeys(SECRETS, "not-the-secret-at-all")
    done = folder.sfmap("run", "--org", "started", events, "--report", "r.json", environment=wrong)
    assert done.returncode == 3
    assert "refuses the sign-in" in done.stderr
    written = "".join(path.read_text("utf-8", "replace") for path in folder.path.rglob("*.json"))
    assert "not-the-secret-at-all" not in done.stderr + done.stdout + written


def test_a_key_that_others_can_read(folder: Folder, identify: Identify, local: LocalOrg) -> None:
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


def test_a_ready_session(folder: Folder, identify: Identify, local: LocalOrg) -> None:
    printed = session_of(local)
    events = folder.write("e.ndjson", [identify("ready@b.co")])
    piped = folder.sfmap("run", "--org-from-stdin", events, stdin=printed.encode())
    assert piped.returncode == 0, piped.stderr
    private(folder, "session.json", printed)
    way = "orgs: {started: {auth: session, session_file: session.json}}\n"
    (folder.path / "sfmap.yaml").write_text(way)
    assert folder.sfmap("run", "--org", "started", events).returncode == 0
    for bad in ("", "nonsense", '{"result": {}}'):
        done = folder.sfmap("run", "--org-from-stdin", events, stdin=bad.encode())
        assert (done.returncode, "sf org display --json and sf org auth" in done.stderr) == (2, True)
    ended = json.dumps({"accessToken": "00D!over", "instanceUrl": local.url})
    over = folder.sfmap("run", "--org-from-stdin", events, stdin=ended.encode())
    assert (over.returncode, "the session has ended" in over.stderr) == (3, True)
    assert folder.sfmap("run", "--org-from-stdin", "-", stdin=b"{}").returncode == 2


WRONG_ENTRIES = [
    ("auth: jwt\n    client_id: x\n    username: a@b.co", 'needs the key "key_file"'),
    (
        "auth: client_credentials\n    client_id: x\n    client_secret: ${S}\n    password: ${P}",
        "does not belong to",
    ),
    ("auth: session", "needs session_file, or access_token and instance_url"),
    ("auth: refresh_token\n    client_id: x\n    refresh_token: hunter22", "a secret does not belong"),
    ("username: a@b.co\n    password: ${P}\n    headers: {assignment_rule: always}", "default, off, or the id"),
    ("username: a@b.co\n    password: ${P}\n    headers: {package_versions: {acme: new}}", "must be like 1.2"),
]


@pytest.mark.parametrize(("way", "words"), WRONG_ENTRIES)
def test_an_entry_that_is_wrong(folder: Folder, way: str, words: str) -> None:
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url="https://acme.my.salesforce.com", way=way))
    done = folder.sfmap("check")
    assert (done.returncode, words in done.stderr) == (2, True)
    assert "hunter22" not in done.stderr


def test_describe(folder: Folder) -> None:
    first = folder.sfmap("describe", "Lead")
    assert first.returncode == 0
    assert "As described now." in first.stderr
    assert re.search(r"LastName +string\(80\), required", first.stdout)
    again = folder.sfmap("describe", "Lead", "--json")
    assert json.loads(again.stdout)["fields"]["Email"]["length"] == 80
    assert "minutes ago" in folder.sfmap("describe", "Lead").stderr
    assert "described now" in folder.sfmap("describe", "Lead", "--refresh").stderr
    unknown = folder.sfmap("describe", "Laed")
    assert (unknown.returncode, 'did you mean "Lead"?' in unknown.stderr) == (2, True)
    kept = "".join(path.read_text() for path in Path(folder.path, ".sfmap/describe").iterdir())
    assert credentials.PASSWORD not in kept


def test_clone(folder: Folder, identify: Identify, tmp_path: Path) -> None:
    """A copy of an org has its fields and no others, and describes itself as the org does."""
    (folder.path / "custom.yaml").write_text(
        "objects:\n  Lead:\n    fields:\n"
        "      Code__c: {type: string, length: 9, unique: true, external_id: true}\n"
        "      Amount__c: {type: currency, precision: 9, scale: 2, label: 'NO: \"1e3\"'}\n"
        "      Size__c: {type: picklist, values: ['1e3', 'NO', 'ä'], restricted: true}\n"
        "      Land__c: {type: picklist, values: [{value: A, active: false}, {value: B, label: Beta}, C]}\n"
        "      Part__c: {type: picklist, restricted: true, controller: Land__c, values: [\n"
        "        {value: b1, for: [B]}, {value: bc, label: Both, for: [B, C]}, none]}\n"
        "  Seat__c:\n    fields:\n      Lead__c: {type: reference, to: Lead}\n"
    )
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: custom.yaml}\n")
    copied = folder.sfmap("org", "clone", "Lead", "Seat__c", "Account")
    assert copied.returncode == 0, copied.stderr
    (folder.path / "copy.yaml").write_text(copied.stdout)
    before = {name: folder.sfmap("describe", name, "--refresh").stdout for name in ("Lead", "Seat__c", "Account")}
    assert "Code__c" in before["Lead"]
    (folder.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: copy.yaml}\n")
    for name, text in before.items():
        assert folder.sfmap("describe", name, "--refresh").stdout == text
    again = folder.sfmap("org", "clone", "Lead", "Seat__c", "Account")
    assert again.stdout == copied.stdout
    assert '{"value": "bc", "label": "Both", "for": ["B", "C"]}' in again.stdout
    events = folder.write("e.ndjson", [identify("clone@b.co", name="Ann Lee")])
    assert folder.sfmap("run", events).returncode == 0
    assert folder.sfmap("org", "clone", "Leed").returncode == 2
    assert folder.sfmap("org", "clone").stdout.startswith("# These objects as described by the org local")
