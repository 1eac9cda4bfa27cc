"""Reads a project's `sfmap.yaml`: mappings, settings, orgs and sources; every key is optional."""

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from sfmap.engine.errors import SfmapError
from sfmap.engine.language.conventions import read_conventions
from sfmap.engine.language.model import NO_HEADERS, WriteHeaders
from sfmap.engine.language.overlay import Setting
from sfmap.engine.language.rules import read_blank_values
from sfmap.engine.language.write_options import read_batch_size, read_headers
from sfmap.engine.org.login_url import login_url_mistake
from sfmap.engine.project.secrets import VARIABLE, SecretMissing, fill_in
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, did_you_mean, listed
from sfmap.engine.yaml_files.files import read_source
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode, read_yaml
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

PROJECT_FILE = "sfmap.yaml"
_MAPPINGS = "mappings"
LOCAL = "local"

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
    *_USUAL_KEYS,
)
_DELIVERY_KEYS = ("reserve", "patience", "call_limit", "batch_size")
_LOCAL_KEYS = ("schema", "settings", "headers", *_DELIVERY_KEYS)
_COMMON_KEYS = ("auth", "sandbox", "login_url", "api_version", "wsdl", "headers", "settings", *_DELIVERY_KEYS)
_PERCENT = re.compile(r"(\d{1,2}(?:\.\d+)?) ?%")
_SIGN_IN_KEYS: Mapping[str, tuple[str, ...]] = {
    "login": ("username", "password", "security_token"),
    "client_credentials": ("client_id", "client_secret"),
    "jwt": ("client_id", "username", "key_file"),
    "refresh_token": ("client_id", "refresh_token", "client_secret"),
    "session": ("session_file", "access_token", "instance_url"),
    "cli": ("target_org",),
}
"""The keys of each way to sign in."""
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "login": ("username", "password"),
    "client_credentials": ("client_id", "client_secret", "login_url"),
    "jwt": ("client_id", "username", "key_file"),
    "refresh_token": ("client_id", "refresh_token"),
    "session": (),
    "cli": ("target_org",),
}
_SECRET_KEYS = ("password", "security_token", "client_secret", "refresh_token", "access_token")
_NO_TEXTS = ("auth", "sandbox", "settings", "headers", *_DELIVERY_KEYS)


Webhook = Literal["segment", "rudderstack"]
_WEBHOOKS: tuple[Webhook, ...] = get_args(Webhook)
_SERVE_KEYS = ("spool_megabytes", "spool_days", "dead_letter_megabytes", "sources")
_SOURCE_KEYS = ("write_key", "webhook", "secret")
_SOURCE_NAME = re.compile(r"[\w.-]+")


class NoSuchOrg(SfmapError):
    """The project has no org of that name."""


@dataclass(frozen=True, slots=True)
class OrgEntry:
    """One org of the project file, with `${...}` not replaced."""

    name: str
    auth: str = "login"
    sandbox: bool = False
    texts: Mapping[str, ScalarNode] = field(default_factory=dict)
    """The values of the other keys."""
    settings: tuple[Setting, ...] = ()
    """Settings of mappings for this org only."""
    headers: WriteHeaders = NO_HEADERS
    reserve: float = 0.0
    """The share of the org's daily calls to leave unused."""
    patience: float | None = None
    """Seconds to wait while the org is unavailable; None for the default."""
    call_limit: float | None = None
    """Seconds after which the org itself ends a call; None for the default."""
    batch_size: int | None = None
    """The most records in one write, unless the mapping sets it; None for the default."""


@dataclass(frozen=True, slots=True)
class EventSourceEntry:
    """A source of events for the service, by write key or webhook, with `${...}` not replaced."""

    name: str
    secret: ScalarNode
    """The write key, or the secret of the webhook."""
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True)
class ServeEntry:
    """The settings of the service: storage limits and sources."""

    spool_megabytes: float = 1024.0
    spool_days: float = 7.0
    dead_letter_megabytes: float = 256.0
    """For each source."""
    sources: tuple[EventSourceEntry, ...] = ()


