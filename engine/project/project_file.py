"""Reads a project's `sfmap.yaml`: mappings, settings, orgs and sources; every key is optional."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from sfmap.engine.errors import SfmapError
from sfmap.engine.language.conventions import read_conventions
from sfmap.engine.language.overlay import Setting
from sfmap.engine.language.rules import read_blank_values
from sfmap.engine.project.org_entry import LOCAL, OrgEntry, read_org
from sfmap.engine.project.secrets import VARIABLE, SecretMissing, check_is_variable, environment, fill_in
from sfmap.engine.project.serve_entry import EventSourceEntry, ServeEntry, read_serve
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, did_you_mean, listed
from sfmap.engine.yaml_files.files import SAVED, Unsaved, read_source
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode, read_yaml
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

if TYPE_CHECKING:
    from sfmap.engine.project.source_entry import SourceEntry

PROJECT_FILE = "sfmap.yaml"
_MAPPINGS = "mappings"

_USUAL_KEYS = ("blank_values", "timezone", "decimal")
"""Keys of a mapping that apply to all mappings without them."""
_PROJECT_KEYS = (
    "mappings",
    "use",
    "default_org",
    "settings",
    "secrets",
    "repeats",
    "silence",
    "orgs",
    "serve",
    "sources",
    "state",
    *_USUAL_KEYS,
)


class NoSuchOrg(SfmapError):
    """The project has no org of that name."""


@dataclass(frozen=True)
class ProjectFile:
    """What a project says in its file, and where it keeps things."""

    folder: Path
    is_written: bool = False
    """Whether there is a project file."""
    mappings: Path | None = None
    """The folder of mappings: as named, or `mappings` beside the file; None for the shipped ones."""
    use: tuple[ScalarNode, ...] = ()
    settings: tuple[Setting, ...] = ()
    usual: TableNode | None = None
    """Defaults for keys that mappings do not have."""
    secrets: str = "secrets.env"
    default_org: str = LOCAL
    silenced: frozenset[str] = frozenset()
    """The codes of warnings that `sfmap check` does not show."""
    repeats: int = 7
    """How many days message ids are remembered; 0 to remember none."""
    orgs: Mapping[str, OrgEntry] = field(default_factory=dict)
    serve: ServeEntry = field(default_factory=ServeEntry)
    sources: Mapping[str, "SourceEntry"] = field(default_factory=dict)
    """By name."""
    shared_state: ScalarNode | None = None
    """The URL of the database that holds journal and spool; None for files in the project's folder."""

    @property
    def state(self) -> Path:
        """The folder of files that do not belong in git, such as the local org's records."""
        return self.folder / ".sfmap"

    @property
    def database(self) -> Path:
        """The database of the local org."""
        return self.state / "org.db"

    def org(self, name: str | None) -> OrgEntry:
        """The org of that name, or the default one. Raises `NoSuchOrg`."""
        wanted = name or self.default_org
        known = {LOCAL: OrgEntry(LOCAL), **self.orgs}
        if wanted in known:
            return known[wanted]
        hint = did_you_mean(wanted, known) or f"known: {listed(known, 'and')}"
        raise NoSuchOrg(f'{PROJECT_FILE} names no org "{wanted}"; {hint}')

    def org_option(self, name: str | None) -> tuple[str, ...]:
        """The words of a command line that name the org; none for the default one."""
        return () if name in (None, self.default_org) else ("--org", str(name))

    def filled_in(self, entry: OrgEntry, key: str) -> str:
        """The text of an org's key with secrets filled in; empty if absent. Raises `SecretMissing`."""
        node = entry.texts.get(key)
        return self._filled_in(node, f"{key} of the org {entry.name}") if node else ""

    def secret_of(self, source: EventSourceEntry) -> str:
        """A source's write key or secret, filled in. Raises `SecretMissing`."""
        return self._filled_in(source.secret, f"the secret of the source {source.name}")

    def environment(self) -> Mapping[str, str]:
        """The variables of the environment, and of the file of secrets where it can be read."""
        return environment(self.folder / self.secrets)

    def state_url(self) -> str:
        """The URL of the shared state, filled in; empty if there is none. Raises `SecretMissing`."""
        return self._filled_in(self.shared_state, "state") if self.shared_state else ""

    def filled_in_of_source(self, entry: "SourceEntry", node: ScalarNode) -> str:
        """A text of a source, filled in. Raises `SecretMissing`."""
        return self._filled_in(node, f"the source {entry.name.text}")

    def _filled_in(self, node: ScalarNode, what: str) -> str:
        try:
            return fill_in(node.text, self.folder / self.secrets)
        except SecretMissing as missing:
            raise SecretMissing(f"{PROJECT_FILE}:{node.span.line}: {what}: {missing}") from None


def load_project(folder: Path) -> ProjectFile:
    """The project in `folder`, empty if it has no project file. Raises `Mistakes` or `CannotRead`."""
    project, diagnostics = read_project(folder)
    if diagnostics:
        raise Mistakes(diagnostics)
    return project


