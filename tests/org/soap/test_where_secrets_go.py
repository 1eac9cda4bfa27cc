"""Passwords, tokens and session ids go only to the org's own hosts, by HTTPS, through the network's proxy."""

import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from sfmap.engine.org.port import OrgOutOfReach, OrgUnavailable, SignInRefused
from sfmap.engine.org.soap import Secret, SoapOrg
from sfmap.engine.org.soap.org_settings import SALESFORCE_DOMAINS, SoapSettings, refused_server
from sfmap.engine.org.soap.sign_in import ClientCredentials, PasswordLogin

from .conftest import USUAL, CannedServer

LOGIN = "https://login.salesforce.com"
PROXY = "https://sf.proxy.example"


@dataclass
class Network:
    """All hosts there are, behind a proxy: whatever is connected to, the canned server answers."""

    canned: CannedServer
    certificate: Path
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """The host of each request, and its headers."""
    connected: list[str] = field(default_factory=list)
    """The credentials for the proxy itself."""
    url: str = ""

    @property
    def hosts(self) -> set[str]:
        return {host for host, _ in self.asked}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of all hosts of the tests, and its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the network")])
    hosts = ["*.salesforce.com", "*.my.salesforce.com", "*.example", "evil.example", "sf.proxy.example"]
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("network") / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def network(canned: CannedServer, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    known = Network(canned, certificate)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(known, tls))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    known.url = f"http://ada:hunter22@127.0.0.1:{server.server_port}"
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", known.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    canned.put("describeGlobal", canned.results("describeGlobal", "<sobjects><name>Lead</name></sobjects>"))
    yield known
    server.shutdown()
    server.server_close()


def _handler(network: Network, tls: ssl.SSLContext) -> type[socketserver.BaseRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        host = ""

        def do_CONNECT(self) -> None:
            self.host = self.path.partition(":")[0]
            network.connected.append(self.headers.get("Proxy-Authorization", ""))
            self.send_response(200)
            self.end_headers()
            self.close_connection = False
            self.connection = tls.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)

        def do_POST(self) -> None:
            network.asked.append((self.host, dict(self.headers)))
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = network.canned.answer(body, self.headers["Content-Encoding"])
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body.encode())))
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.mark.parametrize("host", ["acme.my.salesforce.com", "login.salesforce.com"])
def test_the_session_id_goes_to_the_org(network: Network, canned: CannedServer, host: str) -> None:
    canned.put("login", canned.signed_in(server=f"https://{host}"))

    assert SoapOrg(USUAL).object_names() == {"Lead"}

    assert network.hosts == {"login.salesforce.com", host}


@pytest.mark.parametrize(
    "host", ["evil.example", "salesforce.com.evil.example", "acme.my.salesforce.com@evil.example"]
)
def test_the_session_id_goes_to_no_other_host(network: Network, canned: CannedServer, host: str) -> None:
    canned.put("login", canned.signed_in(server=f"https://{host}"))

    with pytest.raises(SignInRefused, match="nothing was sent there") as refused:
        SoapOrg(USUAL).object_names()

    assert network.hosts == {"login.salesforce.com"}
    assert "login_url" in refused.value.hint


def test_a_redirect_is_not_followed(network: Network, canned: CannedServer) -> None:
    answer = canned.signed_in()
    canned.put("login", type(answer)("", 307, headers={"Location": "https://evil.example/services"}))

    with pytest.raises(OrgOutOfReach, match=r"to evil\.example"):
        SoapOrg(USUAL).object_names()

    assert network.hosts == {"login.salesforce.com"}


