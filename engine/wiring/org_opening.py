"""Opens the org that a name stands for: connects the port and its adapter."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.files.private_files import private_folder
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.organizations import organization_of, remember_organization
from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.engine.org.budget import Budget
from sfmap.engine.org.bulk_port import BulkOrg
from sfmap.engine.org.login_url import is_loopback
from sfmap.engine.org.port import Org
from sfmap.engine.org.write_headers import write_options
from sfmap.engine.project.org_entry import LOCAL, OrgEntry
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.project.secrets import read_private

if TYPE_CHECKING:
    from sfmap.engine.org.soap.org_settings import SoapSettings
    from sfmap.engine.org.soap.sign_in import SignIn

LOGIN_API_VERSION = "64.0"
"""The last version with a login by user name and password."""
OAUTH_API_VERSION = "68.0"
"""The newest version (Winter '27)."""

_BEYOND = 60.0
"""Seconds to wait for an answer beyond the org's own limit for a call, before it counts as lost."""

_LOGIN_HOSTS = {False: "https://login.salesforce.com", True: "https://test.salesforce.com"}


@dataclass(frozen=True, slots=True)
class OpenOrg:
    org: Org
    bulk: BulkOrg
    """The same org's bulk jobs."""
    where: str
    """A description of the org for messages."""
    entry: str
    """The name under which the journal remembers the key, so that it is known without a call."""
    key: Callable[[], str]
    """The org's key in the journal, its organization id. Signs in to get it; raises `OrgError`."""
    address: Callable[[], str]
    """Scheme and host of the server, for links to it; empty before the first call."""

    @property
    def is_local(self) -> bool:
        return self.entry == LOCAL

    def record_link(self, object_name: str, record: str) -> str:
        """The address of a record's page in Salesforce, or in the local org; empty if it is not known."""
        address = self.address()
        if not address:
            return ""
        return f"{address}/objects/{object_name}/{record}" if self.is_on_loopback else f"{address}/{record}"

    @property
    def is_on_loopback(self) -> bool:
        """Whether it is a local org, of this project or another."""
        address = self.address()
        return bool(address) and is_loopback(address)


def _always_allowed() -> None:
    """Allows every call."""


@contextmanager
def open_org(
    project: ProjectFile,
    entry: OrgEntry,
    max_calls: int | None = None,
    before_call: Callable[[], None] = _always_allowed,
) -> Iterator[OpenOrg]:
    """Opens the org, which signs in on its first call; the local org runs until the context ends.

    `before_call` is called right before each API call, and may raise to prevent it.

    Raises `OrgError`, `SecretMissing`, `CannotRead` or `LocalOrgFailed`.
    """
    # zeep takes longer to import than everything else together, and only deliveries need it.
    from sfmap.engine.org.bulk.ingest_jobs import IngestJobs
    from sfmap.engine.org.soap.client import SoapOrg

    if entry.name == LOCAL:
        schema = entry.texts.get("schema")
        schema_file = project.folder / schema.text if schema else None
        with suppress(OSError):  # the local org reports problems with its folder
            private_folder(project.state)
        with start_local_org(project.database, schema_file) as local:
            settings = _bounded(_local_settings(local, entry), entry, max_calls, before_call)
            where = f"the local org, whose records are in {project.database}"
            org = SoapOrg(settings)
            yield OpenOrg(
                org=org,
                bulk=IngestJobs(org.access()),
                where=where,
                entry=LOCAL,
                key=lambda: LOCAL,
                address=lambda: local.url,
            )
        return
    settings = _bounded(_settings(project, entry), entry, max_calls, before_call)
    yield _opened(settings, f"the org {entry.name} at {settings.host}", _remembered_by(project, entry, settings))


def sign_in(opened: OpenOrg, journal: Database, waiter: Waiter) -> str:
    """Signs in, waiting for the org as in a run; returns the org's key in the journal.

    Raises `OrgError`, `StopRequested` or `JournalFailed`.
    """
    key = waiter.ask(opened.key)
    remember_organization(journal, opened.entry, key)
    return key


def known_key(project: ProjectFile, entry: OrgEntry, journal: Database) -> str | None:
    """The org's key in the journal, without a call; None if nothing has signed in to it yet.

    Raises the same as reading its entry.
    """
    if entry.name == LOCAL:
        return LOCAL
    asked = entry.auth == "cli"  # which would sign in
    return organization_of(journal, _remembered_by(project, entry, None if asked else _settings(project, entry)))


def _remembered_by(project: ProjectFile, entry: OrgEntry, settings: "SoapSettings | None") -> str:
    """A name that changes if the entry is changed to another org or user."""
    if settings is None or entry.auth == "cli":
        return f"{entry.name} {entry.auth} {project.filled_in(entry, 'target_org')}"
    return f"{entry.name} {settings.host} {settings.sign_in.user}"


def _opened(settings: "SoapSettings", where: str, entry: str) -> OpenOrg:
    from sfmap.engine.org.bulk.ingest_jobs import IngestJobs
    from sfmap.engine.org.soap.client import SoapOrg

    org = SoapOrg(settings)

    def key() -> str:
        organization_id = org.organization_id()
        # All local orgs have the same id: their address identifies them, as for servers that report no id.
        is_enough = organization_id and not is_loopback(settings.login_url)
        return organization_id if is_enough else f"{organization_id} {settings.host}".strip()

    bulk = IngestJobs(org.access())
    return OpenOrg(org=org, bulk=bulk, where=where, entry=entry, key=key, address=lambda: org.address)


def _bounded(
    settings: "SoapSettings", entry: OrgEntry, max_calls: int | None, before_call: Callable[[], None]
) -> "SoapSettings":
    """The settings with the limits of the org's entry and of the user."""
    settings = replace(settings, budget=Budget(max_calls, entry.reserve, before_call))
    return replace(settings, read_timeout=entry.call_limit + _BEYOND) if entry.call_limit else settings


def open_printed_session(
    text: str, max_calls: int | None, before_call: Callable[[], None] = _always_allowed
) -> OpenOrg:
    """Opens the org of a session printed by the Salesforce CLI.

    Raises `SecretMissing` for other text, `SignInRefused` for an invalid session.
    """
    from sfmap.engine.org.soap.org_settings import SoapSettings
    from sfmap.engine.project.salesforce_cli import printed_session

    session = printed_session(text, "standard input")
    settings = SoapSettings(
        session.instance_url, session, OAUTH_API_VERSION, budget=Budget(max_calls, before_call=before_call)
    )
    return _opened(settings, f"the org at {settings.host}", settings.host)


def _local_settings(local: LocalOrg, entry: OrgEntry) -> "SoapSettings":
    from sfmap.engine.org.soap.org_settings import SoapSettings
    from sfmap.engine.org.soap.sign_in import PasswordLogin, Secret

    sign_in = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
    return SoapSettings(local.url, sign_in, LOGIN_API_VERSION, options=write_options(entry.headers))


def _settings(project: ProjectFile, entry: OrgEntry) -> "SoapSettings":
    from sfmap.engine.org.soap.org_settings import SoapSettings
    from sfmap.engine.org.soap.sign_in import AskedSession, ReadySession

    sign_in = _way_to_sign_in(project, entry)
    wsdl = entry.texts.get("wsdl")
    usual = LOGIN_API_VERSION if entry.auth == "login" else OAUTH_API_VERSION
    ready_at = sign_in.instance_url if isinstance(sign_in, (ReadySession, AskedSession)) else ""
    return SoapSettings(
        login_url=project.filled_in(entry, "login_url") or ready_at or _LOGIN_HOSTS[entry.sandbox],
        sign_in=sign_in,
        api_version=project.filled_in(entry, "api_version") or usual,
        audience=_LOGIN_HOSTS[entry.sandbox],
        wsdl=project.folder / wsdl.text if wsdl else None,
        options=write_options(entry.headers),
    )


def _way_to_sign_in(project: ProjectFile, entry: OrgEntry) -> "SignIn":
    from sfmap.engine.org.soap import sign_in as ways
    from sfmap.engine.project.salesforce_cli import ask_for_session, printed_session

    def text(key: str) -> str:
        return project.filled_in(entry, key)

    def secret(key: str) -> ways.Secret:
        return ways.Secret(text(key))

    match entry.auth:
        case "client_credentials":
            return ways.ClientCredentials(text("client_id"), secret("client_secret"))
        case "jwt":
            key = read_private(project.folder / text("key_file"))
            return ways.JwtBearer(text("client_id"), text("username"), ways.Secret(key))
        case "refresh_token":
            return ways.RefreshToken(text("client_id"), secret("refresh_token"), secret("client_secret"))
        case "session":
            if file := text("session_file"):
                return printed_session(read_private(project.folder / file), file)
            return ways.ReadySession(secret("access_token"), text("instance_url"))
        case "cli":
            target_org = text("target_org")
            return ways.AskedSession(ask_for_session(target_org), lambda: ask_for_session(target_org))
        case _:
            return ways.PasswordLogin(text("username"), secret("password"), secret("security_token"))
