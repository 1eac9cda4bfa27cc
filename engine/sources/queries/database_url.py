"""Takes the URL of a database apart, and keeps its secrets out of messages."""

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sfmap.engine.sources.event_source import SourceFailed

_HOST = re.compile(r"(\[[^]]*\]|[^:\[\]]*)(:\d*)?")
_SECRETS = ("password", "passfile", "sslpassword", "token", "private_key_passphrase")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    text: str = field(repr=False)
    """With its password."""

    @property
    def scheme(self) -> str:
        return self._parts.scheme

    @property
    def user(self) -> str:
        return unquote(self._parts.username or "")

    @property
    def path(self) -> str:
        """The file of a SQLite URL: `sqlite:///shop.db`, `sqlite:////data/shop.db`."""
        return unquote(self._parts.path.removeprefix("/"))

    def without_secrets(self, message: str) -> str:
        """A message of a driver without what it may quote of the URL."""
        parts = self._parts
        given = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if name in _SECRETS)]
        hidden = [self.text, parts.netloc.rpartition("@")[0], *given]
        for secret in sorted({*hidden, *map(unquote, hidden)} - {"", self.user}, key=len, reverse=True):
            message = message.replace(secret, "***")
        return message

    @property
    def host(self) -> str:
        """The host and its port, or several."""
        return self._parts.netloc.rpartition("@")[2]

    def check(self) -> None:
        """Refuses a URL of which drivers would take a part of the password for the host. Raises `SourceFailed`."""
        parts = self._parts
        is_split_wrongly = parts.netloc.count("@") > 1 or "@" in parts.path + parts.fragment
        if is_split_wrongly or not all(map(_HOST.fullmatch, self.host.split(","))):
            raise _not_a_url()

    @property
    def _parts(self) -> SplitResult:
        try:
            return urlsplit(self.text)
        except ValueError:
            raise _not_a_url() from None


def reason(message: str) -> str:
    """The reason in what a driver says about a connection, which may be several lines about several attempts."""
    lines = message.strip().splitlines() or ["no answer"]
    line = next((line for line in lines if "failed: " in line), lines[0])
    return line.rpartition("failed: ")[2].removeprefix("FATAL:").strip()


def _not_a_url() -> SourceFailed:
    return SourceFailed(
        "the url cannot be taken apart: in a password, write special characters as %XX, such as %40 for @"
    )
