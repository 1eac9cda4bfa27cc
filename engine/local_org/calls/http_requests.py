"""What SOAP and REST share of an HTTP request."""

import re

from starlette.requests import Request

LARGEST_REQUEST = 50 * 1024 * 1024
"""In bytes, compressed or not; the API's own limit is 50 MB."""


_NUMBER = re.compile("[0-9]{1,9}")
_HOST = re.compile(r"[\w.\-]+(:\d+)?|\[[\da-fA-F:.]+\](:\d+)?", re.ASCII)


def sent_number(text: str) -> int | None:
    """The whole number that a client sends, of up to nine digits; None if it is not one."""
    return int(text) if _NUMBER.fullmatch(text) else None


def base_url(request: Request) -> str:
    """The address by which the client reaches the org, directly or by a proxy."""
    scheme = _forwarded(request, "x-forwarded-proto").lower()
    if scheme not in ("http", "https"):
        scheme = request.url.scheme
    host = _forwarded(request, "x-forwarded-host")
    if not _HOST.fullmatch(host):
        host = request.headers.get("host", request.url.netloc)
    return f"{scheme}://{host}"


def _forwarded(request: Request, header: str) -> str:
    """What the outermost of the proxies has put into the header; each adds to the list."""
    return request.headers.get(header, "").partition(",")[0].strip()