@dataclass(frozen=True)
class Project:
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
    serve: ServeEntry = ServeEntry()

    @property
    def spool(self) -> Path:
        """The file of events that the service has accepted and not yet delivered."""
        return self.state / "spool.db"

    @property
    def state(self) -> Path:
        """The folder of files that do not belong in git, such as the local org's records."""
        return self.folder / ".sfmap"

    @property
    def journal(self) -> Path:
        """The journal of deliveries."""
        return self.state / "journal.db"

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

    def filled_in(self, entry: OrgEntry, key: str) -> str:
        """The text of an org's key with secrets filled in; empty if absent. Raises `SecretMissing`."""
        node = entry.texts.get(key)
        return self._filled_in(node, f"{key} of the org {entry.name}") if node else ""

    def secret_of(self, source: EventSourceEntry) -> str:
        """A source's write key or secret, filled in. Raises `SecretMissing`."""
        return self._filled_in(source.secret, f"the secret of the source {source.name}")

    def _filled_in(self, node: ScalarNode, what: str) -> str:
        try:
            return fill_in(node.text, self.folder / self.secrets)
        except SecretMissing as missing:
            raise SecretMissing(f"{PROJECT_FILE}:{node.span.line}: {what}: {missing}") from None


def load_project(folder: Path) -> Project:
    """The project in `folder`, empty if it has no project file. Raises `Mistakes` or `CannotRead`."""
    project, diagnostics = read_project(folder)
    if diagnostics:
        raise Mistakes(diagnostics)
    return project


def read_project(folder: Path) -> tuple[Project, list[Diagnostic]]:
    """The project as far as it can be read, and all errors. Raises `CannotRead`."""
    path = folder / PROJECT_FILE
    if not path.exists():
        return Project(folder), []
    empty = Project(folder, is_written=True, mappings=_mappings_beside(folder))
    try:
        root, mistakes = read_yaml(read_source(path, hidden=True))
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


def _project(folder: Path, table: Table) -> Project:
    secrets = table.text("secrets")
    days = _number(table, "repeats", "a whole number of days, 0 for none")
    orgs = {name.text: _org(name, node, table.report) for name, node in table.tables("orgs")}
    return Project(
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
        serve=_serve(table),
    )


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


def _serve(project: Table) -> ServeEntry:
    node = project.get("serve")
    table = Table.open(node, project.report, "serve", _SERVE_KEYS) if node else None
    if table is None:
        return ServeEntry()
    megabytes = _number(table, "spool_megabytes", "a number of megabytes")
    days = _number(table, "spool_days", "a number of days")
    letters = _number(table, "dead_letter_megabytes", "a number of megabytes")
    for name, size in (("spool_megabytes", megabytes), ("dead_letter_megabytes", letters)):
        if size is not None and size * 1024 < 1:
            table.report.error(kinds.WRONG_VALUE, table.node.span, f"{name} is too small to store an event")
    usual = ServeEntry()
    sources = (_event_source(name, one, table.report) for name, one in table.tables("sources"))
    return ServeEntry(
        usual.spool_megabytes if megabytes is None else megabytes,
        usual.spool_days if days is None else days,
        usual.dead_letter_megabytes if letters is None else letters,
        tuple(source for source in sources if source),
    )


def _event_source(name: ScalarNode, node: TableNode, report: DiagnosticReport) -> EventSourceEntry | None:
    table = Table(node, report, f"the source {name.text}", _SOURCE_KEYS)
    webhook = table.choice("webhook", _WEBHOOKS)
    key = "secret" if "webhook" in table else "write_key"
    secret = table.text(key)
    if secret is None:
        report.error(kinds.MISSING_KEY, name.span, f'the source {name.text} needs the key "{key}"')
        return None
    if not VARIABLE.fullmatch(secret.text):
        message = f"a secret does not belong in this file: write {key}: ${{SF_{key.upper()}}} here"
        report.error(kinds.SECRET_IN_FILE, secret.span, message, "and set it in the environment or in secrets.env")
        return None
    if not _SOURCE_NAME.fullmatch(name.text):
        report.error(
            kinds.WRONG_NAME,
            name.span,
            "a source's name can contain letters, digits, dots, dashes, underscores",
        )
        return None
    return EventSourceEntry(name.text, secret, webhook)


