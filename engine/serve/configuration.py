"""What the service reads from the project, at start and on reload: sources, mappings and the org."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.errors import SfmapError
from sfmap.engine.http.address import CannotServe, is_loopback
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import PROJECT_FILE, ProjectFile, load_project
from sfmap.engine.project.revision import current_revision
from sfmap.engine.serve.access import Access, KeySource, WebhookSource
from sfmap.engine.serve.delivery_requests import OpenOrgIn
from sfmap.engine.serve.log import Log
from sfmap.engine.wiring.org_opening import open_org
from sfmap.engine.yaml_files.diagnostics import Mistakes, render_all
from sfmap.engine.yaml_files.files import CannotRead


@dataclass(frozen=True, slots=True)
class OrgAndMappings:
    """The org and the folder of mappings that the command line names; a reload of the project keeps them."""

    org: str
    mappings: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    access: Access
    mapper: Mapper
    open_org: OpenOrgIn
    revision: str
    """The revision of the mappings in git; empty if it is not known."""


def configure(
    project: ProjectFile, used: OrgAndMappings, host: str, before_call: Callable[[], None]
) -> Configuration:
    """`before_call` may raise to prevent an API call.

    Raises `CannotServe`, `SecretMissing`, `NoSuchOrg`, `Mistakes` or `CannotRead`."""
    entry = project.org(used.org)
    mapper = Mapper(compile_mappings(chosen_mappings(project, used.mappings, used.org)))
    return Configuration(
        access=_access(project, host),
        mapper=mapper,
        open_org=lambda stack: stack.enter_context(open_org(project, entry, before_call=before_call)),
        revision=current_revision(used.mappings or project.folder),
    )


def reconfigure(
    before: ProjectFile, used: OrgAndMappings, host: str, before_call: Callable[[], None], log: Log
) -> Configuration | None:
    """The project as it is now; None if it cannot be used, in which case the log says why."""
    stays = "The previous configuration stays in use."
    try:
        if before.is_written and not (before.folder / PROJECT_FILE).exists():
            raise CannotRead(f"{PROJECT_FILE} no longer exists")
        found = configure(load_project(before.folder), used, host, before_call)
    except Mistakes as mistakes:
        plain = render_all(mistakes.diagnostics, lambda text, _part: text)
        log("error", f"The project has errors. {stays}\n{plain}")
    except SfmapError as error:
        log("error", f"{error}. {stays}")
    else:
        return found
    return None


def _access(project: ProjectFile, host: str) -> Access:
    sources = project.serve.sources
    if not sources and not is_loopback(host):
        raise CannotServe(
            "list the sources that may send events, each with its write key, in sfmap.yaml under serve, sources:"
            " without them, anyone who can reach this address could send events"
        )
    found = [
        WebhookSource(source.name, source.webhook, secret) if source.webhook else KeySource(source.name, secret)
        for source, secret in ((source, project.secret_of(source)) for source in sources)
    ]
    _check_keys([source for source in found if isinstance(source, KeySource)])
    return Access(found)


def _check_keys(sources: Sequence[KeySource]) -> None:
    names: dict[str, str] = {}
    for source in sources:
        other = names.setdefault(source.write_key, source.name)
        if other != source.name:
            raise CannotServe(f"the sources {other} and {source.name} have the same write key")
