"""Reads request bodies: decompressed, and limited in size and time."""

import asyncio
import zlib

from starlette.requests import Request

from sfmap.engine.errors import SfmapError
from sfmap.engine.http.protocol import IS_WHOLE

_BODY_SECONDS = 60.0
_MOST_MEMBERS = 16


class UnreadableBody(SfmapError):
    """A body that does not match its headers or does not arrive; the message goes to the client."""


class TooLarge(UnreadableBody):
    """A body over the limit, which is not read further."""


class NotSupported(UnreadableBody):
    """A body with an unsupported encoding."""


async def read_body(request: Request, largest: int) -> bytes:
    """The body, decompressed if needed, and never more than the limit in bytes.

    Raises `UnreadableBody`, and starlette's `ClientDisconnect`.
    """
    if int(request.headers.get("content-length", 0)) > largest:
        raise _too_large(largest)
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise NotSupported("The body's Content-Encoding is not supported; use gzip or none.")
    unpacking = _Gzip(largest) if encoding.endswith("gzip") else None
    if request.scope.get(IS_WHOLE):
        parts = await _parts(request, largest, unpacking)
    else:
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                parts = await _parts(request, largest, unpacking)
        except TimeoutError:
            raise UnreadableBody(f"The request did not arrive within {_BODY_SECONDS:g} seconds.") from None
    if unpacking:
        unpacking.check_complete()
    return b"".join(parts)


async def _parts(request: Request, largest: int, unpacking: "_Gzip | None") -> list[bytes]:
    received = 0
    parts: list[bytes] = []
    async for chunk in request.stream():
        received += len(chunk)
        if received > largest:
            raise _too_large(largest)
        parts.append(unpacking.unpacked(chunk) if unpacking else chunk)
    return parts


class _Gzip:
    """Decompresses a body piece by piece: one gzip member or several, never more than the limit in bytes."""

    def __init__(self, largest: int) -> None:
        self._largest = self._left = largest
        self._member = _gzip_member()
        self._members = 1

    def unpacked(self, chunk: bytes) -> bytes:
        parts = []
        while chunk:
            if self._member.eof:
                self._member = _gzip_member()
                self._members += 1
            if self._members > _MOST_MEMBERS:
                raise UnreadableBody("The gzip data of the request has too many members.")
            try:
                parts.append(self._member.decompress(chunk, self._left + 1))
            except zlib.error:
                raise UnreadableBody("The request is declared as gzip but is not valid gzip.") from None
            self._left -= len(parts[-1])
            if self._left < 0:
                raise _too_large(self._largest)
            chunk = self._member.unused_data
        return b"".join(parts)

    def check_complete(self) -> None:
        if not self._member.eof:
            raise UnreadableBody("The gzip data of the request is cut short.")


def _gzip_member() -> "zlib._Decompress":
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _too_large(largest: int) -> TooLarge:
    kilobytes = largest // 1024
    size = f"{kilobytes // 1024} MB" if kilobytes >= 1024 else f"{kilobytes} kB"
    return TooLarge(f"The request is larger than {size}.")
