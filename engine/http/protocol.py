"""uvicorn's HTTP with a bound on what comes before a body, which it has not itself."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's first line and headers."""


class BoundedHttp(HttpToolsProtocol):
    """Breaks off a connection whose request has too large a head."""

    _head = 0
    """Bytes of the head that has begun and is not complete, as far as they came in pieces of their own."""
    _in_head = True

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if self._in_head and self._head > LARGEST_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._head, self._in_head = 0, True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
