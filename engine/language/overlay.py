"""Merges a mapping over the one it `extends`, and settings of `sfmap.yaml` over both, key by key."""

from collections.abc import Callable
from dataclasses import replace

from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Source
from sfmap.engine.yaml_files.nodes import Node, ScalarNode, TableNode, read_yaml
from sfmap.engine.yaml_files.reader import DiagnosticReport, node_kind

Library = Callable[[str, Source], Source | None]
"""Finds the mapping of a name for the file that extends it; None if there is none."""

Setting = tuple[ScalarNode, TableNode]
"""The settings of a project for the mapping of a name."""

ORIGINS = ("from", "template", "value")
"""The keys for the origin of a rule's value: a rule has one of them."""

_RULE_TABLES = ("fields", "parts")
_NOT_INHERITED = ("extends", "active")


def extended(source: Source, library: Library, report: DiagnosticReport) -> Node:
    """The mapping in `source` merged over those it extends. Raises `Mistakes` if a text is not YAML."""
    return _extended(source, library, report, (source.file,))


def _extended(source: Source, library: Library, report: DiagnosticReport, files: tuple[str, ...]) -> Node:
    root, mistakes = read_yaml(source)
    report.diagnostics += mistakes
    name = entry(root, "extends")
    if name is None or not isinstance(root, TableNode):
        return root
    if not isinstance(name, ScalarNode) or not isinstance(name.value, str):
        report.error(kinds.WRONG_VALUE, name.span, f"extends must be the name of a mapping, not {node_kind(name)}")
        return root
    base = library(name.text, source)
    if base is None:
        report.error(kinds.UNKNOWN_MAPPING, name.span, f'there is no mapping "{name.text}" to extend')
        return root
    if base.file in files:
        around = " → ".join((*files[files.index(base.file) :], base.file))
        report.error(
            kinds.ENDLESS_EXTENDS,
            name.span,
            f"these mappings extend each other: {around}",
            "remove extends from one of them",
        )
        return root
    below = _extended(base, library, report, (*files, base.file))
    return laid_over(_without(below, _NOT_INHERITED), root) if isinstance(below, TableNode) else root


def entry(node: Node, key: str) -> Node | None:
    """The value of a key, if the node is a table that has it."""
    if not isinstance(node, TableNode):
        return None
    return next((value for name, value in node.entries if name.text == key), None)


def laid_over(base: TableNode, over: TableNode, among_rules: bool = False) -> TableNode:
    """`base` with the entries of `over`: tables are merged, null removes, anything else replaces.

    A rule with an origin for its value replaces that of the base. The short form of a rule is only an origin.
    """
    entries = {key.text: (key, value) for key, value in base.entries}
    for key, own in over.entries:
        before = entries[key.text][1] if key.text in entries else None
        value = own
        if before and among_rules:
            before, value = _in_full(key, before), _in_full(key, own)
        if before and _is_null(value):
            del entries[key.text]
        elif isinstance(value, TableNode) and isinstance(before, TableNode):
            below = before
            if among_rules and any(entry(value, origin) for origin in ORIGINS):
                below = _without(below, ORIGINS)
            entries[key.text] = (key, laid_over(below, value, key.text in _RULE_TABLES))
        else:
            entries[key.text] = (key, value)
    return TableNode(tuple(entries.values()), over.span)


def _in_full(key: ScalarNode, rule: Node) -> Node:
    """`Field: source` as `Field: {from: source}`."""
    if isinstance(rule, ScalarNode) and isinstance(rule.value, str):
        return TableNode(((replace(key, text="from"), rule),), rule.span)
    return rule


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _without(table: TableNode, keys: tuple[str, ...]) -> TableNode:
    return TableNode(tuple(item for item in table.entries if item[0].text not in keys), table.span)
