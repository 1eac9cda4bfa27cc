"""Files on the web, from a server that has ranges or none, breaks connections and changes files."""

import gzip
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stored_files import StoredFile
from sfmap.engine.sources.stores.ranged_stream import SHORTEST
from sfmap.engine.sources.stores.web_files import WebFiles
from sfmap.tests.folder import Folder
from sfmap.tests.object_stores import CutConnections

CONTENT = os.urandom(1024) * (9 * 1024) + b"end"
MODIFIED = "Thu, 01 Jan 2026 10:00:00 GMT"


@dataclass
class WebServer:
    """One file, whatever the path is, but for redirects."""

    content: bytes = CONTENT
    etags: str = "strong"
    """Whether it has etags: strong, weak or none."""
    has_ranges: bool = True
    is_chunked: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    """The status of each answer; 0 for that of the file."""
    failures: int = 0
    """How many answers fail with the status, before the file is given; 0 for all."""
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """The path and the range of each request."""
    url: str = ""

    @property
    def etag(self) -> str:
        digest = md5(self.content).hexdigest()
        return {"strong": f'"{digest}"', "weak": f'W/"{digest}"', "none": ""}[self.etags]


class Handler(BaseHTTPRequestHandler):
    web: WebServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        wanted = self.headers.get("Range", "")
        self.web.asked.append((self.path, wanted))
        if self.path in self.web.redirects:
            self.give(302, b"", {"Location": self.web.redirects[self.path]})
        elif self.web.status and (self.web.failures == 0 or len(self.web.asked) <= self.web.failures):
            self.give(self.web.status, b"no", {})
        elif self.headers.get("If-Match") not in (None, self.web.etag):
            self.give(412, b"", {})
        else:
            self.give_file(wanted if self.web.has_ranges else "")

    def give_file(self, wanted: str) -> None:
        headers = {**self.web.headers, **({"ETag": self.web.etag} if self.web.etag else {})}
        size = len(self.web.content)
        if not wanted:
            return self.give(200, self.web.content, headers)
        start, end = (int(number) for number in re.findall(r"\d+", wanted))
        if start >= size:
            return self.give(416, b"", {"Content-Range": f"bytes */{size}"})
        part = self.web.content[start : end + 1]
        headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{size}"
        return self.give(206, part, headers)

    def give(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        chunked = self.web.is_chunked and status == 200
        length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))}
        for name, value in {**headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        half = len(body) // 2
        parts = [body[:half], body[half:]] if chunked else [body]
        for part in parts:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if chunked and part else part)
        if chunked:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_: object) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Connections that break are wanted."""


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()

    class HandlerOfServer(Handler):
        web = server

    with Quiet(("127.0.0.1", 0), HandlerOfServer) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        yield server
        listening.shutdown()


def listed(url: str, retries: int = 3) -> tuple[WebFiles, StoredFile]:
    store = WebFiles(retries)
    (file,) = store.list(url)
    return store, file


def read(url: str, retries: int = 3) -> bytes:
    store, file = listed(url, retries)
    with store.open(file) as stream:
        return stream.read()


def failure(url: str, retries: int = 0) -> str:
    with pytest.raises(SourceFailed) as failed:
        read(url, retries)
    return str(failed.value)


KINDS: dict[str, dict[str, object]] = {
    "ranges": {},
    "weak etags": {"etags": "weak"},
    "times instead of etags": {"etags": "none", "headers": {"Last-Modified": MODIFIED}},
    "no versions": {"etags": "none"},
    "no ranges": {"has_ranges": False},
    "no ranges, chunked": {"has_ranges": False, "is_chunked": True},
    "packed in transfer": {"headers": {"Content-Encoding": "gzip"}, "content": gzip.compress(CONTENT)},
    "empty": {"content": b""},
    "empty, no ranges": {"content": b"", "has_ranges": False},
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, web: WebServer) -> WebServer:
    for name, value in KINDS[request.param].items():
        setattr(web, name, value)
    return web


def test_bytes_come_as_they_are_stored_in_order_and_out_of_order(kind: WebServer) -> None:
    content = kind.content
    store, file = listed(f"{kind.url}/a.gz")
    assert file.size in (len(content), 0)
    with store.open(file) as stream:
        assert stream.read() == content
        for position in (0, max(0, len(content) - 3), 5, SHORTEST + 1):
            stream.seek(position)
            assert stream.read(70_000) == content[position : position + 70_000]
        assert stream.seek(0, os.SEEK_END) == len(content)
        assert stream.read() == b""


def test_a_file_has_a_name_without_secrets(web: WebServer) -> None:
    web.headers["Last-Modified"] = MODIFIED
    secret = f"{web.url.replace('http://', 'http://ann:s3cret@')}/a%20b.gz?sig=s3cret#s3cret"
    store, file = listed(secret)
    assert file == StoredFile(
        name=f"{web.url}/a%20b.gz", size=len(CONTENT), version=web.etag, modified=1767261600.0
    )
    with store.open(file) as stream:
        assert stream.read() == CONTENT
    assert {path for path, _ in web.asked} == {"/a%20b.gz?sig=s3cret"}
    assert "s3cret" not in repr(store)
    web.status = 403
    assert failure(secret) == f"cannot read {file.name}: access denied (403); a signed link may have expired"


@pytest.mark.parametrize("has_ranges", [True, False])
@pytest.mark.parametrize(("cut_after", "most_cuts"), [(100, 2), (300_000, 3), (3_000_000, 4)])
def test_a_broken_connection_goes_on(web: WebServer, has_ranges: bool, cut_after: int, most_cuts: int) -> None:
    web.has_ranges = has_ranges
    with CutConnections(web.url, cut_after=cut_after, most_cuts=most_cuts) as proxy:
        assert read(f"{proxy.url}/a.gz", retries=5) == CONTENT
        assert proxy.cuts == most_cuts if not has_ranges else proxy.cuts


def test_without_ranges_and_versions_a_broken_connection_ends_the_file(web: WebServer) -> None:
    web.has_ranges, web.etags = False, "none"
    with CutConnections(web.url, cut_after=300_000) as proxy:
        host = proxy.url.removeprefix("http://")
        assert failure(f"{proxy.url}/a.gz", retries=5) == (
            f"cannot read {proxy.url}/a.gz: the connection to {host} broke, "
            "and the server has neither ranges nor versions to go on by"
        )


@pytest.mark.parametrize("etags", ["strong", "weak", "none"])
@pytest.mark.parametrize("has_ranges", [True, False])
def test_a_file_that_changes_is_never_mixed(web: WebServer, etags: str, has_ranges: bool) -> None:
    web.etags, web.has_ranges = etags, has_ranges
    web.headers["Last-Modified"] = MODIFIED
    store, file = listed(f"{web.url}/a.gz")
    with store.open(file) as stream:
        assert stream.read(SHORTEST) == CONTENT[:SHORTEST]
        web.content, web.headers["Last-Modified"] = CONTENT[::-1], MODIFIED.replace("10", "11")
        with pytest.raises(SourceFailed, match=f"^{file.name} changed since it was listed"):
            stream.read() if has_ranges else store.open(file).read()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_failure_that_passes_is_tried_again(web: WebServer, status: int) -> None:
    web.status, web.failures = status, 2
    assert read(f"{web.url}/a.gz") == CONTENT


SAID = {
    401: "access denied (401); a signed link may have expired",
    404: "there is no such file (404)",
    410: "there is no such file (410)",
    418: "{host} answered 418",
    500: "{host} answered 500",
}


@pytest.mark.parametrize("status", SAID)
def test_an_answer_that_is_no_file(web: WebServer, status: int) -> None:
    web.status = status
    why = SAID[status].format(host=web.url.removeprefix("http://"))
    assert failure(f"{web.url}/a.gz?sig=s3cret") == f"cannot read {web.url}/a.gz: {why}"


def test_a_server_that_cannot_be_reached() -> None:
    said = failure("http://127.0.0.1:1/a.gz?sig=s3cret")
    assert said == "cannot read http://127.0.0.1:1/a.gz: cannot reach 127.0.0.1:1: Connection refused"


def test_redirects_lead_to_safe_places_only(web: WebServer) -> None:
    web.redirects = {"/here": "/there", "/out": "http://acme.example/a.gz?sig=s3cret", "/round": "/round"}
    assert read(f"{web.url}/here") == CONTENT
    assert failure(f"{web.url}/out") == f"cannot read {web.url}/out: it redirects to http"
    assert failure(f"{web.url}/round") == f"cannot read {web.url}/round: it redirects in a circle"
    assert failure("http://acme.example/a.gz?sig=s3cret") == "cannot read http://acme.example/a.gz: write https://"


def test_a_look_at_the_beginning_fetches_little(web: WebServer) -> None:
    store, file = listed(f"{web.url}/a.gz")
    with store.open(file) as stream:
        assert stream.read(65536) == CONTENT[:65536]
    assert web.asked == [("/a.gz", "bytes=0-0"), ("/a.gz", f"bytes=0-{SHORTEST - 1}")]


def test_urls_that_differ_only_in_their_query_are_refused_together(web: WebServer, folder: Folder) -> None:
    """The journal and the results could not tell them apart."""
    web.content = b"{}"
    done = folder.sfmap("run", f"{web.url}/export?day=1", f"{web.url}/export?day=2")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"two URLs differ only after {web.url}/export: name them one at a time" in done.stderr
