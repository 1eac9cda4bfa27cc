"""The project in a folder: what `sfmap.yaml` says of mappings, settings and orgs; every key is optional."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sfmap.engine.secrets import VARIABLE, SecretMissing, fill_in
from sfmap.engine.spec.diagnostics import Mistakes, did_you_mean, listed
from sfmap.engine.spec.files import read_source
from sfmap.engine.spec.overlay import Setting
from sfmap.engine.spec.reader import Report, Table
from sfmap.engine.spec.source import ScalarNode, TableNode, read_yaml

PROJECT_FILE = "sfmap.yaml"
LOCAL = "local"

_PROJECT_KEYS = ("mappings", "use", "default_org", "settings", "secrets", "orgs")
_LOCAL_KEYS = ("schema", "settings")
_ORG_KEYS = (
    "auth", "sandbox", "login_url", "api_version", "username", "password", "security_token",
    "settings",
)  # fmt: skip
_SECRET_KEYS = ("password", "security_token")
_WAYS_TO_SIGN_IN = ("login",)


class NoSuchOrg(Exception):
    """An org that the project does not name."""


@dataclass(frozen=True, slots=True)
class OrgEntry:
    """One org as the project file has it, its `${...}` not filled in."""

    name: str
    sandbox: bool = False
    texts: Mapping[str, ScalarNode] = field(default_factory=dict)
    """The other keys that are there."""
    settings: tuple[Setting, ...] = ()
    """What is set for this org alone."""


@dataclass(frozen=True)
class Project:
    folder: Path
    mappings: Path | None = None
    """The folder of mappings; None for the shipped ones."""
    use: tuple[ScalarNode, ...] = ()
    settings: tuple[Setting, ...] = ()
    secrets: str = "secrets.env"
    default_org: str = LOCAL
    orgs: Mapping[str, OrgEntry] = field(default_factory=dict)

    @property
    def state(self) -> Path:
        """The folder of what is not committed: the local org's records, for one."""
        return self.folder / ".sfmap"

    @property
    def database(self) -> Path:
        """The local org's records."""
        return self.state / "org.db"

    def org(self, name: str | None) -> OrgEntry:
        """The org of that name, or the default one. Raises `NoSuchOrg`."""
        wanted = name or self.default_org
        known = {LOCAL: OrgEntry(LOCAL), **self.orgs}
        if wanted in known:
            return known[wanted]
        hint = did_you_mean(wanted, known) or f"known: {listed(known, 'and')}"
        raise NoSuchOrg(f'{PROJECT_FILE} names no org "{wanted}"; {hint}')

    def filled_in(self, entry: OrgEntry, key: str) -> str:
        """The text of an org's key, secrets filled in; empty where it is absent. Raises `SecretMissing`."""
        node = entry.texts.get(key)
        if node is None:
            return ""
        try:
            return fill_in(node.text, self.folder / self.secrets)
        except SecretMissing as missing:
            place = f"{PROJECT_FILE}:{node.span.line}: {key} of the org {entry.name}"
            raise SecretMissing(f"{place}: {missing}") from None


def load_project(folder: Path) -> Project:
    """The project in `folder`, an empty one where it has no project file. Raises `Mistakes` or `CannotRead`."""
    path = folder / PROJECT_FILE
    if not path.exists():
        return Project(folder)
    root, mistakes = read_yaml(read_source(path, hidden=True))
    report = Report(mistakes)
    table = Table.open(root, report, "the project", _PROJECT_KEYS)
    project = _project(folder, table) if table else Project(folder)
    if report.diagnostics:
        raise Mistakes(report.diagnostics)
    return project


def _project(folder: Path, table: Table) -> Project:
    mappings, secrets, default_org = (table.text(key) for key in ("mappings", "secrets", "default_org"))
    return Project(
        folder=folder,
        mappings=folder / mappings.text if mappings else None,
        use=table.texts("use"),
        settings=tuple(table.tables("settings")),
        secrets=secrets.text if secrets else "secrets.env",
        default_org=default_org.text if default_org else LOCAL,
        orgs={name.text: _org(name, node, table.report) for name, node in table.tables("orgs")},
    )


def _org(name: ScalarNode, node: TableNode, report: Report) -> OrgEntry:
    known = _LOCAL_KEYS if name.text == LOCAL else _ORG_KEYS
    table = Table(node, report, f"the org {name.text}", known)
    table.choice("auth", _WAYS_TO_SIGN_IN)
    texts = {
        key: text for key in known if key not in ("auth", "sandbox", "settings") and (text := table.text(key))
    }
    for key in _SECRET_KEYS:
        if key in texts and not VARIABLE.fullmatch(texts[key].text):
            message = f"a secret does not belong in this file: write {key}: ${{SF_{key.upper()}}} here"
            report.error(texts[key].span, message, "and set it in the environment or in secrets.env")
    return OrgEntry(name.text, table.boolean("sandbox") or False, texts, tuple(table.tables("settings")))
