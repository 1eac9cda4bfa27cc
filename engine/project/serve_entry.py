"""Reads the settings of the service in the project file: storage limits, and the sources of events."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from sfmap.engine.project.secrets import check_is_variable
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.nodes import ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

Webhook = Literal["segment", "rudderstack"]
_WEBHOOKS: tuple[Webhook, ...] = get_args(Webhook)
_SERVE_KEYS = ("spool_megabytes", "spool_days", "dead_letter_megabytes", "history", "analytics_js", "sources")
_HISTORY_KEYS = ("days", "size")
_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(MB|GB)")
_MEGABYTES = {"MB": 1.0, "GB": 1024.0}
_SOURCE_KEYS = ("write_key", "webhook", "secret")
_SOURCE_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class EventSourceEntry:
    """A source of events for the service, by write key or webhook, with `${...}` not replaced."""

    name: str
    secret: ScalarNode
    """The write key, or the secret of the webhook."""
    webhook: Webhook | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """How long and how much the service remembers of what it delivered."""

    days: float = 7.0
    megabytes: float = 256.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeEntry:
    """The settings of the service: storage limits, history and sources."""

    spool_megabytes: float = 1024.0
    spool_days: float = 7.0
    dead_letter_megabytes: float = 256.0
    """For each source."""
    history: HistoryEntry | None = HistoryEntry()
    """None if it is off."""
    analytics_js: str = ""
    """The folder of analytics.js, which pages fetch; empty if it is not served."""
    sources: tuple[EventSourceEntry, ...] = ()


def read_serve(project: Table) -> ServeEntry:
    """The settings under `serve`."""
    node = project.get("serve")
    table = Table.open(node, project.report, "serve", _SERVE_KEYS) if node else None
    if table is None:
        return ServeEntry()
    megabytes = table.number("spool_megabytes", "a number of megabytes")
    days = table.number("spool_days", "a number of days")
    letters = table.number("dead_letter_megabytes", "a number of megabytes")
    for name, size in (("spool_megabytes", megabytes), ("dead_letter_megabytes", letters)):
        if size is not None and size * 1024 < 1:
            table.report.error(kinds.WRONG_VALUE, table.node.span, f"{name} is too small to store an event")
    analytics_js = table.text("analytics_js")
    usual = ServeEntry()
    sources = (_event_source(name, one, table.report) for name, one in table.tables("sources"))
    return ServeEntry(
        spool_megabytes=usual.spool_megabytes if megabytes is None else megabytes,
        spool_days=usual.spool_days if days is None else days,
        dead_letter_megabytes=usual.dead_letter_megabytes if letters is None else letters,
        history=_history(table),
        analytics_js=analytics_js.text if analytics_js else "",
        sources=tuple(source for source in sources if source),
    )


def _history(serve: Table) -> HistoryEntry | None:
    """The settings under `history`; None for `off`."""
    node = serve.get("history")
    if isinstance(node, ScalarNode) and node.text in ("off", "false"):
        return None
    if isinstance(node, ScalarNode):
        serve.report.error(
            kinds.WRONG_VALUE, node.span, "history must be off, or a table such as {days: 7, size: 256MB}"
        )
    table = Table.open(node, serve.report, "history", _HISTORY_KEYS) if isinstance(node, TableNode) else None
    usual = HistoryEntry()
    if table is None:
        return usual
    days = table.number("days", "a number of days")
    return HistoryEntry(
        days=usual.days if days is None else days, megabytes=_size(table, "size") or usual.megabytes
    )


def _size(table: Table, key: str) -> float | None:
    """Megabytes; None if the key is absent or wrong."""
    node = table.scalar(key)
    if node is None:
        return None
    found = _SIZE.fullmatch(node.text)
    if found is None or float(found[1]) == 0:
        table.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be a size, such as 256MB or 1GB")
        return None
    return float(found[1]) * _MEGABYTES[found[2]]


def _event_source(name: ScalarNode, node: TableNode, report: DiagnosticReport) -> EventSourceEntry | None:
    table = Table(node, report, f"the source {name.text}", _SOURCE_KEYS)
    webhook = table.choice("webhook", _WEBHOOKS)
    key = "secret" if "webhook" in table else "write_key"
    secret = table.text(key)
    if secret is None:
        report.error(kinds.MISSING_KEY, name.span, f'the source {name.text} needs the key "{key}"')
        return None
    if not check_is_variable(key, secret, report):
        return None
    if not _SOURCE_NAME.fullmatch(name.text):
        report.error(
            kinds.WRONG_NAME,
            name.span,
            "a source's name can contain letters, digits, dots, dashes, underscores",
        )
        return None
    return EventSourceEntry(name.text, secret, webhook)
