"""A gate before a local org: it lets writes, or other calls, through once so many of them have arrived."""

import gzip
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import start_local_org

PROJECT = """\
orgs:
  org: {{login_url: "{url}", username: {username}, password: "${{PASSWORD}}", security_token: "${{TOKEN}}"}}
{more}"""
WRITES = b":create>", b":upsert>"
PATIENCE = 60
"""Seconds after which calls are no longer kept waiting for others, and the test fails."""


class Gate(ThreadingHTTPServer):
    """Stands before an org, and lets the calls that it keeps through once so many of them have arrived."""

    daemon_threads = True

    def __init__(self, org: str, records: Path, writes: int) -> None:
        super().__init__(("127.0.0.1", 0), _Passing)
        self.org = org
        self._records = records
        self._changed = threading.Condition()
        self._come = self._asked = 0
        self.keep(writes)

    def keep(self, writes: int, kept: Sequence[bytes] = WRITES) -> None:
        """Lets further writes, or calls that begin like this, wait until so many have arrived."""
        self.kept = kept
        self._together = threading.Barrier(writes)
        self.is_passed = False

    def let_through(self) -> None:
        """Lets the writes through that wait now, and none of those that come."""
        waiting = self._together
        self.keep(waiting.parties, self.kept)
        waiting.abort()

    def slow_down(self) -> None:
        """Has each write take a moment."""
        self.plays({"kind": "slow", "calls": "upsert", "seconds": 0.5})

    def plays(self, *faults: Mapping[str, object]) -> None:
        """Has the org play these faults."""
        assert requests.put(f"{self.org}/faults", json={"faults": faults}, timeout=PATIENCE).ok

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def set_up(self, folder: Path, more: str = "") -> None:
        """Writes the files of a project whose org `org` is behind the gate."""
        (folder / "sfmap.yaml").write_text(PROJECT.format(url=self.url, username=credentials.USERNAME, more=more))
        (folder / "secrets.env").touch(0o600)
        secrets = f"PASSWORD={credentials.PASSWORD}\nTOKEN={credentials.SECURITY_TOKEN}\n"
        (folder / "secrets.env").write_text(secrets)

    @property
    def come(self) -> int:
        """How many writes, or other calls that it keeps, have arrived."""
        return self._come

    def has_come(self, writes: int) -> bool:
        """Whether so many writes arrive in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._come >= writes, PATIENCE)

    def has_asked(self, queries: int) -> bool:
        """Whether so many queries are answered in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._asked >= queries, PATIENCE)

    def note_query(self) -> None:
        with self._changed:
            self._asked += 1
            self._changed.notify_all()

    def emails(self) -> int:
        """How many people the org has."""
        return self._count("DISTINCT Email")

    def leads(self) -> int:
        return self._count("*")

    def _count(self, what: str) -> int:
        with closing(sqlite3.connect(self._records)) as database:
            return int(database.execute(f"SELECT count({what}) FROM Lead").fetchone()[0])

    def open(self) -> None:
        """Lets all writes through."""
        self.is_passed = True
        self._together.abort()

    def wait(self) -> None:
        with self._changed:
            self._come += 1
            self._changed.notify_all()
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
        if any(name in said for name in self.server.kept):
            self.server.wait()
        headers = {name: value for name, value in self.headers.items() if name.lower() != "accept-encoding"}
        headers["X-Forwarded-Host"] = self.headers["Host"]
        answer = requests.post(self.server.org + self.path, body, headers=headers, timeout=PATIENCE)
        self.send_response(answer.status_code)
        self.send_header("Content-Type", answer.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)
        if b":query>" in said:
            self.server.note_query()

    def log_message(self, *_said: object) -> None:
        """Says nothing."""


@contextmanager
def running_gate(folder: Path, writes: int) -> Iterator[Gate]:
    records = folder / "org.db"
    with start_local_org(records) as org, Gate(org.url, records, writes) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
