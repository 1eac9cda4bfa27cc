"""Faults of the plan on sign-ins by OAuth, in the form of OAuth's errors."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sfmap.engine.local_org.calls.api_calls import ApiCalls
from sfmap.engine.local_org.faults.fault_player import FaultPlayer
from sfmap.engine.local_org.faults.faults_endpoint import FaultsEndpoint
from sfmap.engine.local_org.records.exchanges import Exchange
from sfmap.engine.local_org.rest.rest_call import fault_response

Endpoint = Callable[[Request], Awaitable[Response]]


class SignInFaults:
    def __init__(self, calls: ApiCalls, faults: FaultsEndpoint, player: FaultPlayer) -> None:
        self._calls = calls
        self._faults = faults
        self._player = player

    def played_on(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint, hit by the faults of the operation `login`."""

        async def play(request: Request) -> Response:
            injected = self._faults.plan.fault_for("login")
            if injected is None:
                return await endpoint(request)

            async def answer() -> Response:
                fault = injected.fault
                if fault is None:
                    return await endpoint(request)
                said = {"error": fault.code.lower(), "error_description": fault.message}
                return JSONResponse(said, fault_response(fault).status_code)

            def miss() -> None:
                client = request.headers.get("user-agent", "")
                # The form is not kept: it has passwords.
                exchange = Exchange(url=request.url.path, client=client, request=b"")
                self._calls.miss("login", request.url.path, exchange=exchange, injected=injected)

            return await self._player.play(injected, request, answer, miss)

        return play
