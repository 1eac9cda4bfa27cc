"""What the workbench writes: the project's own files, whole, and only if nobody else has changed them."""

from pathlib import Path

import pytest

from .dev import ANA, MAPPING, project, started

LEAD = "mappings/lead.yaml"


def test_a_file_is_saved_and_has_a_new_etag(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    (folder.path / LEAD).chmod(0o640)
    with started(folder) as dev:
        first = dev.read(LEAD)
        saved = dev.save(LEAD, MAPPING + "# more\n", first["etag"])
        assert (saved.status, saved.said["etag"]) == (200, dev.read(LEAD)["etag"])
    assert (folder.path / LEAD).read_text() == MAPPING + "# more\n"
    assert (folder.path / LEAD).stat().st_mode & 0o777 == 0o640
    assert [path.name for path in (folder.path / "mappings").iterdir()] == ["lead.yaml"]


def test_what_another_program_has_written_is_not_overwritten(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    with started(folder) as dev:
        first = dev.read(LEAD)
        (folder.path / LEAD).write_text("theirs\n")
        told = dev.save(LEAD, "mine\n", first["etag"])
        assert (told.status, told.said["text"]) == (409, "theirs\n")
        assert (folder.path / LEAD).read_text() == "theirs\n"
        assert dev.save(LEAD, "mine\n", told.said["etag"]).status == 200
        (folder.path / LEAD).unlink()
        gone = dev.save(LEAD, "mine\n", first["etag"])
        assert gone.status in (409, 422)
        assert not (folder.path / LEAD).exists()


def test_a_file_is_not_saved_without_its_etag(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    with started(folder) as dev:
        assert dev.ask("PUT", f"/api/file?path={LEAD}", {"text": "mine"}).status == 428
    assert (folder.path / LEAD).read_text() == MAPPING


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        (b"a\r\nb\r\n", "a\nc\nb\n", b"a\r\nc\r\nb\r\n"),
        (b"\xef\xbb\xbfa\nb", "a\nc", b"\xef\xbb\xbfa\nc"),
        (b"a\r\nb\nc\r\n", "a\nb\nnew\nc\n", b"a\r\nb\nnew\r\nc\r\n"),
        (b"a\rb\r", "a\nx\n", b"a\rx\r"),
        (b"", "a\n", b"a\n"),
    ],
    ids=["CRLF", "byte order mark", "both line ends", "CR", "empty"],
)
def test_line_ends_and_the_byte_order_mark_stay(tmp_path: Path, before: bytes, text: str, after: bytes) -> None:
    folder = project(tmp_path / "p")
    (folder.path / LEAD).write_bytes(before)
    with started(folder) as dev:
        first = dev.read(LEAD)
        assert "\r" not in first["text"]
        assert dev.save(LEAD, first["text"], first["etag"]).status == 200
        assert (folder.path / LEAD).read_bytes() == before
        assert dev.save(LEAD, text, first["etag"]).status == 200
    assert (folder.path / LEAD).read_bytes() == after


def test_a_new_mapping_and_a_new_sample_are_made(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    with started(folder) as dev:
        made = dev.post("/api/file", path="mappings/contact.yaml")
        assert "fields:" in dev.read(made["path"])["text"]
        again = dev.ask("POST", "/api/file", {"path": "mappings/contact.yaml"})
        assert (again.status, "already" in again.said["error"]) == (422, True)
        added = dev.post("/api/samples", event={**ANA, "messageId": "ana 2"}, file="tests/events/samples.ndjson")
        assert added == {"id": "tests/events/samples.ndjson::ana 2"}
        assert [one["id"] for one in dev.get("/api/samples")][-1] == added["id"]
        new = dev.post("/api/samples", event=ANA, file="tests/events/caught.ndjson")
        assert new == {"id": "tests/events/caught.ndjson::ana"}


def test_snapshots_are_accepted_as_sfmap_test_does(tmp_path: Path) -> None:
    folder = project(tmp_path / "p")
    with started(folder) as dev:
        assert dev.post("/api/render-all", files={})["snapshots"] == 2
        told = dev.post("/api/snapshots/accept")
        assert told["accepted"], told
        assert dev.post("/api/render-all", files={})["snapshots"] == 0
        changed = {LEAD: MAPPING.replace("Acme", "Ajax")}
        assert dev.post("/api/render-all", files=changed)["snapshots"] == 1
    assert folder.sfmap("test").returncode == 0
