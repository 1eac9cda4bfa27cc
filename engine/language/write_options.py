"""Reads the keys `headers` and `batch_size` of a mapping or an org."""

import re

from sfmap.engine.language.key import names
from sfmap.engine.language.keys import HEADERS
from sfmap.engine.language.model import WriteHeaders
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.nodes import Node, ScalarNode, TableNode
from sfmap.engine.yaml_files.reader import DiagnosticReport, Table

_RULE = re.compile(r"default|off|[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_MOST_AT_ONCE = 200
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4})?")


def read_batch_size(table: Table) -> int | None:
    """The most records in one write; None if the table does not set it."""
    size = table.positive_integer("batch_size")
    if size and size > _MOST_AT_ONCE:
        table.report.error(
            kinds.WRONG_VALUE, table.key("batch_size").span, f"batch_size can be {_MOST_AT_ONCE} at most"
        )
    return size


def read_headers(node: Node | None, report: DiagnosticReport) -> WriteHeaders:
    """The headers in the node; errors go to the report."""
    table = Table.open(node, report, "headers", names(HEADERS)) if node else None
    if table is None:
        return WriteHeaders()
    rule = table.text("assignment_rule")
    if rule and not _RULE.fullmatch(rule.text):
        report.error(kinds.WRONG_VALUE, rule.span, "assignment_rule must be default, off, or the id of a rule")
    versions = table.get("package_versions")
    return WriteHeaders(
        assignment_rule=rule.text if rule else None,
        allow_duplicates=table.boolean("allow_duplicates"),
        all_or_none=table.boolean("all_or_none"),
        truncate=table.boolean("truncate"),
        send_emails=table.boolean("send_emails"),
        package_versions=_versions(versions, report) if versions else (),
    )


def _versions(node: Node, report: DiagnosticReport) -> tuple[tuple[str, str], ...]:
    entries = node.entries if isinstance(node, TableNode) else ()
    if not entries:
        report.error(
            kinds.WRONG_VALUE,
            node.span,
            "package_versions must be a table of versions by namespace, such as {acme: '1.2'}",
        )
    found = []
    for name, version in entries:
        if isinstance(version, ScalarNode) and _VERSION.fullmatch(version.text):
            found.append((name.text, version.text))
        else:
            report.error(kinds.WRONG_VALUE, version.span, f"the version of {name.text} must be like 1.2")
    return tuple(found)
