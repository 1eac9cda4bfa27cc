"""Files on this machine: paths, folders and patterns."""

import os
import threading
from pathlib import Path

import pytest

from sfmap.engine.sources.event_source import SourceFailed
from sfmap.engine.sources.stores.listing_order import FileOrder
from sfmap.engine.sources.stores.local_files import LocalFiles

TREE = """
    logs/a2.json logs/a10.json logs/b[1].json logs/b1.json
    logs/2026/01/x.json.gz logs/2026/02/y.json.gz logs/2026/02/deep/z.json
    logs/_SUCCESS logs/.hidden.json logs/_temporary/0/part.json logs/.git/config logs/_day=1/r.parquet
    logs/sp ace.json logs/ü.json logs/100%.json logs/a#b?.json logs/empty.json
    *.json
"""

LISTED = {
    "logs/a2.json": "logs/a2.json",
    "./logs/a2.json": "./logs/a2.json",
    "logs/2026": "logs/2026/01/x.json.gz|logs/2026/02/deep/z.json|logs/2026/02/y.json.gz",
    "logs/2026/": "logs/2026/01/x.json.gz|logs/2026/02/deep/z.json|logs/2026/02/y.json.gz",
    "logs/2026/*/*": "logs/2026/01/x.json.gz|logs/2026/02/y.json.gz",
    "logs/2026/*/": "logs/2026/01/x.json.gz|logs/2026/02/deep/z.json|logs/2026/02/y.json.gz",
    "logs/2026/**": "logs/2026/01/x.json.gz|logs/2026/02/deep/z.json|logs/2026/02/y.json.gz",
    "logs/2026/**/*.json": "logs/2026/02/deep/z.json",
    "**/[xy].json.gz": "logs/2026/01/x.json.gz|logs/2026/02/y.json.gz",
    "logs/**/z.json": "logs/2026/02/deep/z.json",
    "logs/**/a2.json": "logs/a2.json",
    "logs/a*.json": "logs/a2.json|logs/a10.json|logs/a#b?.json",
    "logs/a?.json": "logs/a2.json",
    "logs/a[!0-1].json": "logs/a2.json",
    "logs/b[1].json": "logs/b[1].json",  # the file of that very name
    "logs/b[[]1[]].json": "logs/b[1].json",
    "logs/b[0-9].json": "logs/b1.json",
    "logs/_S*": "logs/_SUCCESS",
    "logs/.h*": "logs/.hidden.json",
    "logs/_*/**": "logs/_day=1/r.parquet|logs/_temporary/0/part.json",
    "logs/*=*/*": "logs/_day=1/r.parquet",
    "logs/sp ace.json": "logs/sp ace.json",
    "logs/ü.json": "logs/ü.json",
    "logs/100%.json": "logs/100%.json",
    "logs/a#b?.json": "logs/a#b?.json",
    "*.json": "*.json",
}


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, name in enumerate(part.strip() for line in TREE.split("\n") for part in _names(line)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if "empty" in name else b"x" * number)


def _names(line: str) -> list[str]:
    return [name.replace("\0", " ") for name in line.replace("sp ace", "sp\0ace").split()]


def listed(pattern: str) -> list[str]:
    return [file.name for file in LocalFiles().list(pattern)]


@pytest.mark.parametrize("pattern", LISTED)
def test_a_pattern_lists_files_in_order(pattern: str) -> None:
    assert listed(pattern) == LISTED[pattern].split("|")


def test_a_folder_lists_all_but_hidden_files_and_markers() -> None:
    everything = {name for line in TREE.split("\n") for name in _names(line)}
    left_out = {"logs/_SUCCESS", "logs/.hidden.json", "logs/_temporary/0/part.json", "logs/.git/config", "*.json"}
    assert set(listed("logs")) == everything - left_out
    assert set(listed("logs/**")) == everything - left_out
    assert set(listed(os.path.abspath("logs"))) == {os.path.abspath(name) for name in everything - left_out}


def test_files_come_with_size_and_time_of_change() -> None:
    (file,) = LocalFiles().list("logs/b1.json")
    known = os.stat("logs/b1.json")
    assert (file.size, file.modified, file.version) == (known.st_size, known.st_mtime, "")
    os.utime("logs/a10.json", (1, 1))
    by_time = LocalFiles(FileOrder.MODIFIED).list("logs/a*.json")
    assert by_time[0].name == "logs/a10.json"


MISSING = {
    "logs/a22.json": "cannot read logs/a22.json: no such file or folder; did you mean logs/a2.json?",
    "log/a2.json": "cannot read log/a2.json: no such file or folder; did you mean logs?",
    "nothing/like/it": "cannot read nothing/like/it: no such file or folder; the nearest that exists is *.json",
    "logs/2027/*.gz": "no file matches logs/2027/*.gz; the nearest that exists is logs/2026",
    "logs/*.csv": "no file matches logs/*.csv; the nearest that exists is logs/100%.json",
    "logs/a2.json/b": "cannot read logs/a2.json/b: no such file or folder; did you mean logs/a2.json?",
    "hollow": "no file matches hollow: the folder hollow is empty",
    "hollow/*": "no file matches hollow/*: the folder hollow/ is empty",
    "logs/[z-a].json": "no file matches logs/[z-a].json; the nearest that exists is logs/b[1].json",
}


@pytest.mark.parametrize("pattern", MISSING)
def test_no_file_is_an_error_that_names_the_nearest(pattern: str) -> None:
    Path("hollow").mkdir()
    with pytest.raises(SourceFailed) as failed:
        listed(pattern)
    assert str(failed.value) == MISSING[pattern]


def test_a_file_that_cannot_be_read() -> None:
    Path("logs/link.json").symlink_to("gone.json")
    with pytest.raises(SourceFailed, match=r"^cannot read logs/link.json: No such file or directory$"):
        listed("logs/link.json")
    (file,) = LocalFiles().list("logs/a2.json")
    Path("logs/a2.json").unlink()
    with pytest.raises(SourceFailed, match=r"^cannot read logs/a2.json: No such file or directory$"):
        LocalFiles().open(file)


def test_links_to_folders_are_followed_only_where_a_pattern_asks() -> None:
    Path("logs/2026/loop").symlink_to(Path("logs").absolute())
    Path("logs/2026/link.json").symlink_to(Path("logs/a2.json").absolute())
    assert listed("logs/2026/l*.json") == ["logs/2026/link.json"]
    assert "logs/2026/loop/a2.json" not in listed("logs")
    assert listed("logs/2026/loop/a2*") == ["logs/2026/loop/a2.json"]
    assert listed("logs/2026/*/a2.json") == ["logs/2026/loop/a2.json"]


def test_a_name_that_is_not_utf_8_can_be_printed_and_opened() -> None:
    with open(b"logs/caf\xe9.csv", "wb") as stream:
        stream.write(b"id\n")
    (file,) = LocalFiles().list("logs/caf*.csv")
    assert file.name == "logs/caf\\xe9.csv"
    with LocalFiles().open(file) as stream:
        assert stream.read() == b"id\n"
    assert listed(file.name) == [file.name]


def test_a_named_pipe_is_read_as_a_stream() -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(b"{}\n"))
    writer.start()
    (file,) = LocalFiles().list("pipe")
    with LocalFiles().open(file) as stream:
        assert not stream.seekable()
        assert stream.read() == b"{}\n"
    writer.join()


def test_the_bytes_of_a_file_can_be_sought() -> None:
    Path("a.json").write_bytes(b"0123456789")
    (file,) = LocalFiles().list("a.json")
    with LocalFiles().open(file) as stream:
        stream.seek(4)
        assert stream.read(2) == b"45"
