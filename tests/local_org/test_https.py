"""The local org over HTTPS, and behind a proxy: certificates, and every URL that it hands out."""

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import requests
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from sfmap.engine.http.address import CannotServe
from sfmap.engine.http.server import WebServer
from sfmap.engine.http.tls_files import TlsFiles, server_context
from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.hosting import LocalOrgOptions, serve
from sfmap.engine.local_org.own_certificate import own_certificate
from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .conftest import ENVELOPE, record, sign_in

CLIENT = {
    "grant_type": "client_credentials",
    "client_id": credentials.CLIENT_ID,
    "client_secret": credentials.CLIENT_SECRET,
}
LOGIN = ENVELOPE.format(
    headers="",
    body=f"<login><username>{credentials.USERNAME}</username>"
    f"<password>{credentials.PASSWORD}{credentials.SECURITY_TOKEN}</password></login>",
).encode()


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    with start_local_org(tmp_path_factory.mktemp("https") / "org.db", tls=True) as running:
        yield running


@pytest.fixture(autouse=True)
def trusting(secure: LocalOrg, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(secure.authority))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_the_authority_connects(secure: LocalOrg, host: str) -> None:
    port = urlsplit(secure.url).port
    trusting = ssl.create_default_context(cafile=str(secure.authority))
    assert urlopen(f"https://{host}:{port}/services/data", context=trusting).status == 200
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urlopen(f"https://{host}:{port}/services/data")


def test_records_are_written_over_https(secure: LocalOrg) -> None:
    client = sign_in(secure)
    assert client.url.startswith(f"{secure.url}/services/Soap/u/")
    created = client.call(f"<create>{record('Lead', LastName='Lee', Company='Acme')}</create>")
    assert "<success>true</success>" in created
    assert client.query("SELECT LastName FROM Lead") == ["Lee"]


def test_a_refused_request_is_answered_while_its_body_arrives(secure: LocalOrg) -> None:
    large = requests.post(f"{secure.url}/services/Soap/u/64.0", data=b"x" * (60 * 1024 * 1024), timeout=60)
    assert (large.status_code, "larger than 50 MB" in large.text) == (500, True)


def urls_handed_out(url: str, headers: dict[str, str]) -> set[str]:
    """Scheme and host of each URL that the org answers with."""
    signed_in = requests.post(f"{url}/services/oauth2/token", CLIENT, headers=headers, timeout=30).json()
    soap = {"Content-Type": "text/xml", **headers}
    login = requests.post(f"{url}/services/Soap/u/64.0", LOGIN, headers=soap, timeout=30).text
    wsdl = requests.get(f"{url}/services/Soap/u/64.0?wsdl", headers=headers, timeout=30).text
    found = [
        signed_in["instance_url"],
        signed_in["id"],
        *re.findall(r"<(?:serverUrl|metadataServerUrl)>(.*?)</", login),
        *re.findall(r'address location="(.*?)"', wsdl),
    ]
    assert len(found) == 5
    return {"://".join(urlsplit(one)[:2]) for one in found}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"X-Forwarded-Proto": "https"}, "https://{host}"),
        ({"X-Forwarded-Proto": "HTTPS, http"}, "https://{host}"),
        ({"X-Forwarded-Proto": "gopher"}, None),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "acme.example:8443"}, "https://acme.example:8443"),
        ({"X-Forwarded-Host": "acme.example, inner"}, "http://acme.example"),
        ({"X-Forwarded-Host": "[::1]:99"}, "http://[::1]:99"),
        ({"X-Forwarded-Host": 'a"/><x>'}, None),
    ],
)
def test_urls_are_those_by_which_the_client_reaches_the_org(
    local: LocalOrg, headers: dict[str, str], expected: str | None
) -> None:
    wanted = (expected or local.url).format(host=urlsplit(local.url).netloc)
    assert urls_handed_out(local.url, headers) == {wanted}


def test_urls_have_the_scheme_of_the_connection(secure: LocalOrg) -> None:
    assert urls_handed_out(secure.url, {}) == {secure.url}


def test_a_certificate_is_made_once_for_the_same_names(tmp_path: Path) -> None:
    made = own_certificate(tmp_path / "org.db", "127.0.0.1")
    first = made.certificate.read_bytes()
    assert own_certificate(tmp_path / "org.db", "localhost").certificate.read_bytes() == first
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "org.db.tls").iterdir()} == {0o600}
    assert not made.is_renewed
    assert own_certificate(tmp_path / "org.db", "192.0.2.7").is_renewed
    assert made.certificate.read_bytes() != first


