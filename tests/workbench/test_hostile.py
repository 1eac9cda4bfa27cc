"""Who may not ask, and which files are never read or written."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from .dev import ANA, MAPPING, Dev, project, started


@pytest.fixture(name="dev", scope="module")
def dev_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    top = tmp_path_factory.mktemp("top")
    folder = project(top / "p")
    (top / "outside.yaml").write_text("outside: hunter2\n")
    (folder.path / "secrets.env").write_text("PASSWORD=hunter2\n")
    (folder.path / "mappings" / "link.yaml").symlink_to(top / "outside.yaml")
    (folder.path / "mappings" / "secrets.yaml").symlink_to(folder.path / "secrets.env")
    (folder.path / "mappings" / "notes.txt").write_text("hunter2\n")
    (folder.path / "tests" / "events" / "link.ndjson").symlink_to(folder.path / "secrets.env")
    (folder.path / "tests" / "events" / "more").symlink_to(top)
    (folder.path / ".sfmap").mkdir()
    (folder.path / ".sfmap" / "journal.yaml").write_text("hunter2\n")
    with started(folder) as dev:
        yield dev


OUTSIDE = [
    "../outside.yaml",
    "mappings/../../outside.yaml",
    "mappings/../secrets.env",
    "mappings/link.yaml",
    "mappings/secrets.yaml",
    "mappings/notes.txt",
    "tests/events/link.ndjson",
    "tests/events/more/outside.yaml",
    "secrets.env",
    ".sfmap/journal.yaml",
    ".git/config",
    "/etc/passwd",
    "mappings/lead.yaml\0",
    "./mappings/lead.yaml",
    "mappings//lead.yaml",
    "MAPPINGS/lead.yaml",
    "..\\outside.yaml",
    "",
    "x" * 100_000,
]


@pytest.mark.parametrize("name", OUTSIDE, ids=lambda name: repr(name)[:40])
def test_other_files_are_neither_read_nor_written(dev: Dev, name: str) -> None:
    short = name[:2_000]  # of an address; a body may be longer
    asked = [
        dev.ask("GET", f"/api/file?path={quote(short)}"),
        dev.save(short, "mine", "0" * 32),
        dev.ask("POST", "/api/file", {"path": name, "text": "mine"}),
        dev.ask("POST", "/api/check", {"files": {name: "mine"}}),
        dev.ask("POST", "/api/samples", {"event": ANA, "file": name}),
    ]
    assert [(told.status, "hunter2" in str(told.said)) for told in asked] == [(422, False)] * 5
    assert all(len(told.said["error"]) < 600 for told in asked)


def test_nothing_was_written(dev: Dev) -> None:
    top = dev.folder.path.parent
    assert (top / "outside.yaml").read_text() == "outside: hunter2\n"
    names = sorted(path.name for path in (dev.folder.path / "mappings").iterdir())
    assert names == ["lead.yaml", "link.yaml", "notes.txt", "secrets.yaml"]


@pytest.mark.parametrize(
    "name",
    [
        "new.yaml", "tests/new.yaml", "mappings/sub/new.yaml", "mappings/.hidden.yaml", "mappings/a b.yaml",
        "mappings/new.exe", "tests/events/__snapshots__/new.yaml", "tests/events/new.yaml", ".github/new.yaml",
        "mappings/new.yaml/../../../new.yaml",
    ],
)  # fmt: skip
def test_new_files_have_their_place_and_a_plain_name(dev: Dev, name: str) -> None:
    told = dev.ask("POST", "/api/file", {"path": name, "text": "mine"})
    assert told.status == 422
    assert not (dev.folder.path / name).exists()


ENDPOINTS = [
    ("GET", "/api/project"), ("GET", "/api/file?path=mappings/lead.yaml"),
    ("PUT", "/api/file?path=mappings/lead.yaml"), ("POST", "/api/file"), ("POST", "/api/check"),
    ("GET", "/api/samples"), ("POST", "/api/samples"),
    ("POST", "/api/render"), ("POST", "/api/render-all"), ("GET", "/api/objects"),
    ("GET", "/api/describe?object=Lead"), ("GET", "/api/paths"), ("GET", "/api/language"), ("GET", "/api/caught"),
    ("POST", "/api/snapshots/accept"), ("GET", "/api/stream"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ENDPOINTS, ids=lambda one: one)
def test_every_endpoint_wants_the_token_and_a_page_of_this_machine(dev: Dev, method: str, path: str) -> None:
    body: object = None if method == "GET" else {}
    assert dev.ask(method, path, body, Authorization="Bearer wrong").status == 403
    assert dev.ask(method, path, body, Authorization="").status == 403
    assert dev.ask(method, path, body, Host="rebound.example").status == 404
    assert dev.ask(method, path, body, Origin="https://evil.example").status == 404
    assert dev.ask(method, path, body, X_Forwarded_For="10.0.0.1").status == 404


def test_a_token_in_the_address_only_reads(dev: Dev) -> None:
    assert dev.ask("GET", f"/api/project?token={dev.token}", Authorization="").status == 200
    assert dev.ask("POST", f"/api/check?token={dev.token}", {}, Authorization="").status == 403


def test_it_listens_on_loopback_only(dev: Dev) -> None:
    port = urlsplit(dev.url).port
    assert port
    with socket.socket() as other:
        other.settimeout(2)
        own = socket.gethostbyname(socket.gethostname())
        if not own.startswith("127."):
            assert other.connect_ex((own, port)) != 0


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b"\xff\xfe", b'{"files": []}', b'{"files": {"mappings/lead.yaml": 1}}', b"[" * 5_000,
     b'{"files": null}', b"{}" + b" " * (17 * 1024 * 1024)],
    ids=["cut", "list", "null", "no UTF-8", "files a list", "no text", "deep", "files null", "large"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/check", "/api/render", "/api/render-all"])
def test_a_wrong_body_is_refused_with_a_sentence(dev: Dev, path: str, body: bytes) -> None:
    told = dev.ask("POST", path, body)
    assert told.status in (400, 413)
    assert told.said["error"]


@pytest.fixture(name="clean", scope="module")
def clean_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    with started(project(tmp_path_factory.mktemp("top") / "p")) as dev:
        yield dev


BROKEN = {
    "cut": MAPPING[:100],
    "half a key": MAPPING + "  Na",
    "open quote": MAPPING + '  Phone: "traits',
    "tabs": MAPPING.replace("  Email", "\tEmail"),
    "empty": "",
    "a list": "- a\n",
    "control characters": MAPPING + "\x00\x07",
    "half a character": MAPPING + "# \ud83d",
    "anchors": "a: &a [x]\nb: [*a, *a]\n" + MAPPING,
    "deep": "[" * 300,
    "long line": MAPPING + "# " + "x" * 1_000_000,
    "endless extends": "sfmap: 1\nextends: lead\nobject: Lead\n",
    "template": MAPPING + "  Phone: {template: '{{ 9999999 ** 999999 }}'}\n",
    "wrong path": MAPPING + "  Phone: traits[?(@.a =~ '.*')]\n",
    "emoji": MAPPING + "  Phone: {value: 🦊}\n",
    "unicode line ends": MAPPING + "# \u2028\x85\n",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_no_text_that_is_typed_breaks_a_check_or_a_rendering(clean: Dev, text: str) -> None:
    files = {"mappings/lead.yaml": text}
    sample = "tests/events/samples.ndjson::ana"
    clean.post("/api/render", files={}, sample=sample)
    assert isinstance(clean.post("/api/check", files=files)["diagnostics"], list)
    assert clean.post("/api/render", files=files, sample=sample)["results"]
    assert len(clean.post("/api/render-all", files=files)["samples"]) == 2


@pytest.mark.parametrize(
    "text", ["orgs: [", "mappings: nowhere\n", "orgs: {a: 1}\nuse: [x]\n", "\t", "nonsense: 1\n"]
)
def test_no_project_file_that_is_typed_breaks_a_check(clean: Dev, text: str) -> None:
    told = clean.ask("POST", "/api/check", {"files": {"sfmap.yaml": text}})
    assert told.status in (200, 422)
    assert clean.ask("GET", "/api/project").status == 200


@pytest.mark.parametrize(
    "event", [[], 7, "{", "[1]", None, {"type": 7}, {"type": "identify", "traits": 3}, {}], ids=repr
)
def test_any_event_is_rendered_or_refused(clean: Dev, event: object) -> None:
    told = clean.ask("POST", "/api/render", {"files": {}, "event": event})
    assert told.status in (200, 400, 422), told
    assert "error" in told.said or told.said["results"]


def test_a_stream_does_not_delay_the_end(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    with started(folder) as dev:
        where = urlsplit(dev.url)
        with socket.create_connection((where.hostname, where.port)) as stream:
            stream.sendall(f"GET /api/stream?token={dev.token} HTTP/1.1\r\nHost: {where.netloc}\r\n\r\n".encode())
            read = b""
            while b": open" not in read:
                read += stream.recv(4_096)
            (folder.path / "mappings" / "lead.yaml").write_text(MAPPING + "# more\n")
            while b'"what": "files"' not in read:
                read += stream.recv(4_096)
            os.kill(dev.process_id, 15)
            while stream.recv(4_096):
                pass
