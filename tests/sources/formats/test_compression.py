"""Packed files: everything before the end or the damage is read, whatever the file is called."""

import bz2
import gzip
import io
import lzma
import os
import sys
from collections.abc import Callable
from importlib import import_module
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.sources.extras import ExtraMissing
from sfmap.engine.sources.formats.compression import unpacked
from sfmap.engine.sources.rows import FileDamaged
from sfmap.tests.examples import one_in

zstd = import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
CHECKSUM = {zstd.CompressionParameter.checksum_flag: 1}

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": lambda data: bytes(zstd.compress(data, options=CHECKSUM)),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}
WITHOUT_ISAL = "gzip, unpacked by the standard library"


def lines(number: int) -> bytes:
    dice = Random(3)
    return b"".join(b'{"number": %d, "text": "%d"}\n' % (n, dice.getrandbits(90)) for n in range(number))


LINES = lines(9_000)


@pytest.fixture(params=[*PACKERS, WITHOUT_ISAL])
def packing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == WITHOUT_ISAL:
        monkeypatch.setitem(sys.modules, "isal.igzip_lib", None)
        return "gzip"
    return str(request.param)


def read(packed: bytes) -> tuple[bytes, str]:
    """All whole lines before the end or the damage, and the damage."""
    stream = unpacked(io.BytesIO(packed), "a.log")
    read = []
    try:
        while line := stream.readline():
            read.append(line)
    except FileDamaged as damage:
        return b"".join(read), damage.message
    return b"".join(read), ""


def whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def test_a_packed_file_is_unpacked(packing: str) -> None:
    assert read(PACKERS[packing](LINES)) == (LINES, "")


def test_a_plain_file_is_itself() -> None:
    for data in (b"", b"{", b"BZh9 is how a text may begin\n", b"[*", b"\x1f", b"(\xb5", LINES):
        stream = io.BytesIO(data)
        assert unpacked(stream, "a.json.gz") is stream
        assert stream.read() == data


def test_members_are_joined_and_zeros_after_them_are_ignored(packing: str) -> None:
    pack = PACKERS[packing]
    parts = [LINES[:1_000], b"", LINES[1_000:1_001], LINES[1_001:]]
    packed = b"".join(map(pack, parts))
    assert read(packed) == (LINES, "")
    assert read(packed + b"\0" * 70_000) == (LINES, "")
    many = b"".join(pack(line) for line in lines(2_000).splitlines(keepends=True))
    assert read(many) == (lines(2_000), "")


def test_a_skippable_frame_of_zstd_is_skipped() -> None:
    frame = b"\x53\x2a\x4d\x18\x04\0\0\0{}{}"
    assert read(frame + PACKERS["zstd"](LINES) + frame) == (LINES, "")


@pytest.mark.parametrize("outer", PACKERS)
def test_a_file_may_be_packed_twice(packing: str, outer: str) -> None:
    twice = PACKERS[outer](PACKERS[packing](LINES))
    assert read(twice) == (LINES, "")
    text, damage = read(twice[:-40])
    assert LINES.startswith(text)
    assert "ends in the middle of" in damage
    assert read(gzip.compress(twice))[0] != LINES


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.99])
def test_a_cut_file_gives_all_that_was_there_and_then_says_so(packing: str, kept: float) -> None:
    packed = PACKERS[packing](LINES)
    cut = packed[: max(10, int(len(packed) * kept))]
    text, damage = read(cut)
    assert damage == f"ends in the middle of {packing} data (was the upload cut short?)"
    assert text == whole_lines(unpacked_by_single_bytes(packing, cut))


def unpacked_by_single_bytes(packing: str, packed: bytes) -> bytes:
    """What the standard library unpacks of a cut or damaged member."""
    import zlib

    member = {
        "gzip": lambda: zlib.decompressobj(31),
        "zstd": zstd.ZstdDecompressor,
        "bz2": bz2.BZ2Decompressor,
        "xz": lzma.LZMADecompressor,
    }[packing]()
    found = bytearray()
    try:
        for byte in packed:
            found += member.decompress(bytes((byte,)))
    except (OSError, lzma.LZMAError, zlib.error, zstd.ZstdError):
        pass
    return bytes(found)


def test_a_cut_before_the_next_member_is_a_cut(packing: str) -> None:
    packed = PACKERS[packing](LINES)
    for size in (1, 3, 11):
        assert read(packed + packed[:size]) == (
            LINES,
            f"ends in the middle of {packing} data (was the upload cut short?)",
        )


