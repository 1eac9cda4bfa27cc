"""Writes of several windows are under way at once, up to the number of connections."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import start_local_org

from ..folder import Folder, Identify

LOOKED_UP = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: traits.email
  LastName: {value: n/a}
  Company: {value: n/a}
  LeadSource: {value: Web, write: create}
"""
PROJECT = """\
orgs:
  org: {{login_url: "{url}", username: {username}, password: "${{PASSWORD}}", security_token: "${{TOKEN}}"}}
"""
SECRETS = {"PASSWORD": credentials.PASSWORD, "TOKEN": credentials.SECURITY_TOKEN}
PATIENCE = 60
"""Seconds after which writes are no longer kept waiting for others, and the test fails."""


class Gate(ThreadingHTTPServer):
    """Stands before an org, and lets writes through once so many of them have arrived."""

    daemon_threads = True

    def __init__(self, org: str, writes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.org = org
        self._together = threading.Barrier(writes)
        self.is_passed = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def wait(self) -> None:
        if self.is_passed:
            return
        try:
            self._together.wait(PATIENCE)
            self.is_passed = True
        except threading.BrokenBarrierError:
            return


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Gate

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
        if b":create>" in said or b":upsert>" in said:
            self.server.wait()
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        headers["X-Forwarded-Host"] = self.headers["Host"]
        answer = requests.post(self.server.org + self.path, body, headers=headers, timeout=PATIENCE)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, *_said: object) -> None:
        """Says nothing."""


@contextmanager
def gate(folder: Path, writes: int) -> Iterator[Gate]:
    with start_local_org(folder / "org.db") as org, Gate(org.url, writes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


@pytest.mark.parametrize(("connections", "mapping"), [(12, "upsert"), (14, "looked up")])
def test_the_next_windows_are_written_while_one_is(
    folder: Folder, tmp_path: Path, identify: Identify, connections: int, mapping: str
) -> None:
    """A window of 2,000 events has ten calls: more at once must be of several windows."""
    if mapping == "looked up":
        (folder.path / "mappings").mkdir()
        (folder.path / "mappings/lead.yaml").write_text(LOOKED_UP)
    events = [identify(f"p{number}@example.com") for number in range(200 * connections + 1_000)]
    folder.write("events.ndjson", events)
    with gate(tmp_path, connections) as server:
        (folder.path / "sfmap.yaml").write_text(PROJECT.format(url=server.url, username=credentials.USERNAME))
        options = ("--org", "org", "--connections", str(connections), "--report", "report.json")
        done = folder.sfmap("run", "events.ndjson", *options, environment=SECRETS)
    assert (done.returncode, server.is_passed) == (0, True), done.stderr
    assert folder.report()["created"] == len(events)
