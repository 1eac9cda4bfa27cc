"""Unpacks gzip, zstd, bz2 and xz, whatever a file is called."""

import io
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import BinaryIO, Protocol

from sfmap.engine.messages.hints import pip_install
from sfmap.engine.sources.extras import ExtraMissing
from sfmap.engine.sources.formats.beginning import beginning, read_some
from sfmap.engine.sources.rows import FileDamaged

_DEEPEST = 2
"""How often a file may be packed."""
_PIECE = 64 * 1024
_BUFFER = 256 * 1024
_BOMB_SIZE = 1024**3
_BOMB_RATIO = 1_000
_MOST_MEMORY = 160 * 1024 * 1024
"""What an xz file may ask for; `xz -9` asks for 65 MiB."""


def unpacked(stream: BinaryIO, name: str) -> BinaryIO:
    """The unpacked bytes of a file: the stream itself if it is not packed.

    Reading it raises `FileDamaged` after everything before the damage. It seeks by reading on; backward it starts
    again, if the stream can seek. `name` is for messages. Raises `ExtraMissing`.
    """
    for _ in range(_DEEPEST):
        head, stream = beginning(stream, _LONGEST_MAGIC)
        if head and any(magic.startswith(head) for packing in _PACKINGS for magic in packing.magics):
            head, stream = beginning(stream, _LONGEST_MAGIC, _LONGEST_MAGIC)
        packing = packing_of(head)
        if not packing:
            break
        stream = unpacked_by(packing.library(name), stream, packing)
    return stream


def unpacked_by(library: "Library", stream: BinaryIO, packing: "Packing") -> BinaryIO:
    """The unpacked bytes of members that lie one after the other."""
    return io.BufferedReader(_Unpacked(stream, packing, library), _BUFFER)


def packing_of(head: bytes) -> "Packing | None":
    """How a file is packed that begins so."""
    return next((one for one in _PACKINGS if head.startswith(one.magics)), None)


class Member(Protocol):
    """Unpacks one member of a file, as `bz2.BZ2Decompressor` does."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Library:
    """What unpacks members of one kind, and what it raises if they are damaged."""

    begin: Callable[[], Member]
    error: type[Exception]


@dataclass(frozen=True, slots=True)
class Packing:
    """One way to pack files."""

    name: str
    magics: tuple[bytes, ...]
    """How its members begin."""
    library: Callable[[str], Library]
    """Imports what unpacks the named file. Raises `ExtraMissing`."""


class _Unpacked(io.RawIOBase):
    """The members of a packed file, one after the other."""

    def __init__(self, packed: BinaryIO, packing: Packing, library: Library) -> None:
        self._packed = packed
        self._packing = packing
        self._library = library
        self._is_second_attempt = False
        self._small_from = sys.maxsize
        self._begin()

    def _begin(self) -> None:
        self._position = 0
        self._read = 0
        self._rest = b""
        self._member: Member | None = None
        self._damage = ""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._packed.seekable()

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the size of a packed file is not known")
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position:
            self._packed.seek(0)
            self._begin()
        while self._position < target and self._next(min(_BUFFER, target - self._position)):
            pass
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._next(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._packed.close()
        super().close()

    @property
    def packed_size(self) -> int:
        """How much of the file itself was read: of the outer file, if it is packed twice."""
        inner = getattr(self._packed, "raw", None)
        return inner.packed_size if isinstance(inner, _Unpacked) else self._read

    def _next(self, most: int) -> bytes:
        """The next bytes; empty at the end. Raises `FileDamaged`, every time."""
        if self._damage:
            raise FileDamaged(self._damage)
        try:
            data = b""
            while not data and (member := self._open_member()):
                data = self._step(member, most)
            self._position += len(data)
            self._check_ratio()
        except FileDamaged as error:
            self._damage = error.message
            raise
        return data

    def _open_member(self) -> Member | None:
        """The member that is being read, or the next one; None at the end."""
        member = self._member
        if member and not member.eof:
            return member
        rest = member.unused_data if member else b""
        padding = b"\0" if member else b""
        rest = rest.lstrip(padding)
        while len(rest) < _LONGEST_MAGIC and (data := self._read_packed()):
            rest = (rest + data).lstrip(padding)
        if not rest:
            return None
        if not any(rest.startswith(magic) or magic.startswith(rest) for magic in self._packing.magics):
            raise FileDamaged(f"has other data after the end of its {self._packing.name} data")
        self._rest = rest
        self._member = self._library.begin()
        return self._member

    def _step(self, member: Member, most: int) -> bytes:
        """What the next piece of a member gives, which may be nothing yet."""
        piece = self._rest
        self._rest = b""
        if not piece and member.needs_input and not (piece := self._read_packed()):
            raise FileDamaged(f"ends in the middle of {self._packing.name} data (was the upload cut short?)")
        try:
            return member.decompress(piece, most)
        except self._library.error as error:
            if self._is_second_attempt or not self._packed.seekable():
                raise _damage(error) from None
            self._begin_second_attempt()
            return b""

    def _begin_second_attempt(self) -> None:
        """Returns to the position before the damage, and feeds the last piece byte by byte.

        A step that fails takes with it all that it had unpacked of its piece.
        """
        position = self._position
        self._is_second_attempt = True
        self._small_from = max(0, self._read - _PIECE)
        self._packed.seek(0)
        self._begin()
        self.seek(position)

    def _read_packed(self) -> bytes:
        before = self._small_from - self._read
        data = read_some(self._packed, min(_PIECE, before) if before > 0 else 1)
        self._read += len(data)
        return data

    def _check_ratio(self) -> None:
        if self._position > _BOMB_SIZE and self._position > _BOMB_RATIO * self.packed_size:
            raise FileDamaged(f"unpacks to more than {_BOMB_RATIO:,} times its size, so it is not read further")


def _damage(error: Exception) -> FileDamaged:
    if "memory" in str(error).lower():
        return FileDamaged("needs too much memory to unpack: pack it with a smaller window")
    return FileDamaged("is damaged (invalid data)")


class _ZlibMember:
    """A gzip or deflate member, unpacked by the standard library."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        unpacked = self._inner.decompress(self._inner.unconsumed_tail + data, max_length)
        self.needs_input = not self._inner.unconsumed_tail and len(unpacked) < max_length
        return unpacked


