"""The ways to sign in to an org, and what each needs; invalid settings are refused before anything is sent."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sfmap.engine.org.api_text import NOT_XML
from sfmap.engine.org.port import SignInRefused

HIDDEN = "[REDACTED]"
"""What the Salesforce CLI prints in place of a token, with a hint."""


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """Text that is never shown in a repr, log line or traceback."""

    text: str

    def __repr__(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """SOAP `login()`: removed in API 65.0, off in new orgs, and retired in Summer '27."""

    username: str
    password: Secret
    security_token: Secret = field(default=Secret(""))

    def __post_init__(self) -> None:
        if not self.username or not self.password.text:
            raise SignInRefused(
                f"No {'password' if self.username else 'user name'} is set.",
                hint="Set username and password for this org.",
            )
        _check_text(self.username, self.password, self.security_token)

    @property
    def user(self) -> str:
        return self.username

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.password, self.security_token


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth client credentials flow, at the org's My Domain."""

    client_id: str
    client_secret: Secret

    def __post_init__(self) -> None:
        _check_text(self.client_id, self.client_secret)

    @property
    def user(self) -> str:
        return "the app's run-as user"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return (self.client_secret,)


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """OAuth JWT bearer flow: a private RSA key signs the assertion; the app has the certificate."""

    client_id: str
    username: str
    private_key: Secret
    """PEM."""

    def __post_init__(self) -> None:
        _check_text(self.client_id, Secret(self.username))

    @property
    def user(self) -> str:
        return self.username

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return (self.private_key,)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """OAuth refresh token flow, with the token from a user's approval of the app."""

    client_id: str
    refresh_token: Secret
    client_secret: Secret = field(default=Secret(""))

    def __post_init__(self) -> None:
        _check_text(self.client_id, self.refresh_token, self.client_secret)

    @property
    def user(self) -> str:
        return "the user who approved the app"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.refresh_token, self.client_secret


@dataclass(frozen=True, slots=True)
class ReadySession:
    """A session opened by another program, such as the Salesforce CLI; it cannot be renewed."""

    access_token: Secret
    instance_url: str

    def __post_init__(self) -> None:
        _check_text(self.instance_url, self.access_token)
        if HIDDEN in self.access_token.text:
            raise SignInRefused(
                "The access token is hidden: sf org display prints a hint in its place since version 2.136.8.",
                hint="Pass the output of sf org auth show-access-token --json as well, after the first. Or let"
                " sfmap ask for it: auth: cli, see docs/orgs.md.",
            )

    @property
    def user(self) -> str:
        return "the session's user"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return (self.access_token,)


@dataclass(frozen=True, slots=True)
class AskedSession:
    """Sessions that another program provides: the first, and a new one when that has ended."""

    first: ReadySession
    ask: Callable[[], ReadySession]
    """Raises `OrgError`."""

    @property
    def instance_url(self) -> str:
        return self.first.instance_url

    @property
    def user(self) -> str:
        return "the session's user"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.first.secrets


OAuth = ClientCredentials | JwtBearer | RefreshToken
SignIn = PasswordLogin | OAuth | ReadySession | AskedSession


def _check_text(name: str, *secrets: Secret) -> None:
    if any(NOT_XML.search(text) for text in (name, *(secret.text for secret in secrets))):
        raise SignInRefused(
            "The credentials contain a control character, so they cannot be right.",
            hint="Check for a stray character where they are set.",
        )