def test_netrc_is_ignored_and_the_proxy_is_used(
    network: Network, canned: CannedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login grace password open-sesame\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    canned.put("login", canned.signed_in(server="https://acme.my.salesforce.com"))

    SoapOrg(USUAL).object_names()

    assert len(network.asked) == 2
    assert not any("Authorization" in headers for _, headers in network.asked)
    assert all(sent.startswith("Basic ") for sent in network.connected)


# The login URL, the address that it names, and why it is refused; empty where it is not.
SERVERS = [
    (LOGIN, "https://acme.my.salesforce.com/services/Soap/u/64.0/00D5f000000abcd", ""),
    (LOGIN, "https://ACME--uat.sandbox.my.salesforce.com", ""),
    (LOGIN, "https://na1.salesforce.com:443/x", ""),
    (LOGIN, "https://acme.cloudforce.com", ""),
    (LOGIN, "https://acme.my.salesforce.mil", ""),
    (LOGIN, "https://acme.my.sfcrmproducts.cn", ""),
    (PROXY, "https://sf.proxy.example/services", ""),
    (PROXY, "https://eu.sf.proxy.example/services", ""),
    (PROXY, "https://acme.my.salesforce.com", ""),
    ("http://127.0.0.1:80", "http://127.0.0.1:9999/services", ""),
    ("http://localhost", "http://[::1]:81", ""),
    (LOGIN, "https://evil.example", "neither its own"),
    (LOGIN, "https://evilsalesforce.com", "neither its own"),
    (LOGIN, "https://salesforce.com.evil.example", "neither its own"),
    (LOGIN, "https://acme.my.salesforce.com.", "neither its own"),
    (PROXY, "https://proxy.example", "neither its own"),
    (PROXY, "https://other.proxy.example", "neither its own"),
    ("http://127.0.0.1:80", "https://evil.example", "neither its own"),
    (LOGIN, "http://acme.my.salesforce.com", "not encrypted"),
    ("http://127.0.0.1:80", "http://evil.example", "not encrypted"),
    (LOGIN, "https://127.0.0.1", "this machine itself"),
    (LOGIN, "http://localhost:80", "this machine itself"),
    (LOGIN, "https://evil.example\\@acme.my.salesforce.com", "an invalid address"),
    (LOGIN, "https://acme.my.salesforce.com@evil.example", "an invalid address"),
    (LOGIN, "https://evil.example#.salesforce.com", "an invalid address"),
    (LOGIN, "https://evil.example\t.salesforce.com", "an invalid address"),
    (LOGIN, "https://evil.example/.salesforce.com", "neither its own"),
    (LOGIN, "https://\u0435vil.salesforce.com", "an invalid address"),
    (LOGIN, "ftp://acme.my.salesforce.com", "an invalid address"),
    (LOGIN, "acme.my.salesforce.com", "an invalid address"),
    (LOGIN, "", "an invalid address"),
]


@pytest.mark.parametrize(("login", "url", "why"), SERVERS)
def test_servers_outside_the_org_are_refused(login: str, url: str, why: str) -> None:
    refused = refused_server(login, url)
    assert why in refused
    assert bool(why) is bool(refused)


PIECES = st.sampled_from(
    [
        *("https://", "http://", "acme.my", ".salesforce.com", "evil.example", "127.0.0.1", "localhost", "[::1]"),
        *("443", "xn--", "\u3002", "\uff0e", *"@\\/#?:.;%&\t\n\0 "),
    ]
)


@given(st.lists(PIECES, max_size=6).map("".join))
@example("https://evil.example\\.salesforce.com")
def test_an_accepted_address_is_the_one_that_is_called(url: str) -> None:
    """The reader that requests connects by is another one than ours: they must agree on the host."""
    if refused_server(LOGIN, url):
        return
    try:
        reached = parse_url(url)
    except LocationParseError:
        return  # then nothing is sent at all
    assert reached.scheme == "https"
    assert reached.auth is None
    assert any(f".{reached.host}".endswith(f".{domain}") for domain in SALESFORCE_DOMAINS)


@pytest.mark.parametrize("url", ["https://evil.example", "https://127.0.0.1:1", "nonsense"])
def test_the_token_goes_only_to_the_org(network: Network, canned: CannedServer, url: str) -> None:
    canned.put("token", type(canned.signed_in())(f'{{"access_token": "00D!secret", "instance_url": "{url}"}}'))
    way = ClientCredentials("the-app", Secret("app-secret"))

    with pytest.raises(SignInRefused, match="nothing was sent there"):
        SoapOrg(SoapSettings("https://acme.my.salesforce.com", way, "68.0")).object_names()

    assert network.hosts == {"acme.my.salesforce.com"}


def test_a_redirect_of_the_token_endpoint_is_refused(network: Network, canned: CannedServer) -> None:
    elsewhere = {"Location": "https://evil.example/services/oauth2/token"}
    canned.put("token", type(canned.signed_in())("", 302, headers=elsewhere))
    way = ClientCredentials("the-app", Secret("app-secret"))

    with pytest.raises(OrgOutOfReach, match=r"to evil\.example"):
        SoapOrg(SoapSettings("https://acme.my.salesforce.com", way, "68.0")).object_names()

    assert network.hosts == {"acme.my.salesforce.com"}


def test_no_password_is_sent_under_an_untrusted_certificate(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    login = PasswordLogin("ada@acme.example", Secret("open-sesame"))

    with pytest.raises((OrgOutOfReach, OrgUnavailable), match="certificate is not trusted"):
        SoapOrg(SoapSettings(LOGIN, login)).object_names()

    assert network.hosts == set()
