"""`sfmap org start`: the local org as a server."""

import json
import re
import signal
import socket
import ssl
import subprocess
from urllib.request import urlopen

import pytest

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.own_certificate import own_certificate

from ..folder import Folder, Identify, warm_sfmap


def started(folder: Folder, *arguments: str) -> "tuple[subprocess.Popen[str], str]":
    """The server and its URL, once it has said where it is."""
    process = subprocess.Popen(
        [*warm_sfmap(), "org", "start", "--port", "0", *arguments],
        cwd=folder.path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    first = process.stdout.readline()
    url = re.search(r"https?://\S+(?=;)", first)
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


def test_the_page_shows_delivered_records(folder: Folder, identify: Identify) -> None:
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


def test_the_printed_entry_is_valid_in_a_project_file(folder: Folder) -> None:
    process, _ = started(folder)
    assert process.stdout
    printed = "".join(process.stdout.readline() for _ in range(16))
    assert stopped(process) == 0
    (folder.path / "sfmap.yaml").write_text(printed[printed.index("orgs:") :])
    assert folder.sfmap("check").returncode == 0


def test_records_are_delivered_over_https(folder: Folder, identify: Identify) -> None:
    """The greeting says how to trust the certificate; without, nothing is sent."""
    process, url = started(folder, "--tls")
    assert process.stdout
    printed = "".join(process.stdout.readline() for _ in range(20))
    bundle = re.search(r"export REQUESTS_CA_BUNDLE=(\S+)", printed)
    assert bundle, printed
    way = f"auth: client_credentials\n    client_id: {credentials.CLIENT_ID}\n    client_secret: ${{S}}"
    (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=url, way=way))
    run = ("run", "--org", "started", folder.write("e.ndjson", [identify("ann@b.co")]))
    refused = folder.sfmap(*run, environment={"S": credentials.CLIENT_SECRET})
    assert (refused.returncode, "its TLS certificate is not trusted" in refused.stderr) == (3, True)
    done = folder.sfmap(*run, environment={"S": credentials.CLIENT_SECRET, "REQUESTS_CA_BUNDLE": bundle[1]})
    assert done.returncode == 0, done.stderr
    assert stopped(process) == 0
    assert folder.rows("SELECT Email FROM Lead") == [("ann@b.co",)]


def test_a_certificate_of_ones_own_is_served(folder: Folder) -> None:
    made = own_certificate(folder.path / "org.db", "localhost")
    process, url = started(folder, "--tls-cert", str(made.certificate), "--tls-key", str(made.key))
    context = ssl.create_default_context(cafile=str(made.authority))
    assert urlopen(f"{url}/services/data", context=context).status == 200
    assert stopped(process) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--tls-cert", "cert.pem"], "Give --tls, or both --tls-cert and --tls-key."),
        (["--tls", "--tls-cert", "cert.pem", "--tls-key", "key.pem"], "Give --tls, or both"),
        (["--tls-cert", "cert.pem", "--tls-key", "key.pem"], "cannot read the certificate cert.pem: No such file"),
    ],
)
def test_an_unusable_certificate_is_refused(folder: Folder, options: list[str], expected: str) -> None:
    refused = folder.sfmap("org", "start", *options)
    assert (refused.returncode, expected in refused.stderr) == (2, True), refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_port_in_use_is_refused(folder: Folder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = folder.sfmap("org", "start", "--port", str(taken.getsockname()[1]))
    assert (busy.returncode, "another program uses that port" in busy.stderr) == (2, True)
    assert "Traceback" not in busy.stderr


def test_an_invalid_schema_is_refused(folder: Folder) -> None:
    (folder.path / "bad.yaml").write_text("objekts: {}\n")
    broken = folder.sfmap("org", "start", "--schema", "bad.yaml")
    assert (broken.returncode, "bad.yaml:1:1" in broken.stderr) == (2, True)
    assert "Traceback" not in broken.stderr


def test_an_idle_session_expires(folder: Folder, identify: Identify) -> None:
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


def test_features_are_switched_on_by_name(folder: Folder) -> None:
    process, _ = started(folder, "--features", "multi_currency, person_accounts")
    assert stopped(process) == 0
    columns = folder.rows("SELECT name FROM pragma_table_info('Account')")
    assert {("CurrencyIsoCode",), ("PersonEmail",)} <= set(columns)
    assert ("BillingStateCode",) not in columns
    refused = folder.sfmap("org", "start", "--features", "multi_curency")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert 'The local org has no feature multi_curency: did you mean "multi_currency"?' in refused.stderr
