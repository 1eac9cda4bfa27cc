"""The settings for one org: addresses, credentials and timeouts, checked when they are created."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sfmap.engine.org.budget import NO_BUDGET, Budget
from sfmap.engine.org.login_url import is_loopback, is_safe, login_url_mistake, split
from sfmap.engine.org.port import SignInRefused, WriteOptions
from sfmap.engine.org.soap.sign_in import PasswordLogin, SignIn

LAST_VERSION_WITH_LOGIN = 64
SALESFORCE_DOMAINS = (
    *("salesforce.com", "force.com", "cloudforce.com"),
    *("salesforce.mil", "force.mil", "cloudforce.mil", "crmforce.mil"),
    *("sfcrmproducts.cn", "sfcrmapps.cn"),
)
"""Salesforce's domains: the general one, Government Cloud, and China."""
FIRST_VERSION = 31
_PLAIN_URL = re.compile(
    r"https?://(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9_/.~%-]*)?"
)


@dataclass(frozen=True, slots=True)
class SoapSettings:
    login_url: str
    """Scheme and host, such as https://login.salesforce.com; http on loopback only."""
    sign_in: SignIn
    api_version: str = "64.0"
    audience: str = "https://login.salesforce.com"
    """The audience of a signed token: the login host of production or of sandboxes, independent of My Domain."""
    wsdl: Path | None = None
    """A partner WSDL to use instead of the built-in one."""
    options: WriteOptions = field(default_factory=WriteOptions)
    """The write options used where a mapping does not set them."""
    connect_timeout: float = 10.0
    read_timeout: float = 660.0
    """More than the ten minutes after which the org itself ends a call."""
    budget: Budget = NO_BUDGET

    def __post_init__(self) -> None:
        _check_login_url(self.login_url)
        _check_version(self.api_version, isinstance(self.sign_in, PasswordLogin))

    @property
    def host(self) -> str:
        return urlsplit(self.login_url).netloc

    @property
    def endpoint(self) -> str:
        return soap_endpoint(self.login_url, self.api_version)


def soap_endpoint(url: str, api_version: str) -> str:
    """The URL of the partner API of that version."""
    return f"{url.rstrip('/')}/services/Soap/u/{api_version}"


def refused_server(login_url: str, url: str) -> str:
    """Why no session may be sent to this server, which the login host has named; empty if it may.

    Only an address that every parser reads the same way can be accepted.
    """
    found = _PLAIN_URL.fullmatch(url)
    if found is None:
        return "an invalid address"
    host = found["host"].lower()
    if not is_safe(url):
        return f"{host}, which is not encrypted"
    if is_loopback(url):
        return "" if is_loopback(login_url) else f"{host}, which is this machine itself"
    own = (split(login_url).hostname or "", *SALESFORCE_DOMAINS)
    if any(host == domain or host.endswith(f".{domain}") for domain in own):
        return ""
    return f"{host}, which is neither its own address nor one of Salesforce's"


def _check_login_url(url: str) -> None:
    if mistake := login_url_mistake(url):
        what, hint = mistake
        raise SignInRefused(f"The login URL {_without_user(split(url))} {what}.", hint=hint)


def _without_user(parts: SplitResult) -> str:
    host = parts.netloc.rpartition("@")[2]
    return repr(f"{parts.scheme}://{host}" if parts.scheme else parts.path)


def _check_version(version: str, by_login: bool) -> None:
    number = re.fullmatch(r"(\d{1,3})\.0", version)
    if number is None or int(number[1]) < FIRST_VERSION:
        raise SignInRefused(
            f"{version!r} is not an API version that sfmap supports.",
            hint=f'Set api_version to one from "{FIRST_VERSION}.0" on, such as "{LAST_VERSION_WITH_LOGIN}.0".',
        )
    if by_login and int(number[1]) > LAST_VERSION_WITH_LOGIN:
        raise SignInRefused(
            f"API version {version} has no login with user name and password: Salesforce removed login() "
            f"after version {LAST_VERSION_WITH_LOGIN}.0.",
            code="UNSUPPORTED_API_VERSION",
            hint=f'Set api_version to "{LAST_VERSION_WITH_LOGIN}.0", or sign in by OAuth '
            "(auth: client_credentials, jwt or refresh_token; see docs/orgs.md).",
        )


def server_address(url: str) -> str:
    """Scheme and host of a server's URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