def test_files_of_others_are_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "org.db.tls"
    folder.mkdir(mode=0o755)
    for name in ("server.pem", "server-key.pem"):
        (folder / name).write_text("mine")
    with pytest.raises(CannotServe, match=r"server\.pem was not made by sfmap"):
        own_certificate(tmp_path / "org.db", "localhost")
    assert {(path.read_text(), path.stat().st_mode & 0o777) for path in folder.iterdir()} == {("mine", 0o644)}
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_certificate_is_for_hosts_not_patterns(tmp_path: Path) -> None:
    with pytest.raises(CannotServe, match=r"\*\.acme\.test cannot stand in a certificate"):
        own_certificate(tmp_path / "org.db", "*.acme.test")


def test_an_org_on_loopback_answers_to_each_of_its_names(tmp_path: Path) -> None:
    options = LocalOrgOptions(database=tmp_path / "org.db", host="::1")
    hosts = {"[::1]:1": 200, "127.0.0.1": 200, "LOCALHOST:2": 200, "acme.test": 400, "": 400, "[": 400}
    seen: dict[str, int] = {}

    def ready(server: WebServer) -> None:
        def ask() -> None:
            for host in hosts:
                answer = requests.get(f"{server.url}/services/data", headers={"Host": host}, timeout=10)
                seen[host] = answer.status_code
            server.stop()

        Thread(target=ask).start()

    serve(options, ready)
    assert seen == hosts


@pytest.mark.parametrize("damaged", ["certificate", "key", "authority"])
def test_a_damaged_certificate_is_made_again(tmp_path: Path, damaged: str) -> None:
    made = own_certificate(tmp_path / "org.db", "127.0.0.1")
    getattr(made, damaged).write_text("")
    again = own_certificate(tmp_path / "org.db", "127.0.0.1")
    assert server_context(again)
    assert ssl.create_default_context(cafile=str(again.authority))


UNUSABLE = {
    "no certificate": ("missing.pem", "key", "cannot read the certificate {certificate}: No such file"),
    "no key": ("certificate", "missing.pem", "cannot read the private key {key}: No such file"),
    "not a certificate": ("key", "key", "{certificate} has no certificate in PEM format"),
    "damaged": ("damaged.pem", "key", "{certificate} has no certificate that can be read"),
    "not a key": ("certificate", "certificate", "{key} has no private key in PEM format"),
    "encrypted": ("certificate", "encrypted.pem", "The private key in {key} is encrypted. Decrypt it: openssl"),
    "of another": ("certificate", "other.pem", "The private key in {key} does not belong to the certificate in"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_files_are_explained(tmp_path: Path, case: str) -> None:
    made, other = (own_certificate(tmp_path / name / "org.db", "localhost") for name in ("one", "other"))
    (tmp_path / "other.pem").write_bytes(other.key.read_bytes())
    (tmp_path / "damaged.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    key = load_pem_private_key(made.key.read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (tmp_path / "encrypted.pem").write_bytes(encrypted)
    *names, expected = UNUSABLE[case]
    known = {"certificate": made.certificate, "key": made.key}
    certificate, key_file = (known.get(name, tmp_path / name) for name in names)
    files = TlsFiles(certificate=certificate, key=key_file)
    with pytest.raises(CannotServe) as refused:
        server_context(files)
    assert expected.format(certificate=files.certificate, key=files.key) in str(refused.value)


def test_an_org_answers_to_the_names_of_its_certificate(tmp_path: Path) -> None:
    """They may lead to loopback, by a hosts file; other names may not."""
    authority = own_certificate(tmp_path / "org.db", "org.acme.test").authority
    with start_local_org(tmp_path / "org.db", tls=True) as running:
        answers = {
            name: requests.get(
                f"{running.url}/services/data", headers={"Host": name}, verify=str(authority), timeout=10
            ).status_code
            for name in ("org.acme.test", "other.acme.test")
        }
    assert answers == {"org.acme.test": 200, "other.acme.test": 400}


@pytest.mark.parametrize(("kind", "created"), [("reset", 0), ("reset_after", 1)])
def test_connections_break_as_without_tls(secure: LocalOrg, kind: str, created: int) -> None:
    client = sign_in(secure)
    before = len(client.query("SELECT LastName FROM Lead"))
    fault = {"kind": kind, "calls": "create", "at": 1}
    assert requests.put(f"{secure.url}/faults", json={"faults": [fault]}, timeout=10).status_code == 200
    with pytest.raises(requests.ConnectionError):
        client.call(f"<create>{record('Lead', LastName='Lee', Company='Acme')}</create>")
    assert len(client.query("SELECT LastName FROM Lead")) == before + created
