"""Plays faults: what a client receives from a call that a fault of the plan hits."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from sfmap.engine.http.connections import Connections
from sfmap.engine.local_org.faults.fault_plan import InjectedFault

_PAGE = "<!DOCTYPE html><html><body><h1>Scheduled maintenance</h1><p>We will be back soon.</p></body></html>\n"

Execute = Callable[[], Awaitable[Response]]


class FaultPlayer:
    """Plays faults outside the API, such as broken connections."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._later: set[asyncio.Task[Response | None]] = set()
        """References to running tasks, since the event loop holds only weak ones."""

    async def play(
        self, injected: InjectedFault, request: HttpRequest, execute: Execute, miss: Callable[[], None]
    ) -> Response:
        """The response to a call: `execute` does it, `miss` notes that it was not executed."""
        gone = Response(status_code=503)  # for a connection that is closed
        match injected.kind:
            case "http_error" | "html":
                miss()
                page = HTMLResponse(_PAGE, injected.status)
                return page if injected.kind == "html" else PlainTextResponse("Unavailable\n", injected.status)
            case "reset" | "timeout" | "down":
                miss()
                if injected.kind == "down":
                    self._begin(self._connections.close_port(injected.seconds))
                await asyncio.sleep(injected.seconds if injected.kind == "timeout" else 0)
                self._connections.reset(request.client)
                return gone
            case "late_commit":
                self._begin(_late(execute, injected.seconds))
                self._connections.reset(request.client)
                return gone
            case "slow":
                await asyncio.sleep(injected.seconds)
        response = await execute()
        if injected.kind == "reset_after":
            self._connections.reset(request.client)
        elif injected.kind == "truncated":
            half = bytes(response.body[: len(response.body) // 2])
            headers = {name: value for name, value in response.headers.items() if name != "content-length"}
            return Response(half, response.status_code, headers)
        return response

    def _begin(self, work: Awaitable[Response | None]) -> None:
        task = asyncio.ensure_future(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


async def _late(execute: Execute, seconds: float) -> Response:
    await asyncio.sleep(seconds)
    return await execute()
