"""The local org as a process, and raw SOAP to talk to it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org

ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com">'
    "<e:Header>{headers}</e:Header><e:Body>{body}</e:Body></e:Envelope>"
)


@dataclass(frozen=True)
class Client:
    """Raw requests, so that nothing stands between a test and the wire."""

    url: str
    session_id: str

    def call(self, body: str, headers: str = "") -> str:
        """The text of the answer, faults too."""
        session = f"<SessionHeader><sessionId>{self.session_id}</sessionId></SessionHeader>"
        return post(self.url, ENVELOPE.format(headers=session + headers, body=body).encode()).text

    def query(self, soql: str) -> list[str]:
        """The texts of the answer's fields, in order, without types and ids."""
        escaped = soql.replace("&", "&amp;").replace("<", "&lt;")
        answer = self.call(f"<query><queryString>{escaped}</queryString></query>")
        assert "<soapenv:Fault>" not in answer, answer
        return re.findall(r"<sf:(?!type|Id)\w+>([^<]*)</sf:", answer)


@dataclass(frozen=True)
class Rest:
    """REST requests in a session."""

    url: str
    token: str
    version: str = "66.0"

    def send(self, method: str, path: str, body: object = None, **headers: str) -> requests.Response:
        """Bytes and text are sent as they are, other bodies as JSON; paths are those below the version."""
        raw = body if isinstance(body, str | bytes) else None
        return requests.request(
            method,
            f"{self.url}{path}" if path.startswith("/services") else f"{self.root}{path}",
            data=raw,
            json=body if raw is None else None,
            headers={"Authorization": f"Bearer {self.token}", **headers},
            timeout=30,
        )

    @property
    def root(self) -> str:
        return f"{self.url}/services/data/v{self.version}"

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object, **headers: str) -> requests.Response:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object, **headers: str) -> requests.Response:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str) -> requests.Response:
        return self.send("DELETE", path)


def rest_client(local: LocalOrg, version: str = "66.0") -> Rest:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
    }
    answer = requests.post(f"{local.url}/services/oauth2/token", data=form, timeout=30)
    return Rest(local.url, answer.json()["access_token"], version)


def post(url: str, data: bytes, **headers: str) -> requests.Response:
    return requests.post(url, data=data, headers={"Content-Type": "text/xml", **headers}, timeout=30)


def sign_in(local: LocalOrg) -> Client:
    password = local.password + local.security_token
    body = f"<login><username>{local.username}</username><password>{password}</password></login>"
    answer = post(f"{local.url}/services/Soap/u/64.0", ENVELOPE.format(headers="", body=body).encode()).text
    found = re.search(r"<serverUrl>(.*)</serverUrl><sessionId>(.*)</sessionId>", answer)
    assert found, answer
    return Client(found[1], found[2])


def record(object_name: str, **fields: str) -> str:
    members = "".join(f"<{name}>{text}</{name}>" for name, text in fields.items())
    return f"<sObjects><type>{object_name}</type>{members}</sObjects>"


def outcome(org: Client, call: str) -> str:
    """The id, or the error's code and message."""
    answer = org.call(call)
    refused = re.search(r"<message>(.*)</message><statusCode>(\w+)<", answer)
    if refused:
        return f"{refused[2]}: {refused[1]}"
    found = re.search(r"<id>(\w{18})</id>", answer)
    assert found, answer
    return found[1]


def created(org: Client, object_name: str, **fields: str) -> str:
    return outcome(org, f"<create>{record(object_name, **fields)}</create>")


def updated(org: Client, object_name: str, **fields: str) -> str:
    return outcome(org, f"<update>{record(object_name, **fields)}</update>")


SCHEMA = """\
objects:
  Lead:
    fields:
      Code__c: {type: string, length: 20, unique: true}
      Score__c: {type: double, precision: 5, scale: 2}
      Vip__c: {type: boolean}
      Seen__c: {type: datetime}
  Issue__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true, required: true}
"""


@pytest.fixture(scope="package")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    folder: Path = tmp_path_factory.mktemp("local_org")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running


@pytest.fixture(scope="package")
def client(local: LocalOrg) -> Client:
    return sign_in(local)


@pytest.fixture(scope="module")
def rest_org(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    """An org of the module's own, whose records no other test counts."""
    folder = tmp_path_factory.mktemp("rest")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running


@pytest.fixture(scope="module")
def rest(rest_org: LocalOrg) -> Rest:
    return rest_client(rest_org)


@pytest.fixture(scope="module")
def org(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    """An org of the module's own, with the module's `SCHEMA` or else that of all."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "schema.yaml").write_text(getattr(request.module, "SCHEMA", SCHEMA))
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running
