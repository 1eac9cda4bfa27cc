"""Tells open pages that something has changed, by server-sent events (`live.js` follows them)."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sfmap.engine.http.pages import SAFE

_LOOK_EVERY = 0.5
"""Seconds after which a stream looks whether the server stops: an open page must not delay that."""
_SILENT = 15.0
"""Seconds after which a stream says that it is alive, so that a closed connection is noticed."""


class ChangeStream:
    """The streams of one server. Pages get what has changed by other requests."""

    def __init__(self, is_stopping: Callable[[], bool]) -> None:
        self._is_stopping = is_stopping
        self._streams: dict[asyncio.Queue[str], asyncio.AbstractEventLoop] = {}

    @property
    def has_readers(self) -> bool:
        return bool(self._streams)

    def publish(self, what: str) -> None:
        """Tells all pages that this has changed. Any thread may call it."""
        for queue, loop in list(self._streams.items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(queue.put_nowait, what)

    async def answer(self, _request: Request) -> Response:
        """The stream, which ends with the page or the server."""
        headers = {**SAFE, "X-Accel-Buffering": "no"}
        return StreamingResponse(self._events(), media_type="text/event-stream", headers=headers)

    async def _events(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._streams[queue] = asyncio.get_running_loop()
        silent = 0.0
        try:
            yield ": open\n\n"
            while not self._is_stopping():
                try:
                    first = await asyncio.wait_for(queue.get(), _LOOK_EVERY)
                except TimeoutError:
                    silent += _LOOK_EVERY
                    if silent >= _SILENT:
                        silent = 0.0
                        yield ": still open\n\n"
                    continue
                changed = dict.fromkeys([first, *(queue.get_nowait() for _ in range(queue.qsize()))])
                yield "".join(f"event: changed\ndata: {json.dumps({'what': what})}\n\n" for what in changed)
        finally:
            del self._streams[queue]
