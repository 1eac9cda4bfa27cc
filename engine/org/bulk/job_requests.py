"""Requests about bulk jobs over REST, in the session of the SOAP calls, and every failure an OrgError."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, TypeVar
from urllib.parse import urlsplit

import orjson
import requests

from sfmap.engine.org.bulk.job_refusals import job_refusal
from sfmap.engine.org.port import ApiUsage, OrgError, OrgUnavailable
from sfmap.engine.org.soap.api_access import ApiAccess
from sfmap.engine.org.soap.failures import OF_JOBS, FailedCall, error_from
from sfmap.engine.org.soap.org_settings import server_address
from sfmap.engine.org.soap.session import Session
from sfmap.engine.org.soap.transport import ApiRequest, NotTheApiError, not_the_api

_PIECE = 256 * 1024
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
_JSON = {"Accept": "application/json", "Content-Type": "application/json; charset=UTF-8"}
_CSV = {"Accept": "application/json", "Content-Type": "text/csv; charset=UTF-8"}

JsonObject = Mapping[str, object]
_Answer = TypeVar("_Answer")


class _RefusedRequest(Exception):
    """An error that the API answered with, before it has been put into words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class _JobRequest:
    operation: str
    method: str = "GET"
    path: str
    """Below the jobs, or the whole path after the host."""
    body: bytes | Iterable[bytes] | None = None
    headers: Mapping[str, str]
    status: int | None = None
    """The only one that means success, where the answer has nothing else that a proxy's page would lack."""


class JobRequests:
    """Thread-safe."""

    def __init__(self, access: ApiAccess) -> None:
        self._access = access
        self._jobs = f"/services/data/v{access.settings.api_version}/jobs/ingest"

    def ask(self, operation: str, path: str = "") -> JsonObject:
        request = _JobRequest(operation=operation, path=path, headers=_JSON)
        return self._json(operation, self._exchange(request, self._whole))

    def send(self, operation: str, method: str, path: str, sent: JsonObject) -> JsonObject:
        request = _JobRequest(
            operation=operation, method=method, path=path, body=orjson.dumps(sent), headers=_JSON
        )
        return self._json(operation, self._exchange(request, self._whole))

    def put_csv(self, operation: str, path: str, data: Iterable[bytes]) -> None:
        """Sends pieces that have a length together."""
        request = _JobRequest(operation=operation, method="PUT", path=path, body=data, headers=_CSV, status=201)
        self._exchange(request, self._whole)

    def delete(self, operation: str, path: str) -> None:
        self._exchange(
            _JobRequest(operation=operation, method="DELETE", path=path, headers=_JSON, status=204), self._whole
        )

    def fetch(self, operation: str, path: str, file: BinaryIO) -> None:
        """Writes a file of the org into `file`, from its start."""

        def read(response: requests.Response) -> None:
            file.seek(0)
            file.truncate()
            file.writelines(response.iter_content(_PIECE))

        self._exchange(_JobRequest(operation=operation, path=path, headers={"Accept": "text/csv"}), read)

    def unreadable(self, operation: str, what: str) -> OrgUnavailable:
        """The error for an answer that lacks what it should have."""
        return OrgUnavailable(
            f"{self._access.settings.host} answered the {operation} call with {what}.",
            maybe_applied=operation in OF_JOBS,
            hint="Try again; if it persists, check for proxies between this machine and the org.",
        )

    def _json(self, operation: str, content: bytes) -> JsonObject:
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            raise self.unreadable(operation, "something that is not a JSON object")
        return answer

    def _exchange(self, request: _JobRequest, read: Callable[[requests.Response], _Answer]) -> _Answer:
        """Sends the request; an expired session is renewed once."""
        sessions = self._access.sessions
        session = sessions.current()
        try:
            return self._send(session, request, read)
        except OrgError as error:
            if error.code != "INVALID_SESSION_ID":
                raise
        return self._send(sessions.renew(session), request, read)

    def _send(
        self, session: Session, request: _JobRequest, read: Callable[[requests.Response], _Answer]
    ) -> _Answer:
        path = request.path if request.path.startswith("/services/") else self._jobs + request.path
        headers = {**request.headers, "Authorization": f"Bearer {session.id.text}"}
        call = ApiRequest(
            request.operation, request.method, server_address(session.url) + path, headers, request.body
        )

        def checked(response: requests.Response) -> _Answer:
            self._note_usage(response)
            if response.status_code >= 300:
                raise self._refused(response)
            if request.status not in (None, response.status_code):
                raise not_the_api(response)
            return read(response)

        try:
            return self._access.transport.exchange(call, checked)
        except _RefusedRequest as refused:
            error = job_refusal(refused.status, refused.code, refused.message, self._failed(call, session))
        except (NotTheApiError, requests.RequestException) as failure:
            error = error_from(failure, self._failed(call, session))
        # Raised outside the handler, so that no frame with the headers and their secrets is attached.
        raise error

    def _failed(self, call: ApiRequest, session: Session) -> FailedCall:
        sign_in = self._access.settings.sign_in
        return FailedCall(
            operation=call.operation,
            host=urlsplit(call.address).netloc,
            user=sign_in.user,
            secrets=(*sign_in.secrets, session.id),
        )

    def _whole(self, response: requests.Response) -> bytes:
        return self._access.transport.whole(response)

    def _refused(self, response: requests.Response) -> _RefusedRequest | NotTheApiError:
        """What the API says of its error: a JSON array of objects, of which the first counts."""
        try:
            said = orjson.loads(self._whole(response))
        except orjson.JSONDecodeError:
            said = None
        first = said[0] if isinstance(said, list) and said else said
        if not isinstance(first, dict) or not isinstance(first.get("errorCode"), str):
            return not_the_api(response)
        return _RefusedRequest(response.status_code, first["errorCode"], str(first.get("message") or ""))

    def _note_usage(self, response: requests.Response) -> None:
        if found := _USAGE.search(response.headers.get("Sforce-Limit-Info", "")):
            self._access.transport.note_usage(ApiUsage(int(found[1]), int(found[2])))
