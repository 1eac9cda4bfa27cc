"""Zip files: their members in natural order, each read to its end."""

import bz2
import gzip
import io
import os
import zipfile
from collections.abc import Mapping

import pytest

from sfmap.engine.sources.formats.beginning import is_zip
from sfmap.engine.sources.formats.zip_members import ZipMembers, zip_members
from sfmap.engine.sources.rows import FileDamaged, WrongShape

TEXT = b"".join(b'{"number": %d}\n' % number for number in range(30_000))
DEFLATED, STORED = zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED


def packed(members: Mapping[str, bytes], compression: int = DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def opened(data: bytes) -> ZipMembers:
    return zip_members(io.BytesIO(data), "a.zip")


def test_members_come_in_natural_order_without_folders_and_what_macos_adds() -> None:
    names = ["b/10.json", "b/9.json", "b/", "__MACOSX/b/._9.json", ".DS_Store", "B.json", "b/9a.json"]
    found = opened(packed(dict.fromkeys(names, b"{}")))
    assert [(one.name, one.size) for one in found.members] == [
        ("B.json", 2),
        ("b/9.json", 2),
        ("b/9a.json", 2),
        ("b/10.json", 2),
    ]


@pytest.mark.parametrize("compression", [DEFLATED, STORED])
def test_members_are_unpacked_also_in_turns(compression: int) -> None:
    contents = {
        "1": TEXT,
        "2": gzip.compress(TEXT),
        "3": b"",
        "4": b"\0\0" + os.urandom(5_000),
        "5": bz2.compress(TEXT),
    }
    data = packed(contents, compression)
    assert is_zip(data)
    archive = opened(data)
    streams = [archive.open(member) for member in archive.members]
    first = [stream.read(10) for stream in streams]
    rest = [stream.read() for stream in streams]
    assert [a + b for a, b in zip(first, rest, strict=True)] == [TEXT, TEXT, b"", contents["4"], TEXT]
    again = archive.open(archive.members[0])
    again.seek(100_000)
    assert again.readline() == io.BytesIO(TEXT[100_000:]).readline()


@pytest.mark.parametrize("compression", [DEFLATED, STORED])
def test_a_damaged_member_gives_what_comes_before_the_damage_and_then_says_so(compression: int) -> None:
    data = bytearray(packed({"1": TEXT}, compression))
    checksum = data.index(b"PK\x01\x02") + 16
    data[checksum] ^= 1
    archive = opened(bytes(data))
    stream = archive.open(archive.members[0])
    assert b"".join(stream.readline() for _ in range(30_000)) == TEXT
    with pytest.raises(FileDamaged, match="is damaged"):
        stream.readline()


def test_a_cut_zip_file_says_so() -> None:
    data = packed({"1": TEXT})
    with pytest.raises(FileDamaged, match=r"has no list of its members at its end \(was the upload cut short\?\)"):
        opened(data[:-30])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"[Content_Types].xml": b"", "xl/workbook.xml": b""}, "an Office document, such as an Excel workbook"),
        ({"mimetype": b"", "META-INF/manifest.xml": b""}, "an OpenDocument file"),
    ],
)
def test_documents_are_to_be_saved_as_csv(members: dict[str, bytes], said: str) -> None:
    with pytest.raises(WrongShape, match=rf"cannot read a.zip: it is {said}.*: save it as CSV UTF-8"):
        opened(packed(members))


def test_an_encrypted_member_is_named() -> None:
    data = bytearray(packed({"b.json": TEXT}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(WrongShape, match=r"cannot read a.zip/b.json: it is encrypted: unpack a.zip first"):
        opened(bytes(data))


def test_a_rare_packing_is_named() -> None:
    archive = opened(packed({"b.json": TEXT}, zipfile.ZIP_LZMA))
    with pytest.raises(WrongShape, match=r"cannot read a.zip/b.json: it is packed in a rare way"):
        archive.open(archive.members[0])


def test_a_pipe_is_refused() -> None:
    out, into = os.pipe()
    os.close(into)
    with open(out, "rb") as pipe, pytest.raises(WrongShape, match="a zip file cannot be read from a pipe"):
        zip_members(pipe, "-")
