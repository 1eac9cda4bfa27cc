"""What went over the wire in one call, without session ids and passwords, and short enough to keep."""

import re
from dataclasses import dataclass

_LONGEST = 128 * 1024
"""The most bytes kept of a request or a response."""
_SECRETS = {name: re.compile(rb"(" + name + rb"(?:\s[^>]*)?>)[^<]*") for name in (b"essionId", b"assword")}
"""By the end of an element's name: one literal in a pattern is searched much faster than two."""
_TOKEN = re.compile(r"(?<=oauth_token=)[^&]*")


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its response; what came of it is set when it is known."""

    url: str
    client: str
    """The program that called, as it names itself."""
    request: bytes
    response: bytes = b""
    outcome: str = "failed"
    """As the log has it."""
    records: int = 0
    """How many records a collection has results for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptExchange:
    """The same as the store keeps it."""

    url: str
    client: str
    sent: int
    received: int
    """The sizes in bytes, of which less may be kept."""
    request: bytes
    response: bytes

    @property
    def is_cut(self) -> bool:
        return self.sent > _LONGEST or self.received > _LONGEST


def kept(exchange: Exchange) -> KeptExchange:
    return KeptExchange(
        url=_TOKEN.sub("...", exchange.url),
        client=exchange.client[:200],
        sent=len(exchange.request),
        received=len(exchange.response),
        request=_blanked(exchange.request),
        response=_blanked(exchange.response),
    )


def _blanked(body: bytes) -> bytes:
    """The beginning of a body. A secret at its end may be cut, which the patterns find, too."""
    text = body[:_LONGEST]
    for name, secret in _SECRETS.items():
        if name in text:
            text = secret.sub(_blank, text)
    return text


def _blank(found: re.Match[bytes]) -> bytes:
    """The start of an element with its text blanked; the end of an element as it is."""
    tag = found.string.rfind(b"<", 0, found.start())
    is_end = found.string[tag + 1 : tag + 2] == b"/"
    return found[0] if is_end else found[1] + b"..."
