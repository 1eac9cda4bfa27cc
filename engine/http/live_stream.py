"""Server-sent events that say that something has changed; pages fetch what they show."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from sfmap.engine.http.pages import SAFE

_LOOK_SECONDS = 0.2
"""How often the stop signal is looked for."""
_PERIOD = 1.0
"""How often changes are looked for, and so the least time between two events."""
_BEAT_SECONDS = 15.0
"""How often something is sent in any case, so that a connection that is gone is noticed."""
_MOST = 100
"""The most streams at once."""
_HEADERS = {**SAFE, "X-Accel-Buffering": "no"}


class LiveStream:
    """The streams of one server. They end when it stops, so that an open page does not delay that."""

    def __init__(self, versions: Callable[[], Mapping[str, object]]) -> None:
        """`versions` gives for each thing that can change a value that changes with it; called on a thread."""
        self._versions = versions
        self._open = 0

    async def answer(self, request: Request) -> Response:
        if self._open >= _MOST:
            return PlainTextResponse("Too many pages follow this service.\n", 503, SAFE)
        return StreamingResponse(self._events(request), headers=_HEADERS, media_type="text/event-stream")

    async def _events(self, request: Request) -> AsyncIterator[str]:
        self._open += 1
        try:
            yield "retry: 2000\n\n"
            known = await run_in_threadpool(self._versions)
            looked = beat = time.monotonic()
            while not request.app.state.is_stopping():
                await asyncio.sleep(_LOOK_SECONDS)
                now = time.monotonic()
                if now - looked < _PERIOD:
                    continue
                looked = now
                versions = await run_in_threadpool(self._versions)
                for what in [what for what, version in versions.items() if known.get(what) != version]:
                    beat = now
                    yield f"event: changed\ndata: {json.dumps({'what': what})}\n\n"
                known = versions
                if now - beat > _BEAT_SECONDS:
                    beat = now
                    yield ": still here\n\n"
        finally:
            self._open -= 1
