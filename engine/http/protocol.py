"""uvicorn's HTTP with a bound on all that is no body, which it has not itself."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""Bytes of a request's first line, its headers and its trailers."""


class BoundedHttp(HttpToolsProtocol):
    """Breaks off a connection whose request has too large a head."""

    _head = 0
    """Bytes of the head so far."""
    _unread = 0
    """Bytes that have come since something was made of them: of one endless field."""

    def data_received(self, data: bytes) -> None:
        self._unread += len(data)
        super().data_received(data)
        if max(self._head, self._unread) > LARGEST_HEAD:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._head = 0
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
        super().on_message_complete()
