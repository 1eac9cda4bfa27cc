"""Reads the members of zip files."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from sfmap.engine.sources.formats.beginning import read_some
from sfmap.engine.sources.formats.compression import Library, Member, Packing, deflate, unpacked, unpacked_by
from sfmap.engine.sources.natural_order import natural_key
from sfmap.engine.sources.positioned_stream import PositionedStream
from sfmap.engine.sources.rows import FileDamaged, WrongShape

_MEMBER = b"PK\x03\x04"
_HEADER = 30
"""Bytes of a member's header before its name."""
_OFFICE = {
    "[Content_Types].xml": "an Office document, such as an Excel workbook (.xlsx)",
    "META-INF/manifest.xml": "an OpenDocument file, such as a spreadsheet (.ods)",
}
_PACKING = Packing("zip", (b"",), lambda _: deflate())


class ZipMember(NamedTuple):
    """One file in a zip file."""

    name: str
    size: int
    """Its size, unpacked."""
    info: zipfile.ZipInfo


@dataclass(frozen=True, slots=True)
class ZipMembers:
    """The files in a zip file, in natural order: `2.json` before `10.json`."""

    stream: BinaryIO
    name: str
    """The name of the zip file, for messages."""
    members: tuple[ZipMember, ...]

    def open(self, member: ZipMember) -> BinaryIO:
        """Its bytes, unpacked again if it is packed itself. Raises `FileDamaged` or `WrongShape`."""
        info, name = member.info, f"{self.name}/{member.name}"
        packed = io.BufferedReader(_Slice(self.stream, self._start(info), info.compress_size))
        library = deflate()
        if info.compress_type == zipfile.ZIP_STORED:
            library = Library(_Stored, ValueError)
        elif info.compress_type != zipfile.ZIP_DEFLATED:
            raise WrongShape(f"cannot read {name}: it is packed in a rare way: unpack {self.name} first")
        checked = Library(lambda: _Checked(library, info), library.error)
        return unpacked(unpacked_by(checked, packed, _PACKING), name)

    def _start(self, info: zipfile.ZipInfo) -> int:
        """Where the packed bytes begin."""
        self.stream.seek(info.header_offset)
        header = self.stream.read(_HEADER)
        if len(header) < _HEADER or not header.startswith(_MEMBER):
            raise FileDamaged("is damaged (invalid data)")
        lengths = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        return info.header_offset + _HEADER + lengths


def zip_members(stream: BinaryIO, name: str) -> ZipMembers:
    """The members of a zip file. Raises `WrongShape` or `FileDamaged`."""
    if not stream.seekable():
        raise WrongShape(
            f"cannot read {name}: a zip file cannot be read from a pipe: unpack it, such as by funzip"
        )
    try:
        infos = zipfile.ZipFile(stream).infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise FileDamaged("has no list of its members at its end (was the upload cut short?)") from None
    if kind := next((_OFFICE[info.filename] for info in infos if info.filename in _OFFICE), None):
        raise WrongShape(f"cannot read {name}: it is {kind}: save it as CSV UTF-8")
    if encrypted := next((info.filename for info in infos if info.flag_bits & 1), None):
        raise WrongShape(f"cannot read {name}/{encrypted}: it is encrypted: unpack {name} first")
    members = (ZipMember(info.filename, info.file_size, info) for info in infos if not _is_skipped(info))
    return ZipMembers(stream, name, tuple(sorted(members, key=lambda member: natural_key(member.name))))


def _is_skipped(info: zipfile.ZipInfo) -> bool:
    """Whether it holds no data: a folder, or what macOS adds."""
    parts = info.filename.split("/")
    return info.is_dir() or parts[0] == "__MACOSX" or parts[-1] == ".DS_Store"


class _Slice(PositionedStream):
    """A part of a stream. Several can be read in turns."""

    def __init__(self, stream: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self._stream = stream
        self._start = start
        self._size = size

    def _end(self) -> int:
        return self._size

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._stream.seek(self._start + self._position)
        data = read_some(self._stream, max(0, min(len(buffer), self._size - self._position)))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


class _Stored:
    """A member that is not packed."""

    eof = False
    unused_data = b""

    def __init__(self) -> None:
        self._held = b""

    @property
    def needs_input(self) -> bool:
        return not self._held

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        held = self._held + data
        self._held = held[max_length:]
        return held[:max_length]


class _Checked:
    """A member whose size and checksum must be those of the list of members, once all of its bytes are given."""

    unused_data = b""

    def __init__(self, library: Library, info: zipfile.ZipInfo) -> None:
        self._inner: Member = library.begin()
        self._error = library.error
        self._info = info
        self._left = info.file_size
        self._checksum = 0
        self.eof = False

    @property
    def needs_input(self) -> bool:
        return not self._is_whole and self._inner.needs_input

    @property
    def _is_whole(self) -> bool:
        return self._inner.eof or self._left <= 0

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        if self._is_whole:
            self.eof = True
            if self._left or self._checksum != self._info.CRC:
                raise self._error("wrong checksum")
            return b""
        given = self._inner.decompress(data, max_length)
        self._left -= len(given)
        self._checksum = zlib.crc32(given, self._checksum)
        return given
