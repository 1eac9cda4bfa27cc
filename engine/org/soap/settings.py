"""What it takes to reach one org by SOAP: addresses, credentials, time-outs; wrong ones are refused here."""

import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from sfmap.engine.org.port import SignInRefused
from sfmap.engine.org.soap.records import NOT_XML

LAST_VERSION_WITH_LOGIN = 64
FIRST_VERSION = 31


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Text that no repr, log line or traceback shows."""

    text: str

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class SoapSettings:
    login_url: str
    """Scheme and host, such as https://login.salesforce.com; http on loopback only."""
    username: str
    password: Secret = field(repr=False)
    security_token: Secret = field(default=Secret(""), repr=False)
    api_version: str = "64.0"
    connect_timeout: float = 10.0
    read_timeout: float = 660.0
    """Above the ten minutes after which the org itself ends a call."""

    def __post_init__(self) -> None:
        _check_login_url(self.login_url)
        _check_version(self.api_version)
        _check_credentials(self)

    @property
    def host(self) -> str:
        return urlsplit(self.login_url).netloc

    @property
    def endpoint(self) -> str:
        return f"{self.login_url.rstrip('/')}/services/Soap/u/{self.api_version}"


def split(url: str) -> SplitResult:
    """The URL's parts; all of them empty where it is none."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")


def is_loopback(url: str) -> bool:
    host = split(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_safe(url: str) -> bool:
    """Whether credentials may travel to this address: encrypted, or not leaving this machine."""
    parts = split(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))


def _check_login_url(url: str) -> None:
    parts = split(url)
    if "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment or not parts.hostname:
        raise SignInRefused(
            f"The login URL {_without_user(parts)} is not just a scheme and a host.",
            advice="Write it like https://login.salesforce.com or https://acme.my.salesforce.com.",
        )
    if not is_safe(url):
        raise SignInRefused(
            f"The login URL {_without_user(parts)} is not encrypted, so the password would travel in the clear.",
            advice="Use https://; http:// is for an org on this machine alone (localhost, 127.0.0.1).",
        )


def _without_user(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return repr(f"{parts.scheme}://{host}" if parts.scheme else parts.path)


def _check_version(version: str) -> None:
    number = re.fullmatch(r"(\d{1,3})\.0", version)
    if number is None or int(number[1]) < FIRST_VERSION:
        raise SignInRefused(
            f"{version!r} is not an API version that this adapter speaks.",
            advice=f'Set api_version to one between "{FIRST_VERSION}.0" and "{LAST_VERSION_WITH_LOGIN}.0".',
        )
    if int(number[1]) > LAST_VERSION_WITH_LOGIN:
        raise SignInRefused(
            f"API version {version} has no sign-in by user name and password: Salesforce removed login() "
            f"after version {LAST_VERSION_WITH_LOGIN}.0, and later ones want OAuth, which is not there yet.",
            code="UNSUPPORTED_API_VERSION",
            advice=f'Set api_version to "{LAST_VERSION_WITH_LOGIN}.0".',
        )


def _check_credentials(settings: SoapSettings) -> None:
    if not settings.username or not settings.password.text:
        raise SignInRefused(
            f"No {'password' if settings.username else 'user name'} is set for {settings.host}.",
            advice="Set username and password for this org.",
        )
    if any(
        NOT_XML.search(text) for text in (settings.username, settings.password.text, settings.security_token.text)
    ):
        raise SignInRefused(
            f"The credentials for {settings.host} hold a control character, so they cannot be right.",
            advice="Look for a stray character where user name, password and security token are set.",
        )
