"""HTTP transport of API calls, for zeep too, with timeouts, a limit on response size, and a call count."""

import gzip
import os
import ssl
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeVar

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from sfmap.engine.org.login_url import is_loopback
from sfmap.engine.org.port import ApiUsage, OrgOutOfReach
from sfmap.engine.org.soap.org_settings import SoapSettings

CONNECTIONS = 32
LONGEST_ANSWER = 256 * 1024 * 1024
PACKED_FROM = 1_000
"""In bytes; gzip does not help smaller requests."""
_CHUNK = 256 * 1024
_BEFORE_SENDING = (NewConnectionError, ConnectTimeoutError, ProxyError, ssl.SSLCertVerificationError)
_SOAP_STARTS_WITHIN = 2_000
_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The part of an HTTP response that zeep reads."""

    status_code: int
    content: bytes
    headers: Mapping[str, str]
    encoding: str = "utf-8"


class NotTheApiError(Exception):
    """An HTTP response that the API did not send, such as an error page, a redirect, or a proxy's message."""

    def __init__(self, status: int, kind: str = "", location: str = "") -> None:
        super().__init__(f"HTTP status {status}")
        self.status = status
        self.kind = kind
        self.location = location


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """An HTTP request to the API."""

    operation: str
    """The name by which it is counted."""
    method: str
    address: str
    headers: Mapping[str, str]
    body: bytes | Iterable[bytes] | None = None
    """Pieces have a length together, and may be sent again."""


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Adds no authentication to a request: the credentials are in its body."""
    return request


class _NoRedirects(requests.Session):
    """A session without redirects, which would send the password or session id to another host."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _check_bundle(login_url: str) -> None:
    """Raises `OrgOutOfReach` if the environment names certificates that are not there."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        path = os.environ.get(name, "")
        if path and login_url.startswith("https:") and not os.path.exists(path):
            raise OrgOutOfReach(
                f"{name} names {path}, which does not exist.",
                hint="Set it to a file with the certificates to trust, with its full path, or remove it.",
            )


_REPORTS = 64
"""More than there are calls at once."""


class Transport:
    """The part of zeep's transport that calls use. Zeep's own would log envelopes with their secrets."""

    def __init__(self, settings: SoapSettings) -> None:
        self._timeouts = (settings.connect_timeout, settings.read_timeout)
        self._session = _NoRedirects()
        _check_bundle(settings.login_url)
        if is_loopback(settings.login_url):
            # A proxy from the environment cannot reach this machine's loopback; certificates count all the same.
            self._session.trust_env = False
            self._session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
        self._session.auth = _as_it_is  # otherwise requests would add a password from ~/.netrc
        adapter = HTTPAdapter(pool_maxsize=CONNECTIONS)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._budget = settings.budget
        self._calls: Counter[str] = Counter()
        self._reports: deque[ApiUsage] = deque(maxlen=_REPORTS)
        self._under_way = 0
        self._unseen = 0
        """Calls that the org's last report of its usage may not include."""
        self._lock = Lock()

    def calls(self) -> Mapping[str, int]:
        with self._lock:
            return +self._calls

    def usage(self) -> ApiUsage | None:
        with self._lock:
            return self._usage()

    def note_usage(self, usage: ApiUsage) -> None:
        """Notes the org's usage from a response."""
        with self._lock:
            self._reports.append(replace(usage, reserved=self._budget.reserved(usage.limit)))
            self._unseen = self._under_way

    def _usage(self) -> ApiUsage | None:
        """The highest of the last reports: answers to calls at once come in any order."""
        return max(self._reports, key=lambda report: report.used, default=None)

    def post_xml(self, address: str, operation: str, body: bytes, headers: dict[str, str]) -> HttpAnswer:
        if len(body) >= PACKED_FROM:
            # The fastest level: on all but the slowest networks, higher levels cost more time than they save.
            body, headers = gzip.compress(body, 1, mtime=0), {**headers, "Content-Encoding": "gzip"}
        call = ApiRequest(operation, "POST", address, headers, body)
        return self.exchange(call, self._soap_answer)

    def exchange(self, call: ApiRequest, read: Callable[[requests.Response], _Read]) -> _Read:
        """Sends a request that the org counts, and reads its response while that comes in."""
        self._begin(call.operation)
        sent = True
        try:
            self._budget.before_call()
            with self._session.request(
                call.method,
                call.address,
                data=call.body,
                headers=call.headers,
                timeout=self._timeouts,
                stream=True,
            ) as response:
                return read(response)
        except requests.RequestException as error:
            sent = not never_sent(error)
            raise
        finally:
            self._end(call.operation, sent)

    def post_form(self, address: str, form: Mapping[str, str]) -> tuple[int, Mapping[str, object]]:
        """Posts a form to an endpoint outside the API; returns the status and the JSON object of the response.

        Raises `NotTheApiError` for a redirect.
        """
        with self._session.post(
            address, data=form, headers={"Accept": "application/json"}, timeout=self._timeouts, stream=True
        ) as response:
            if response.is_redirect:
                raise NotTheApiError(response.status_code, location=response.headers["Location"])
            content = self.whole(response)
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        return response.status_code, answer if isinstance(answer, dict) else {}

    def _begin(self, operation: str) -> None:
        """Counts the call. Raises `LimitReached` if the budget does not allow it."""
        with self._lock:
            self._budget.check(self._calls.total(), self._usage(), self._unseen)
            self._calls[operation] += 1
            self._under_way += 1
            self._unseen += 1

    def _end(self, operation: str, sent: bool) -> None:
        """Ends a call; one that never left this machine is not counted."""
        with self._lock:
            self._under_way -= 1
            if not sent:
                self._calls[operation] -= 1

    def _soap_answer(self, response: requests.Response) -> HttpAnswer:
        answer = HttpAnswer(response.status_code, self.whole(response), response.headers)
        if b"Envelope" not in answer.content[:_SOAP_STARTS_WITHIN]:
            raise not_the_api(response)
        return answer

    def whole(self, response: requests.Response) -> bytes:
        """The content, if it is not so large that it cannot be what was asked for."""
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > LONGEST_ANSWER:
                raise requests.exceptions.ContentDecodingError(f"more than {LONGEST_ANSWER} bytes")
        return bytes(content)


def not_the_api(response: requests.Response) -> NotTheApiError:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip()
    return NotTheApiError(response.status_code, kind, response.headers.get("Location", ""))


def never_sent(error: BaseException) -> bool:
    """Whether the request never left this machine."""
    return any(isinstance(cause, _BEFORE_SENDING) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all errors that it wraps: requests and urllib3 keep the cause in different places.

    `__context__` is left out: it may hold an error that the caller was handling when it made this call.
    """
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [getattr(cause, "reason", None), cause.__cause__, *cause.args]