def _gzip(_: str) -> Library:
    try:
        isal = import_module("isal.igzip_lib")
    except ImportError:
        return Library(partial(_ZlibMember, zlib.MAX_WBITS | 16), zlib.error)
    return Library(partial(isal.IgzipDecompressor, flag=isal.DECOMP_GZIP), isal.IsalError)


def deflate() -> Library:
    """What unpacks the members of zip files."""
    try:
        isal = import_module("isal.igzip_lib")
    except ImportError:
        return Library(partial(_ZlibMember, -zlib.MAX_WBITS), zlib.error)
    return Library(partial(isal.IgzipDecompressor, flag=isal.DECOMP_DEFLATE), isal.IsalError)


def _zstd(name: str) -> Library:
    module = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        zstd = import_module(module)
    except ImportError:
        raise ExtraMissing(
            f"cannot read {name}: it is packed with zstd, which needs a library: {pip_install('backports.zstd')}"
        ) from None
    return Library(zstd.ZstdDecompressor, zstd.ZstdError)


def _bz2(_: str) -> Library:
    import bz2

    return Library(bz2.BZ2Decompressor, OSError)


def _xz(_: str) -> Library:
    import lzma

    return Library(partial(lzma.LZMADecompressor, lzma.FORMAT_XZ, _MOST_MEMORY), lzma.LZMAError)


_BZ2_BLOCKS = (b"\x31\x41\x59\x26\x53\x59", b"\x17\x72\x45\x38\x50\x90")
_PACKINGS = (
    Packing("gzip", (b"\x1f\x8b\x08",), _gzip),
    Packing("zstd", (b"\x28\xb5\x2f\xfd", *(bytes((0x50 + n,)) + b"\x2a\x4d\x18" for n in range(16))), _zstd),
    Packing("bz2", tuple(b"BZh%d" % level + block for level in range(1, 10) for block in _BZ2_BLOCKS), _bz2),
    Packing("xz", (b"\xfd7zXZ\0",), _xz),
)
_LONGEST_MAGIC = 10
