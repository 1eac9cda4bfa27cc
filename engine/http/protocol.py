"""uvicorn's HTTP protocol with limits, and responses that arrive even while the client is still sending."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""The most bytes of a request's first line, headers and trailers."""
IS_WHOLE = "sfmap.is_whole"
"""In the scope of a request that has arrived as a whole."""
MOST_DISCARDED = 64 * 1024 * 1024
"""The most bytes read from a request that has already been answered."""


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection whose request has too large a head, or continues for too long after its response."""

    _head = 0
    """Bytes of the head so far."""
    _unread = 0
    """Bytes received since the parser last completed an element, such as of an endless header."""
    _is_receiving = False
    """Whether the request is still being received."""
    _discarded = 0
    """Bytes of the request received after its response."""
    _is_http = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        patient = _PatientTransport(transport, lambda: self._is_receiving)
        super().connection_made(cast(asyncio.Transport, patient))

    def data_received(self, data: bytes) -> None:
        if self._is_receiving and self._is_answered():
            self._discarded += len(data)
        if self._discarded > (MOST_DISCARDED if self._is_http else LARGEST_HEAD):
            self.transport.abort()
        if self.transport.is_closing():
            return
        self._unread += len(data)
        super().data_received(data)
        if max(self._head, self._unread) > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.abort()

    def _is_answered(self) -> bool:
        return self.transport.is_closing() or (self.cycle is not None and self.cycle.response_complete)

    def send_400_response(self, msg: str) -> None:
        self._is_http = False
        self._is_receiving = True  # the end of such a request is unknown
        super().send_400_response(msg)

    def on_message_begin(self) -> None:
        self._head = self._discarded = 0
        self._is_receiving = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._head += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head += len(name) + len(value)
        self._unread = 0
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unread = 0
        self._is_receiving = False
        cast(dict[str, object], self.scope)[IS_WHOLE] = True
        super().on_message_complete()


class _PatientTransport:
    """Closes after the client has: data still arriving would make the system discard a response not yet read.

    `Connections` closes clients that are silent for too long.
    """

    def __init__(self, transport: asyncio.Transport, is_receiving: Callable[[], bool]) -> None:
        self._transport = transport
        self._is_receiving = is_receiving
        self._is_waiting = False

    def close(self) -> None:
        if self._is_waiting or not self._is_receiving() or self._transport.is_closing():
            self._transport.close()
            return
        self._is_waiting = True
        if self._transport.can_write_eof():  # not with TLS
            self._transport.write_eof()
        self._transport.resume_reading()

    def is_closing(self) -> bool:
        return self._is_waiting or self._transport.is_closing()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
