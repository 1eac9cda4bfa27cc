"""Writes events to disk before they are acknowledged; requests that arrive together share one write."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.dead_letter_store import DeadLetterRoom
from sfmap.engine.journal.spool import Spool

_MOST_AT_ONCE = 16 * 1024 * 1024
"""The largest transaction, in bytes."""
_DOUBTFUL_SECONDS = 30.0
"""How long requests are refused after a failed write; the next one then shows whether the disk works again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    source: str
    events: Sequence[bytes]
    size: int
    done: "asyncio.Future[None]"


class Acceptance:
    """Collects the next group of requests while one group is written. Use it from one event loop only."""

    def __init__(self, spool: Spool, letters: DeadLetterRoom) -> None:
        self._spool = spool
        self._letters = letters
        self._waiting: list[_Request] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "spool")
        self._failed_until = 0.0
        self._coming = 0
        """Bytes accepted but not yet in the spool."""

    async def accept(self, source: str, events: Sequence[bytes]) -> None:
        """Returns once the events are on disk. Raises `SpoolFull` or `JournalFailed`."""
        self._spool.check_room(self._coming)
        self._letters.check(source)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        request = _Request(source=source, events=events, size=sum(map(len, events)), done=done)
        self._waiting.append(request)
        self._coming += request.size
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    def check(self) -> None:
        """Whether events can be accepted now. Raises `SpoolFull` or `JournalFailed`."""
        self._spool.check_room()
        if time.monotonic() < self._failed_until:
            raise JournalFailed("the spool could not be written a moment ago")

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group = self._next_group()
            batches = [(request.source, request.events) for request in group]
            written = loop.run_in_executor(self._thread, self._spool.append, batches)
            await asyncio.wait([written])
            failure = written.exception()
            self._failed_until = time.monotonic() + _DOUBTFUL_SECONDS if failure else 0.0
            self._coming -= sum(request.size for request in group)
            for request in group:
                if request.done.cancelled():  # the client has disconnected; its events are accepted anyway
                    continue
                if failure:
                    request.done.set_exception(failure)
                else:
                    request.done.set_result(None)

    def _next_group(self) -> list[_Request]:
        count = size = 0
        for request in self._waiting:
            if count and size + request.size > _MOST_AT_ONCE:
                break
            count, size = count + 1, size + request.size
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group
