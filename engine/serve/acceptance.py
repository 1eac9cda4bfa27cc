"""Makes events durable before they are acknowledged; requests that come together share one write to disk."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.spool import Spool

_MOST_AT_ONCE = 20_000
"""Events of one transaction."""


class Acceptance:
    """While one group is written, the next one gathers. Belongs to one event loop."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._waiting: list[tuple[str, Sequence[bytes], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "spool")

    async def accept(self, source: str, events: Sequence[bytes]) -> None:
        """Returns once the events are on disk. Raises `SpoolFull` or `JournalFailed`."""
        self._spool.check_room()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((source, events, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group = self._next_group()
            failure: JournalFailed | None = None
            try:
                batches = [(source, events) for source, events, _ in group]
                await loop.run_in_executor(self._thread, self._spool.append, batches)
            except JournalFailed as error:
                failure = error
            for _, _, done in group:
                if done.cancelled():  # the client has gone; its events are accepted all the same
                    continue
                if failure:
                    done.set_exception(failure)
                else:
                    done.set_result(None)

    def _next_group(self) -> list[tuple[str, Sequence[bytes], "asyncio.Future[None]"]]:
        count = size = 0
        for _, events, _ in self._waiting:
            if count and size + len(events) > _MOST_AT_ONCE:
                break
            count, size = count + 1, size + len(events)
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group
