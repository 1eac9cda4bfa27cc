"""Files in parts: the same events at the same places as in one piece."""

import gzip
from pathlib import Path

import pytest

from sfmap.engine.api.project import Project
from sfmap.engine.backfill.splits import count_lines, events_of, file_splits, numbered
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.wiring.source_opening import SourceOptions

LINES = [
    b'{"type": "identify", "userId": "1"}',
    b"",
    b'{"type": "identify", "userId": "' + b"x" * 300 + b'"}\r',
    b"junk",
    b'{"type": "track", "event": "A"}',
    b'{"type": "page"}',
]


def source_of(*files: Path) -> FileSource:
    source = Project(files[0].parent).open_events([str(file) for file in files], SourceOptions())
    assert isinstance(source, FileSource)
    return source


def in_parts(source: FileSource, size: int) -> list[Received]:
    splits = list(file_splits(source, size))
    lines = [0 if split.end is None else count_lines(source, split) for split in splits]
    return [received for split in numbered(splits, lines) for received in events_of(source, split)]


def places(events: list[Received]) -> list[tuple[object, ...]]:
    return [(one.file_index, one.line, one.end, one.raw, one.event, one.problem) for one in events]


@pytest.mark.parametrize("size", [1, 7, 40, 100, 350, 10_000])
@pytest.mark.parametrize("end", [b"\n", b""])
def test_lines_are_split_anywhere(tmp_path: Path, size: int, end: bytes) -> None:
    first, second = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    first.write_bytes(b"\xef\xbb\xbf" + b"\n".join(LINES) + end)
    second.write_bytes(b"\n".join(reversed(LINES)) + end)
    source = source_of(first, second)
    assert places(in_parts(source, size)) == places(list(source))
    assert (len(list(file_splits(source, size))) > 2) == (size < 10_000)


def test_packed_files_are_not_split(tmp_path: Path) -> None:
    packed = tmp_path / "a.ndjson.gz"
    packed.write_bytes(gzip.compress(b"\n".join(LINES * 50), 0))
    source = source_of(packed)
    assert len(list(file_splits(source, 100))) == 1
    assert places(in_parts(source, 100)) == places(list(source))


def test_an_empty_file_has_no_events(tmp_path: Path) -> None:
    empty = tmp_path / "a.ndjson"
    empty.write_bytes(b"")
    assert in_parts(source_of(empty), 100) == []
