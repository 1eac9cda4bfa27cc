"""Requests for a file on the web: redirects stay on https, and a failure is one sentence without secrets."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import requests
from urllib3.exceptions import HTTPError

from sfmap.engine.sources.event_source import SourceFailed

_TIMEOUTS = (10, 60)
"""Seconds to connect, and between two pieces of an answer."""
_MAY_PASS = (408, 425, 429, 500, 502, 503, 504)
_ANSWERS = (200, 206, 412, 416)
_PIECE = 256 * 1024
_REASON = re.compile(r"\[Errno -?\d+\] ([\w ]+)")


class Interrupted(Exception):
    """An answer that broke off or did not come; the message says why. Caught by who reads the file."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """The URL of a file. Raises `SourceFailed` if it is not https, or http on this machine."""

    url: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _is_safe(urlsplit(self.url)):
            raise SourceFailed(f"cannot read {self.name}: write https://")

    @property
    def name(self) -> str:
        """The URL without user, query and fragment, which may hold secrets."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @contextmanager
    def answered(self, headers: dict[str, str]) -> Iterator[requests.Response]:
        """The answer to a request for the file, for as long as it is read.

        Its status is that of a whole file, of a range, of no such range or of another version.
        Raises `Interrupted` where a repeated request may succeed, else `SourceFailed`.
        """
        try:
            with _session().get(self.url, headers=headers, stream=True, timeout=_TIMEOUTS) as response:
                self._check(response.status_code)
                if not _is_complete(response):
                    raise Interrupted(f"the answer of {self._host} broke off")
                yield response
        except requests.exceptions.SSLError:
            raise self.failed(f"the certificate of {self._host} is not valid") from None
        except requests.exceptions.TooManyRedirects:
            raise self.failed("it redirects in a circle") from None
        except requests.Timeout:
            raise Interrupted(f"{self._host} did not answer in time") from None
        except requests.ConnectionError as error:
            reason = _REASON.search(str(error))
            raise Interrupted(f"cannot reach {self._host}" + (f": {reason[1]}" if reason else "")) from None
        except HTTPError:
            raise Interrupted(f"the connection to {self._host} broke") from None
        except requests.RequestException:
            raise self.failed("the request failed") from None

    def failed(self, why: str) -> SourceFailed:
        return SourceFailed(f"cannot read {self.name}: {why}")

    def _check(self, status: int) -> None:
        if status in _MAY_PASS:
            raise Interrupted(f"{self._host} answered {status}")
        if status in (401, 403):
            raise self.failed(f"access denied ({status}); a signed link may have expired")
        if status in (404, 410):
            raise self.failed(f"there is no such file ({status})")
        if status not in _ANSWERS:
            raise self.failed(f"{self._host} answered {status}")

    @property
    def _host(self) -> str:
        return urlsplit(self.url).netloc.rpartition("@")[2]


def _is_complete(response: requests.Response) -> bool:
    """Whether the head of an answer ends as it should: the library takes one that broke off for complete.

    If it broke off after the length, reading the body fails.
    """
    tells_its_end = {"Content-Length", "Transfer-Encoding"} & {name.title() for name in response.headers}
    return bool(tells_its_end) or response.headers.get("Connection", "").lower() == "close"


def pieces(response: requests.Response) -> Iterator[bytes]:
    """The bytes of an answer as they were sent: a packed file stays packed."""
    yield from response.raw.stream(_PIECE, decode_content=False)


class _SafeRedirects(requests.Session):
    """Follows redirects only to where a file may be read from."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        before, after = urlsplit(str(response.url)), urlsplit(str(prepared_request.url))
        if not _is_safe(after) or (before.scheme == "https" and after.scheme != "https"):
            raise SourceFailed(f"cannot read {WebAddress(str(response.url)).name}: it redirects to http")
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]


@lru_cache
def _session() -> requests.Session:
    """The session of this process, which keeps connections. Nothing asks for packed answers."""
    session = _SafeRedirects()
    session.headers["Accept-Encoding"] = "identity"
    return session


def _is_safe(parts: SplitResult) -> bool:
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(parts.hostname or ""))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