def read_project(folder: Path, unsaved: Unsaved = SAVED) -> tuple[ProjectFile, list[Diagnostic]]:
    """The project as far as it can be read, and all errors. Raises `CannotRead`."""
    path = folder / PROJECT_FILE
    if not path.exists():
        return ProjectFile(folder), []
    empty = ProjectFile(folder, is_written=True, mappings=_mappings_beside(folder))
    try:
        root, mistakes = read_yaml(read_source(path, hidden=True, unsaved=unsaved))
    except Mistakes as no_yaml:
        return empty, [one for one in no_yaml.diagnostics if one.kind is not kinds.EMPTY_FILE]
    report = DiagnosticReport(mistakes)
    table = Table.open(root, report, "the project", _PROJECT_KEYS)
    return _project(folder, table) if table else empty, report.diagnostics


def project_folder() -> Path:
    """The nearest folder with a project file, from the current one upwards, or else the current one.

    Ignores files of other users, which could send secrets from the environment to their own address.
    """
    here = Path.cwd()
    for depth, folder in enumerate((here, *here.parents)):
        path = folder / PROJECT_FILE
        if path.exists() and (depth == 0 or _is_own(path)):
            return Path(*[".."] * depth)
    return Path()


def _is_own(path: Path) -> bool:
    return os.name == "nt" or path.stat().st_uid in (os.getuid(), 0)


def _mappings_beside(folder: Path) -> Path | None:
    """The default folder of mappings, if it contains any."""
    beside = folder / _MAPPINGS
    return beside if any(beside.glob("*.yaml")) or any(beside.glob("*.yml")) else None


def _project(folder: Path, table: Table) -> ProjectFile:
    secrets = table.text("secrets")
    days = table.number("repeats", "a whole number of days, 0 for none")
    orgs = {name.text: read_org(name, node, table.report) for name, node in table.tables("orgs")}
    return ProjectFile(
        folder=folder,
        is_written=True,
        mappings=_mappings(folder, table),
        use=table.texts("use"),
        settings=tuple(table.tables("settings")),
        usual=_usual(table),
        secrets=secrets.text if secrets else "secrets.env",
        default_org=_default_org(table, (LOCAL, *orgs)),
        silenced=frozenset(_silenced(table)),
        repeats=7 if days is None else int(days),
        orgs=orgs,
        serve=read_serve(table),
        sources=_sources(table),
        shared_state=_shared_state(table),
    )


def _shared_state(table: Table) -> ScalarNode | None:
    url = table.text("state")
    if url is None:
        return None
    if VARIABLE.fullmatch(url.text):
        return url
    if not url.text.startswith(("postgresql://", "postgres://")):
        table.report.error(
            kinds.WRONG_VALUE,
            url.span,
            "state is the URL of a PostgreSQL database",
            "write postgresql://user@host/name, or leave the key out for files beside the project",
        )
        return None
    if not all(map(VARIABLE.fullmatch, _passwords(url.text))):
        check_is_variable("state", url, table.report)
        return None
    return url


def _passwords(url: str) -> Iterator[str]:
    login = url.partition("://")[2].rpartition("@")[0]
    if ":" in login:
        yield login.partition(":")[2]
    yield from (text for name, text in parse_qsl(url.partition("?")[2]) if "password" in name)


def _sources(table: Table) -> dict[str, "SourceEntry"]:
    named = list(table.tables("sources"))
    if not named:
        return {}
    # With the formats and shapes of files, which few projects describe.
    from sfmap.engine.project.source_entry import read_source_entry

    entries = (read_source_entry(name, node, table.report) for name, node in named)
    return {entry.name.text: entry for entry in entries if entry}


def _mappings(folder: Path, table: Table) -> Path | None:
    named = table.text("mappings")
    if named is None:
        return _mappings_beside(folder)
    if (folder / named.text).is_dir():
        return folder / named.text
    table.report.error(kinds.UNKNOWN_MAPPING, named.span, "there is no such folder of mappings")
    return None


def _default_org(table: Table, known: tuple[str, ...]) -> str:
    chosen = table.text("default_org")
    if chosen is None or chosen.text in known:
        return chosen.text if chosen else LOCAL
    help_ = did_you_mean(chosen.text, known) or f"known: {listed(known, 'and')}"
    table.report.error(kinds.WRONG_VALUE, chosen.span, "default_org names none of the orgs", help_)
    return LOCAL


def _silenced(project: Table) -> Iterator[str]:
    for node in project.texts("silence"):
        kind = kinds.KINDS.get(node.text)
        if kind is None:
            project.report.error(
                kinds.WRONG_SILENCE, node.span, "there is no diagnostic of this code", "such as SF023"
            )
        elif not kind.warns:
            project.report.error(
                kinds.WRONG_SILENCE, node.span, f"{kind.code} is an error: only warnings can be silenced"
            )
        else:
            yield kind.code


def _usual(project: Table) -> TableNode | None:
    entries = tuple(entry for entry in project.node.entries if entry[0].text in _USUAL_KEYS)
    read_blank_values(project)
    read_conventions(project)
    return TableNode(entries, project.node.span) if entries else None
