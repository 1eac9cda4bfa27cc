"""What is said when an object store cannot be read: one sentence, without secrets."""

import base64
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.extras import ExtraMissing
from sfmap.engine.sources.stores.object_store import ObjectStore
from sfmap.engine.sources.stores.object_store_settings import Credentials, ObjectStoreSettings
from sfmap.tests.object_stores import ObjectServer, moto_checks_keys

S3_KEYS = {"AWS_ACCESS_KEY_ID": "AKIATEST", "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret"}
WRONG_KEY = base64.b64encode(b"wrong" * 10).decode()
NOT_THERE = "no-such-bucket"


def failure(endpoint: str, variables: Mapping[str, str], url: str, **settings: str) -> str:
    here = ObjectStoreSettings(endpoint=endpoint, **settings)  # type: ignore[arg-type]
    with pytest.raises(SourceFailed) as failed:
        ObjectStore(settings=here, environment=variables, retries=0).list(url)
    said = str(failed.value)
    assert not [secret for secret in variables.values() if len(secret) > 8 and secret in said]
    assert len(said) < 300
    return said


@dataclass
class Answers:
    """A server that always gives one answer, and remembers what it was asked."""

    status: int = 404
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def answering(answers: Answers) -> Iterator[Answers]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            answers.asked.append(f"{self.command} {self.path}")
            body = answers.body.encode() if self.command != "HEAD" else b""
            self.send_response(answers.status)
            for name, value in {**answers.headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_CONNECT = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        answers.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield answers
        server.shutdown()


@pytest.fixture
def denied_keys(s3_server: ObjectServer) -> Iterator[dict[str, str]]:
    """The keys of a user who may do nothing."""
    headers = {"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request"}
    for action in ("CreateUser", "CreateAccessKey"):
        form = {"Action": action, "UserName": "nobody", "Version": "2010-05-08"}
        answer = requests.post(s3_server.endpoint, data=form, headers=headers).text
    made = dict(re.findall(r"<(AccessKeyId|SecretAccessKey)>([^<]+)<", answer))
    with moto_checks_keys(s3_server):
        yield {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    requests.post(f"{s3_server.endpoint}/moto-api/reset", headers=headers)


def test_keys_that_s3_refuses(s3_server: ObjectServer, denied_keys: dict[str, str]) -> None:
    place = "cannot read s3://acme"
    denied = "the key needs s3:ListBucket and s3:GetObject"
    wrong_secret = {**denied_keys, "AWS_SECRET_ACCESS_KEY": "s3cret-s3cret"}
    said = [
        failure(s3_server.endpoint, variables, f"s3://acme{key}")
        for variables in (denied_keys, wrong_secret, S3_KEYS)
        for key in ("/", "/a.gz")
    ]
    assert said == [
        f"{place}: access denied for ListBucket; {denied}",
        f"{place}/a.gz: access denied for GetObject; {denied}",
        f"{place}: the secret access key does not belong to the access key id",
        f"{place}/a.gz: the secret access key does not belong to the access key id",
        f"{place}: the store does not know the access key id",
        f"{place}/a.gz: the store does not know the access key id",
    ]


@pytest.mark.parametrize("key", ["", "a.gz", "logs/", "logs/*.gz"])
@pytest.mark.parametrize("name", ["s3_server", "azure_server"])
def test_a_bucket_that_does_not_exist(request: pytest.FixtureRequest, name: str, key: str) -> None:
    server: ObjectServer = request.getfixturevalue(name)
    what = "container" if server.scheme == "az" else "bucket"
    url = f"{server.scheme}://{NOT_THERE}"
    said = failure(server.settings["endpoint"], server.variables, f"{url}/{key}")
    assert said == f"cannot read {url}: there is no such {what}"


def test_keys_that_azure_refuses(azure_server: ObjectServer) -> None:
    url = f"az://{azure_server.bucket({})}"
    for key, why in [
        (
            WRONG_KEY,
            "access denied: the account key is wrong, or the account refuses this network",
        ),
        ("s3cret s3cret", "the account key is not a key: it is not base64"),
    ]:
        variables = {**azure_server.variables, "AZURE_STORAGE_KEY": key}
        assert failure(azure_server.endpoint, variables, url) == f"cannot read {url}: {why}"


def test_a_google_key_that_is_none(tmp_path: Path, google_server: ObjectServer) -> None:
    key_file = tmp_path / "key.json"
    variables = {"GOOGLE_APPLICATION_CREDENTIALS": str(key_file)}
    place = "cannot read gs://acme"
    said = failure(google_server.endpoint, variables, "gs://acme")
    assert said == f"{place}: the file of the service account cannot be opened"
    key_file.write_text('{"type": "service_account", "private_key": "s3cret"}')
    assert failure(google_server.endpoint, variables, "gs://acme").startswith(
        f"{place}: that is no key of a Google"
    )


def xml(code: str, more: str = "") -> str:
    return f"<Error><Code>{code}</Code><Message>Sorry.</Message>{more}<HostId>x</HostId></Error>"


def wrong(where: str) -> str:
    return f"the bucket is in {where}, not in us-east-1: set AWS_REGION, or region below store: in sfmap.yaml"


REFUSED = {
    "redirected": (Answers(status=301, body=xml("PermanentRedirect")), wrong("another region")),
    "redirected without a word": (Answers(status=301), wrong("another region")),
    "wrong region in the signature": (
        Answers(status=400, body=xml("AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>")),
        wrong("the region eu-central-1"),
    ),
    "no bucket": (Answers(body=xml("NoSuchBucket")), "there is no such bucket"),
    "expired": (Answers(status=400, body=xml("ExpiredToken")), "the session token has expired"),
    "archived": (Answers(status=403, body=xml("InvalidObjectState")), "the object is archived: restore it first"),
    "clock": (Answers(status=403, body=xml("RequestTimeTooSkewed")), "the clock of this machine is wrong"),
    "busy": (Answers(status=503, body=xml("SlowDown")), "the store is too busy"),
    "something else": (Answers(status=400, body=xml("TeapotError")), "the store answered 400 TeapotError"),
    "no XML": (Answers(status=500, body="<html>Oh no s3cret"), "the store answered 500"),
    "not signed in": (
        Answers(status=401),
        "access denied for GetObject; the key needs s3:ListBucket and s3:GetObject",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_answer_that_is_no_object(case: str) -> None:
    answers, why = REFUSED[case]
    with answering(answers):
        said = failure(answers.url, S3_KEYS, "s3://acme/a.gz")
    assert said.replace("/a.gz", "") == f"cannot read s3://acme: {why}"


def test_a_store_that_cannot_be_reached() -> None:
    said = failure("http://127.0.0.1:1", S3_KEYS, "s3://acme/a.gz")
    assert said == "cannot read s3://acme/a.gz: cannot reach 127.0.0.1:1: Connection refused"


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ExtraMissing) as failed:
        ObjectStore(settings=ObjectStoreSettings()).list("s3://acme/a.gz")
    assert str(failed.value).startswith("cannot read s3://acme/a.gz: this needs sfmap[cloud]: ")
    assert str(failed.value).endswith("pip install 'sfmap[cloud]'")


NO_KEYS = "there is no key for it;"
UNSET = {
    "s3": (NO_KEYS, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    "gs": (NO_KEYS, "GOOGLE_APPLICATION_CREDENTIALS"),
    "az": (NO_KEYS, "AZURE_STORAGE_KEY"),
}


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answers]:
    """A server to which everything goes that would leave this machine, and each cloud's metadata address."""
    with answering(Answers()) as answers:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, answers.url)
        for name in ("NO_PROXY", "no_proxy", *S3_KEYS):
            monkeypatch.delenv(name, raising=False)
        for name in ("AWS_METADATA_ENDPOINT", "AWS_ENDPOINT_URL", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
            monkeypatch.setenv(name, answers.url)
        monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
        yield answers


@pytest.mark.parametrize("scheme", UNSET)
def test_without_keys_nothing_is_asked_for_any(watched: Answers, scheme: str) -> None:
    why, variables = UNSET[scheme]
    account = {"AZURE_STORAGE_ACCOUNT": "acme"}
    assert failure("", account, f"{scheme}://acme/a.gz") == (
        f"cannot read {scheme}://acme: {why} set {variables} in the environment or secrets.env, "
        "or write credentials: instance or credentials: anonymous below store: in sfmap.yaml"
    )
    assert not watched.asked


def test_the_metadata_address_is_asked_only_where_the_settings_say_so(watched: Answers) -> None:
    failure(watched.url, {}, "s3://acme/a.gz", credentials=Credentials.INSTANCE)
    assert f"PUT {watched.url}/latest/api/token" in watched.asked


def test_a_public_bucket_needs_no_keys(watched: Answers) -> None:
    failure(watched.url, S3_KEYS, "s3://acme/logs/", credentials=Credentials.ANONYMOUS)
    assert watched.asked == [f"GET {watched.url}/acme?list-type=2&prefix=logs%2F"]


@pytest.mark.parametrize("given", S3_KEYS)
def test_half_a_key(watched: Answers, given: str) -> None:
    (missing,) = set(S3_KEYS) - {given}
    setting = missing.removeprefix("AWS_").lower()
    assert failure("", {given: "x"}, "s3://acme") == (
        f"cannot read s3://acme: {setting} is missing; set {missing} in the environment or secrets.env, "
        f"or {setting} below store: in sfmap.yaml"
    )
    assert not watched.asked


def test_keys_in_a_url_are_refused_and_not_repeated() -> None:
    said = failure("", S3_KEYS, "s3://AKIATEST:s3cret-s3cret@acme/a.gz")
    assert said == "cannot read s3://…: write the bucket there and keys in secrets.env"
    assert "AKIATEST" not in said


SETTINGS = [
    ("s3", {"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, {}, {"region": "a"}),
    ("s3", {"AWS_DEFAULT_REGION": "b"}, {}, {"region": "b"}),
    (
        "s3",
        S3_KEYS | {"AWS_SESSION_TOKEN": "t"},
        {"access_key_id": "x", "secret_access_key": "y"},
        {"session_token": ""},
    ),
    ("s3", S3_KEYS, {"credentials": Credentials.INSTANCE}, {"access_key_id": "", "secret_access_key": ""}),
    ("s3", {"AWS_ENDPOINT_URL": "http://e"}, {}, {"endpoint": "http://e"}),
    ("s3", {"AWS_ENDPOINT_URL": "http://e"}, {"endpoint": "http://f"}, {"endpoint": "http://f"}),
    ("gs", {"AWS_ENDPOINT_URL": "http://e"}, {}, {"endpoint": ""}),
    ("az", {"AZURE_STORAGE_KEY": "k"}, {"sas_token": "s"}, {"account_key": "", "sas_token": "s"}),
    (
        "az",
        {"AZURE_STORAGE_CONNECTION_STRING": "AccountName=n;AccountKey=k==;BlobEndpoint=https://b/n;X=y"},
        {},
        {"account_name": "n", "account_key": "k==", "endpoint": "https://b/n"},
    ),
]


@pytest.mark.parametrize(("scheme", "variables", "given", "expected"), SETTINGS)
def test_settings_come_before_the_environment(
    scheme: str, variables: dict[str, str], given: dict[str, str], expected: dict[str, str]
) -> None:
    settings = ObjectStoreSettings(**given)  # type: ignore[arg-type]
    completed = settings.completed(scheme, variables)
    assert {name: getattr(completed, name) for name in expected} == expected
    assert not [secret for secret in ("k==", "s3cret") if secret in repr(completed)]
