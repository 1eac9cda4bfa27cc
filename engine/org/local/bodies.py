"""Bodies of requests, whatever the protocol: bounded in size and in time, and unpacked."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request

LARGEST_REQUEST = 50 * 1024 * 1024
"""In bytes, packed or unpacked; the API's own limit is 50 MB."""
_BODY_SECONDS = 60.0


class Unreadable(Exception):
    """A body that is too large, or is not what its headers say; the message goes to the client."""


async def read_body(request: Request) -> bytes:
    """The body, unpacked if it is packed, and never more of it than the limit. Raises `Unreadable`."""
    unpack = (
        zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in request.headers.get("content-encoding", "") else None
    )
    received = 0
    parts: list[bytes] = []
    size = 0
    async for chunk in _timed(request):
        received += len(chunk)
        try:
            part = unpack.decompress(chunk, LARGEST_REQUEST - size + 1) if unpack else chunk
        except zlib.error:
            raise Unreadable("The request says it is gzip, and it is not.") from None
        size += len(part)
        if max(received, size) > LARGEST_REQUEST:
            raise Unreadable("The request is larger than 50 MB.")
        parts.append(part)
    return b"".join(parts)


async def _timed(request: Request) -> AsyncIterator[bytes]:
    """The body's chunks; a client that is too slow with them is given up."""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                yield chunk
    except TimeoutError:
        raise Unreadable(f"The request did not come within {_BODY_SECONDS:g} seconds.") from None
