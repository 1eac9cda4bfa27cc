"""Who may send events: each write key and each webhook signature identifies a named source."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sfmap.engine.errors import SfmapError
from sfmap.engine.http.address import is_of_this_machine

ANY_SOURCE = "unnamed"
"""The source name of events when the project names no sources."""


class NotAllowed(SfmapError):
    """The request does not come from a known source; the message goes to the client."""


@dataclass(frozen=True, slots=True)
class KeySource:
    """A source whose clients send its write key."""

    name: str
    write_key: str


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """A service that forwards events: Segment signs them with the secret, RudderStack sends it along."""

    name: str
    kind: Literal["segment", "rudderstack"]
    secret: str


class Access:
    """Identifies the source of a request by its credentials."""

    def __init__(self, sources: Sequence[KeySource | WebhookSource]) -> None:
        """With no sources, any write key is accepted."""
        self._keys = [
            (_digest(source.write_key), source.name) for source in sources if isinstance(source, KeySource)
        ]
        self._webhooks = {source.name: source for source in sources if isinstance(source, WebhookSource)}
        self._is_open = not sources

    def source_of(self, headers: Mapping[str, str], write_key: object) -> str:
        """The source whose key is in the header (basic auth, as the user name) or in the body.

        Raises `NotAllowed`.
        """
        if self._is_open and not is_of_this_machine(headers):
            raise NotAllowed("With no sources in sfmap.yaml, only pages and programs on this machine may send.")
        shown = _basic_user(headers.get("authorization", "")) or (write_key if isinstance(write_key, str) else "")
        digest = _digest(shown)
        found = ANY_SOURCE if self._is_open and shown else ""
        for known, name in self._keys:  # compare with every key, so that the time taken reveals nothing
            if hmac.compare_digest(known, digest):
                found = name
        if not found:
            raise NotAllowed("This write key is not known.")
        return found

    def has_webhook(self, name: str) -> bool:
        return name in self._webhooks

    def check_webhook(self, name: str, headers: Mapping[str, str], body: bytes) -> None:
        """Whether the webhook of that name has sent this. Raises `NotAllowed`."""
        source = self._webhooks.get(name)
        if source is None or not _is_sent_by(source, headers, body):
            raise NotAllowed("There is no such webhook, or its signature is wrong.")


def _is_sent_by(source: WebhookSource, headers: Mapping[str, str], body: bytes) -> bool:
    if source.kind == "segment":
        signature = headers.get("x-signature", "").encode()
        return any(
            hmac.compare_digest(_signature(source.secret, signed), signature)
            for signed in (body, _first_of_batch(body))
        )
    authorization = headers.get("authorization", "")
    kind, _, token = authorization.partition(" ")
    shown = _basic_user(authorization) or (token.strip() if kind.lower() == "bearer" else authorization)
    return hmac.compare_digest(_digest(source.secret), _digest(shown))


def _signature(secret: str, signed: bytes) -> bytes:
    return hmac.new(secret.encode(), signed, hashlib.sha1).hexdigest().encode()


def _first_of_batch(body: bytes) -> bytes:
    """The text of a batch's first event, the only part that Segment signs; the body itself if it is not a batch.

    Source: Twilio's support article "How Segment Computes x-signature for Batched Webhooks".
    """
    if not body.startswith(b"["):
        return body
    try:
        text = body.decode()
        _, end = json.JSONDecoder().raw_decode(text, 1)
    except (ValueError, RecursionError):
        return body
    return text[1:end].encode()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _basic_user(authorization: str) -> str:
    kind, _, encoded = authorization.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
