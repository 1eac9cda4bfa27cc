"""The one place where adapters are chosen: which org a name stands for, and how it is reached."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sfmap.engine.org.local.process import start_local_org
from sfmap.engine.org.port import Org
from sfmap.engine.project import LOCAL, OrgEntry, Project

DEFAULT_API_VERSION = "64.0"
"""The last one with a sign-in by user name and password."""


@dataclass(frozen=True, slots=True)
class OpenOrg:
    org: Org
    where: str
    """For people: which org this is, and where it is."""


@contextmanager
def open_org(project: Project, entry: OrgEntry) -> Iterator[OpenOrg]:
    """The org, ready for its first call, which signs in; the local org runs until the context ends.

    Raises `OrgError`, `SecretMissing` or `LocalOrgFailed`.
    """
    # zeep takes longer to import than everything else together, and only deliveries need it.
    from sfmap.engine.org.soap.client import SoapOrg
    from sfmap.engine.org.soap.settings import Secret, SoapSettings

    if entry.name == LOCAL:
        schema = entry.texts.get("schema")
        schema_file = project.folder / schema.text if schema else None
        with start_local_org(project.database, schema_file) as local:
            password, token = Secret(local.password), Secret(local.security_token)
            settings = SoapSettings(local.url, local.username, password, token, DEFAULT_API_VERSION)
            yield OpenOrg(SoapOrg(settings), f"the local org, whose records are in {project.database}")
        return
    host = "test" if entry.sandbox else "login"
    settings = SoapSettings(
        login_url=project.filled_in(entry, "login_url") or f"https://{host}.salesforce.com",
        username=project.filled_in(entry, "username"),
        password=Secret(project.filled_in(entry, "password")),
        security_token=Secret(project.filled_in(entry, "security_token")),
        api_version=project.filled_in(entry, "api_version") or DEFAULT_API_VERSION,
    )
    yield OpenOrg(SoapOrg(settings), f"the org {entry.name} at {settings.host}")