@pytest.mark.parametrize("place", [20, 0.2, 0.7, -6])
def test_a_damaged_file_gives_what_comes_before_the_damage_and_then_says_so(packing: str, place: float) -> None:
    packed = bytearray(PACKERS[packing](LINES))
    at = int(len(packed) * place) if isinstance(place, float) else int(place)
    packed[at] ^= 0x10
    text, damage = read(bytes(packed))
    assert damage == "is damaged (invalid data)"
    if packing == "gzip":
        assert text == whole_lines(unpacked_by_single_bytes(packing, bytes(packed)))


def test_other_data_after_the_end_is_damage(packing: str) -> None:
    for garbage in (b"x", b"\0\0garbage", LINES, b"\x1f\x8b", b"\xfd7zX\0"):
        text, damage = read(PACKERS[packing](LINES) + garbage)
        assert text == LINES
        assert damage in (
            f"has other data after the end of its {packing} data",
            f"ends in the middle of {packing} data (was the upload cut short?)",
            "is damaged (invalid data)",
        )


def test_the_damage_is_met_each_time(packing: str) -> None:
    stream = unpacked(io.BytesIO(PACKERS[packing](LINES)[:-20]), "a")
    for _ in range(3):
        with pytest.raises(FileDamaged):
            stream.seek(10**9)


@one_in(4)
@given(st.lists(st.integers(0, len(LINES) + 9), min_size=1, max_size=5), st.sampled_from(list(PACKERS)))
def test_an_unpacked_file_seeks_anywhere(offsets: list[int], packing: str) -> None:
    stream = unpacked(io.BytesIO(PACKERS[packing](LINES)), "a")
    for offset in offsets:
        stream.seek(offset)
        assert stream.readline() == io.BytesIO(LINES[offset:]).readline()


def test_a_pipe_is_unpacked_as_it_comes(packing: str) -> None:
    packed = PACKERS[packing](lines(20))
    out, into = os.pipe()
    with open(out, "rb") as reader, open(into, "wb", buffering=0) as writer:
        writer.write(packed[:1])
        writer.write(packed[1:])
        writer.close()
        assert unpacked(reader, "-").read() == lines(20)


def test_a_plain_pipe_is_not_waited_for() -> None:
    out, into = os.pipe()
    with open(out, "rb") as reader, open(into, "wb", buffering=0) as writer:
        writer.write(b"{}\n")
        stream = unpacked(reader, "-")
        assert stream is reader
        assert stream.readline() == b"{}\n"
        writer.write(b"[]\n")
        assert stream.readline() == b"[]\n"


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfmap.engine.sources.formats.compression._BOMB_SIZE", 4 * 1024 * 1024)
    small = zstd.compress(b"x" * 3 * 1024 * 1024)
    bomb = zstd.compress(b"x" * 64 * 1024 * 1024)
    assert size_until_damage(small) == (3 * 1024 * 1024, "")
    for packed in (bomb, gzip.compress(gzip.compress(b"x" * 64 * 1024 * 1024))):
        size, damage = size_until_damage(packed)
        assert damage == "unpacks to more than 1,000 times its size, so it is not read further"
        assert size < 6 * 1024 * 1024


def size_until_damage(packed: bytes) -> tuple[int, str]:
    stream = unpacked(io.BytesIO(packed), "a")
    size = 0
    try:
        while data := stream.read(64 * 1024):
            size += len(data)
    except FileDamaged as damage:
        return size, damage.message
    return size, ""


def test_a_file_that_asks_for_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfmap.engine.sources.formats.compression._MOST_MEMORY", 8 * 1024 * 1024)
    wide = zstd.compress(LINES, options={zstd.CompressionParameter.window_log: 30})
    for packed in (lzma.compress(LINES, preset=9), b"".join((wide[:4], b"\x00\xa0", wide[6:]))):
        assert read(packed) == (b"", "needs too much memory to unpack: pack it with a smaller window")
    assert read(lzma.compress(LINES, preset=1)) == (LINES, "")


def test_a_missing_library_is_said() -> None:
    pytest.importorskip("backports.zstd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "backports.zstd", None)
        with pytest.raises(ExtraMissing, match=r"cannot read a\.zst: it is packed with zstd.*pip install"):
            unpacked(io.BytesIO(PACKERS["zstd"](b"{}")), "a.zst")


def test_reading_twice_as_much_takes_twice_the_steps(packing: str) -> None:
    def steps(data: bytes) -> int:
        counted = _Counted(PACKERS[packing](data))
        stream = unpacked(counted, "a")
        while stream.readline():
            pass
        return counted.reads

    assert steps(LINES * 8) <= 2 * steps(LINES * 4) + 2


class _Counted(io.BytesIO):
    reads = 0

    def read1(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        return super().read1(-1 if size is None else size)
