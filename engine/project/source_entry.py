"""Reads the entries of `sources` in the project file: files or a query, and how rows become events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

from sfmap.engine.project.durations import read_duration
from sfmap.engine.project.kafka_entry import KafkaEntry, read_kafka
from sfmap.engine.project.row_entry import EVENT_KEYS, read_columns
from sfmap.engine.project.secrets import check_is_variable
from sfmap.engine.sources.formats.format_options import FORMATS, USUAL_CSV, USUAL_FORMAT, CsvOptions, FormatOptions
from sfmap.engine.sources.shapes.event_columns import EventColumns
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import listed
from sfmap.engine.yaml_files.nodes import Node, ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

Order = Literal["name", "modified"]
_ORDERS: tuple[Order, ...] = get_args(Order)
FILE_KEYS = ("files", "format", "csv", "since", "order", "store")
QUERY_KEYS = ("sql", "cursor", "overlap")
_KIND_KEYS = {"files": FILE_KEYS, "sql": QUERY_KEYS, "kafka": ("kafka",)}
"""By the key that says what a source is, the keys of such a source."""
_SOURCE_KEYS = (*FILE_KEYS, *QUERY_KEYS, "kafka", *EVENT_KEYS)
_CSV_KEYS = ("delimiter", "encoding", "header")
_SQL_KEYS = ("url", "table", "query", "cursor_is_set_by_database")
STORE_KEYS = (
    *("region", "endpoint", "access_key_id", "secret_access_key", "session_token"),
    *("account_name", "account_key", "sas_token", "service_account", "service_account_key", "credentials"),
)
_SECRET_KEYS = ("secret_access_key", "session_token", "account_key", "sas_token", "service_account_key")
_NAME = re.compile(r"[A-Za-z_][\w-]*")
USUAL_OVERLAP = 15 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One source of the project file, with `${...}` not replaced."""

    name: ScalarNode
    files: tuple[ScalarNode, ...] = ()
    """Paths from the project's folder, globs and URLs; none for a query or a topic."""
    format: FormatOptions = USUAL_FORMAT
    since: float = 0.0
    """Seconds since 1970: files that were modified before are left out."""
    order: Order = "name"
    store: Mapping[str, ScalarNode] = field(default_factory=dict)
    """The settings of an object store."""
    sql: Mapping[str, ScalarNode] = field(default_factory=dict)
    """The address of a database, and its table or query."""
    cursor: tuple[str, ...] = ()
    overlap: float = USUAL_OVERLAP
    """Seconds."""
    kafka: KafkaEntry | None = None
    columns: EventColumns | None = None
    """How rows become events; None if they are events."""


def read_source_entry(name: ScalarNode, node: TableNode, report: DiagnosticReport) -> SourceEntry | None:
    """The entry of a source."""
    table = Table(node, report, f"the source {name.text}", _SOURCE_KEYS)
    if not _NAME.fullmatch(name.text):
        message = "a source's name begins with a letter, and can contain letters, digits, dashes and underscores"
        report.error(kinds.WRONG_NAME, name.span, message)
    files = table.texts("files")
    sql = _texts(table.get("sql"), report, "sql", _SQL_KEYS)
    chosen = [kind for kind in _KIND_KEYS if kind in table]
    if len(chosen) != 1:
        message = f"the source {name.text} needs one of {listed(_KIND_KEYS)}"
        report.error(kinds.MISSING_KEY, name.span, message)
        return None
    for kind, keys in _KIND_KEYS.items():
        for key in keys[1:] if kind not in chosen else ():
            if key in table:
                message = f"{key} belongs to a source with {kind}"
                report.error(kinds.CONFLICTING_KEYS, table.key(key).span, message)
    kafka = read_kafka(table, name)
    if kafka is None and "kafka" in table:
        return None
    if sql:
        _check_query(name, sql, report)
    options = _csv_options(table, report)
    overlap = read_duration(table, "overlap")
    return SourceEntry(
        name=name,
        files=files,
        format=FormatOptions(format=table.choice("format", FORMATS) or "", csv=options),
        since=_since(table),
        order=table.choice("order", _ORDERS) or "name",
        store=_store(table, report),
        sql=sql,
        cursor=tuple(one.text for one in table.texts("cursor")),
        overlap=USUAL_OVERLAP if overlap is None else overlap,
        kafka=kafka,
        columns=read_columns(table),
    )


def _texts(
    node: Node | None, report: DiagnosticReport, name: str, known: tuple[str, ...]
) -> dict[str, ScalarNode]:
    table = Table.open(node, report, name, known) if node else None
    if table is None:
        return {}
    return {key: value for key in known if key in table and (value := table.scalar(key))}


def _check_query(name: ScalarNode, sql: Mapping[str, ScalarNode], report: DiagnosticReport) -> None:
    if "url" not in sql:
        report.error(kinds.MISSING_KEY, name.span, f'the source {name.text} needs the key "url" under sql')
    elif "@" in sql["url"].text:
        check_is_variable("url", sql["url"], report)
    if ("table" in sql) == ("query" in sql):
        report.error(kinds.MISSING_KEY, name.span, f"the source {name.text} needs either table or query under sql")


def _csv_options(source: Table, report: DiagnosticReport) -> CsvOptions:
    node = source.get("csv")
    table = Table.open(node, report, "csv", (*_CSV_KEYS, "decimal")) if node else None
    if table is None:
        return USUAL_CSV
    delimiter, encoding = table.text("delimiter"), table.text("encoding")
    header = table.boolean("header")
    if encoding and not _is_encoding(encoding.text):
        message = f'there is no encoding "{encoding.text}"'
        report.error(kinds.WRONG_VALUE, encoding.span, message, "such as utf-8 or windows-1252")
        encoding = None
    return CsvOptions(
        delimiter=delimiter.text if delimiter else "",
        encoding=encoding.text if encoding else "",
        header=True if header is None else header,
    )


def _is_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True


def _store(source: Table, report: DiagnosticReport) -> dict[str, ScalarNode]:
    texts = _texts(source.get("store"), report, "store", STORE_KEYS)
    for key in _SECRET_KEYS:
        if key in texts:
            check_is_variable(key, texts[key], report)
    chosen = texts.get("credentials")
    if chosen and chosen.text not in ("instance", "anonymous"):
        report.error(kinds.WRONG_VALUE, chosen.span, "credentials must be instance or anonymous")
    return texts


def _since(source: Table) -> float:
    node = source.scalar("since")
    if node is None:
        return 0.0
    try:
        moment = datetime.fromisoformat(node.text)
    except ValueError:
        source.report.error(kinds.WRONG_VALUE, node.span, "since must be a date or time, such as 2026-01-31")
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
