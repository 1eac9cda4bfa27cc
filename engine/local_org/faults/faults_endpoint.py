"""The endpoint `/faults`, with which tests read and replace the fault plan of a running local org."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sfmap.engine.http.bodies import UnreadableBody, read_body
from sfmap.engine.local_org.faults.fault_plan import FaultPlan, read_fault_plan
from sfmap.engine.yaml_files.diagnostics import Mistakes, Source

_LARGEST_PLAN = 1024 * 1024
"""In bytes."""


class FaultsEndpoint:
    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan

    def routes(self) -> list[Route]:
        verbs: list[tuple[str, Callable[[Request], Awaitable[Response]]]] = [
            ("GET", self._read),
            ("PUT", self._replace),
            ("DELETE", self._clear),
        ]
        return [Route("/faults", endpoint, methods=[verb]) for verb, endpoint in verbs]

    async def _read(self, _: Request) -> Response:
        return JSONResponse({"faults": self.plan.counts()})

    async def _replace(self, request: Request) -> Response:
        """Replaces the plan with the body. A web page of another origin cannot send a PUT without a preflight."""
        try:
            body = await read_body(request, _LARGEST_PLAN)
            self.plan = read_fault_plan(Source("the fault plan", body.decode("utf-8", "surrogateescape")))
        except UnreadableBody as error:
            return PlainTextResponse(f"{error}\n", 413)
        except Mistakes as mistakes:
            return PlainTextResponse(f"{mistakes}\n", 400)
        return await self._read(request)

    async def _clear(self, request: Request) -> Response:
        self.plan = FaultPlan()
        return await self._read(request)
