"""Looks at the first bytes of a stream, which stay in it."""

import io
from typing import BinaryIO

from sfmap.engine.sources.rows import FileDamaged

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def is_zip(head: bytes) -> bool:
    """Whether a file is a zip file that begins so."""
    return head.startswith(_ZIP)


def beginning(stream: BinaryIO, most: int, least: int = 1) -> tuple[bytes, BinaryIO]:
    """Up to `most` first bytes, and the stream with all of its bytes.

    A stream that cannot seek, such as a pipe, is not waited for once it has given `least` bytes.
    """
    if stream.seekable():
        head = _read(stream, most)
        stream.seek(0)
        return head, stream
    if not isinstance(stream, io.BufferedReader):
        stream = io.BufferedReader(_Joined(b"", stream), most)
    try:
        head = stream.peek()[:most]
    except FileDamaged:  # the reader of the rows meets it again
        return b"", stream
    if not head or len(head) >= least:
        return head, stream
    head = _read(stream, least)
    return head, io.BufferedReader(_Joined(head, stream), most)


def read_some(stream: BinaryIO, most: int) -> bytes:
    """What is there already or comes next, at most so many bytes; nothing at the end.

    `read` would lose what it has if the stream turns out to be damaged after it.
    """
    data: bytes = getattr(stream, "read1", stream.read)(most)
    return data


def _read(stream: BinaryIO, most: int) -> bytes:
    """The next bytes, up to where the stream is damaged."""
    head = b""
    try:
        while len(head) < most and (data := read_some(stream, most - len(head))):
            head += data
    except FileDamaged:  # the reader of the rows meets it again
        pass
    return head


class _Joined(io.RawIOBase):
    """Bytes that were read, and then the rest of a stream."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._head[: len(buffer)] or read_some(self._rest, len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)
