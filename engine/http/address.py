"""The addresses that servers listen on."""

import errno
import socket
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from sfmap.engine.errors import SfmapError


class CannotServe(SfmapError):
    """The server cannot be started as requested; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_forwarded(headers: Iterable[str]) -> bool:
    """Whether a proxy forwarded the request, judged by its header names: then it may come from anyone."""
    return any(name in ("forwarded", "via", "x-real-ip") or name.startswith("x-forwarded-") for name in headers)


def is_of_this_machine(headers: Mapping[str, str]) -> bool:
    """Whether the request comes from this machine, and not from a page of another site.

    Such a page sends its own origin, or a host name that it has pointed at loopback. Others come by a local proxy.
    """
    if is_forwarded(headers):
        return False
    asked = [f"//{headers.get('host', '')}", *([headers["origin"]] if "origin" in headers else [])]
    return all(is_loopback(host_of(url)) for url in asked)


def host_of(url: str) -> str:
    """The host of a URL, in lower case and without brackets; empty if it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def url_of(host: str, port: int, scheme: str = "http") -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `CannotServe`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=2_048)
    except (OSError, OverflowError) as error:
        raise CannotServe(_refusal(host, port, error)) from None
    # Otherwise a response waits 40 ms for the acknowledgement of its headers; accepted connections inherit this.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _refusal(host: str, port: int, error: OSError | OverflowError) -> str:
    where = f"cannot listen on {host}, port {port}"
    if isinstance(error, OverflowError):
        return f"{where}: ports go from 0 to 65535"
    if error.errno == errno.EADDRINUSE:
        return f"{where}: another program uses that port; choose a different one with --port"
    return f"{where}: {(error.strerror or str(error)).partition(' (while')[0]}"
