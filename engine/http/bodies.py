"""Bodies of requests, whatever the protocol: bounded in size and in time, and unpacked."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

LARGEST_REQUEST = 50 * 1024 * 1024
"""In bytes, packed or unpacked; the API's own limit is 50 MB."""
_BODY_SECONDS = 60.0


class Unreadable(Exception):
    """A body that is not what its headers say, or does not come; the message goes to the client."""


class TooLarge(Unreadable):
    """A body beyond the limit, of which nothing more is read."""


async def read_body(request: Request, largest: int = LARGEST_REQUEST) -> bytes:
    """The body, unpacked if it is packed, and never more of it than the limit in bytes.

    Raises `Unreadable`, and starlette's `ClientDisconnect`.
    """
    if int(request.headers.get("content-length", 0)) > largest:
        raise _too_large(largest)
    unpack = (
        zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in request.headers.get("content-encoding", "") else None
    )
    received = 0
    parts: list[bytes] = []
    size = 0
    async for chunk in _timed(request):
        received += len(chunk)
        try:
            part = unpack.decompress(chunk, largest - size + 1) if unpack else chunk
        except zlib.error:
            raise Unreadable("The request says it is gzip, and it is not.") from None
        size += len(part)
        if max(received, size) > largest:
            raise _too_large(largest)
        parts.append(part)
    return b"".join(parts)


def _too_large(largest: int) -> TooLarge:
    kilobytes = largest // 1024
    size = f"{kilobytes // 1024} MB" if kilobytes >= 1024 else f"{kilobytes} kB"
    return TooLarge(f"The request is larger than {size}.")


async def _timed(request: Request) -> AsyncIterator[bytes]:
    """The body's chunks; a client that is too slow with them is given up."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                yield chunk
    except TimeoutError:
        raise Unreadable(f"The request did not come within {_BODY_SECONDS:g} seconds.") from None
