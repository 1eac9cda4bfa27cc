"""Takes the URL of a database apart, and keeps its secrets out of messages."""

from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sfmap.engine.sources.event_source import SourceFailed

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
    def _parts(self) -> SplitResult:
        try:
            return urlsplit(self.text)
        except ValueError:
            raise SourceFailed("the url is not one: special characters of a password are written as %XX") from None