def _org(name: ScalarNode, node: TableNode, report: DiagnosticReport) -> OrgEntry:
    if name.text == LOCAL:
        table = Table(node, report, "the local org", _LOCAL_KEYS)
        auth = "login"
    else:
        known = dict.fromkeys((*_COMMON_KEYS, *(key for keys in _SIGN_IN_KEYS.values() for key in keys)))
        table = Table(node, report, f"the org {name.text}", known)
        chosen = table.choice("auth", tuple(_SIGN_IN_KEYS))
        auth = chosen or "login"
        if chosen or "auth" not in table:
            _check_sign_in(name, table, auth)
    keys = [key.text for key, _ in table.node.entries if key.text not in _NO_TEXTS]
    texts = {key: text for key in keys if key in table.known and (text := table.text(key))}
    for key in _SECRET_KEYS:
        if key in texts and not VARIABLE.fullmatch(texts[key].text):
            message = f"a secret does not belong in this file: write {key}: ${{SF_{key.upper()}}} here"
            report.error(
                kinds.SECRET_IN_FILE, texts[key].span, message, "and set it in the environment or in secrets.env"
            )
    _check_address(texts, report)
    return OrgEntry(
        name=name.text,
        auth=auth,
        sandbox=table.boolean("sandbox") or False,
        texts=texts,
        settings=tuple(table.tables("settings")),
        headers=read_headers(table.get("headers"), report),
        reserve=_reserve(table),
        patience=_number(table, "patience", "a number of seconds"),
        call_limit=_number(table, "call_limit", "a number of seconds"),
        batch_size=read_batch_size(table),
    )


def _check_address(texts: Mapping[str, ScalarNode], report: DiagnosticReport) -> None:
    for key in ("login_url", "instance_url"):
        node = texts.get(key)
        if node and not VARIABLE.search(node.text) and (mistake := login_url_mistake(node.text)):
            what, advice = mistake
            report.error(kinds.WRONG_VALUE, node.span, f"{key} {what}", advice)


def _number(table: Table, key: str, wanted: str) -> float | None:
    """A number that is not negative; `wanted` describes it in the error."""
    node = table.scalar(key)
    if node is None or (type(node.value) in (int, float) and 0 <= float(node.text) < math.inf):
        return None if node is None else float(node.text)
    table.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be {wanted}")
    return None


def _reserve(table: Table) -> float:
    node = table.scalar("reserve")
    if node is None:
        return 0.0
    found = _PERCENT.fullmatch(node.text)
    if found is None:
        table.report.error(kinds.WRONG_VALUE, node.span, "reserve must be a share of the day's calls, such as 10%")
    return float(found[1]) / 100 if found else 0.0


def _check_sign_in(name: ScalarNode, table: Table, auth: str) -> None:
    """Reports keys of other ways to sign in, and missing keys of this one."""
    takes = (*_COMMON_KEYS, *_SIGN_IN_KEYS[auth])
    for key, _ in table.node.entries:
        if key.text in table.known and key.text not in takes:
            table.report.error(
                kinds.WRONG_SIGN_IN,
                key.span,
                f"{key.text} does not belong to auth: {auth}",
                f"it takes {listed(takes, 'and')}",
            )
    for wanted in _NEEDED[auth]:
        if wanted not in table:
            table.report.error(
                kinds.WRONG_SIGN_IN, name.span, f'the org {name.text} needs the key "{wanted}" for auth: {auth}'
            )
    if (
        auth == "session"
        and "session_file" not in table
        and not ("access_token" in table and "instance_url" in table)
    ):
        table.report.error(
            kinds.WRONG_SIGN_IN,
            name.span,
            f"the org {name.text} needs session_file, or access_token and instance_url",
        )
