"""Checks the first names of sources and templates: parts of an event, or the item."""

import re
from collections.abc import Iterable

from sfmap.engine.language.model import FieldRule, Mapping, SourcePath
from sfmap.engine.mapping.run.compiled_source import CompiledSource
from sfmap.engine.mapping.run.field_plan import FieldPlan
from sfmap.engine.mapping.values.event import EVENT_NAMES, INDEX, ITEM
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Span, did_you_mean
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport

_OF_PAGES = ("name", "category")
_WITH_NAMES = ("page", "screen")
_HOLDERS = ("traits", "properties", "context", "integrations")
_WORDS = {"null": "none", "NULL": "none", "nil": "none", "undefined": "none", "TRUE": "true", "FALSE": "false"}
"""Names that people know from other languages, with their Jinja2 equivalents."""
_FIRST = re.compile(r"\s*(?:\$\.)?([^\W\d][\w-]*)")


def check_names(
    mapping: Mapping,
    when: CompiledSource | None,
    rules: Iterable[tuple[FieldRule, FieldPlan]],
    report: DiagnosticReport,
) -> None:
    """Reports sources, templates and conditions whose first name is not in an event, or is an item too early.

    Each rule comes with the plan of its field.
    """
    checker = _Checker(mapping, report)
    for path in (mapping.opt_in, mapping.for_each):
        if path:
            checker.path(path, has_items=False)
    if mapping.when and when:
        checker.template(mapping.when, when, has_items=False)
    for base in mapping.custom.bases if mapping.custom else ():
        checker.path(base, has_items=bool(mapping.for_each))
    for rule, plan in rules:
        checker.rule(rule, plan)


class _Checker:
    def __init__(self, mapping: Mapping, report: DiagnosticReport) -> None:
        types = {pattern.type for pattern in mapping.events}
        self.known = (*EVENT_NAMES, *(_OF_PAGES if types & {*_WITH_NAMES} else ()))
        self.holder = "traits" if types & {"identify", "group"} else "properties"
        self.has_items = mapping.for_each is not None
        self.report = report

    def rule(self, rule: FieldRule, plan: FieldPlan) -> None:
        readable = {source.text for source in plan.sources}
        for path in rule.sources:
            if path.text in readable:
                self.path(path, self.has_items, "" if path.base or len(plan.sources) > 1 else rule.field)
        if rule.template and plan.sources:
            self.template(rule.template, plan.sources[0], self.has_items)
        if rule.when and plan.when:
            self.template(rule.when, plan.when, self.has_items)

    def path(self, path: SourcePath, has_items: bool, field: str = "") -> None:
        text = path.base.text if path.base else path.text
        first = _FIRST.match(text)
        if first is None:
            return
        rest = text[first.end() :]
        constant = f'"{field}: {{value: {text}}}"' if field and not rest.strip() else ""
        self._name(first[1], path.span(first.start(1), len(first[1])), has_items, rest, constant)

    def template(self, node: ScalarNode, compiled: CompiledSource, has_items: bool) -> None:
        for name in compiled.names:
            found = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", node.text)
            span = node.part(found.start(), len(name)) if found else node.span
            rest = re.match(r"[.\w]*", node.text[found.end() :]) if found else None
            self._name(name, span, has_items, rest[0] if rest else "")

    def _name(self, name: str, span: Span, has_items: bool, rest: str, constant: str = "") -> None:
        if name in (ITEM, INDEX):
            if not has_items:
                when = "here: this is read before for_each" if self.has_items else "without for_each"
                self.report.error(kinds.ITEM_WITHOUT_FOR_EACH, span, f"there is no {name} {when}")
        elif name in _WORDS:
            self.report.warning(kinds.UNKNOWN_SOURCE, span, f"{name} is not defined here", f"write {_WORDS[name]}")
        elif name not in self.known:
            help_ = self._help(name, rest.partition("|")[0].rstrip(), ITEM if has_items else self.holder, constant)
            self.report.warning(kinds.UNKNOWN_SOURCE, span, f"no event has {name} at its top level", help_)

    def _help(self, name: str, rest: str, holder: str, constant: str) -> str:
        near = did_you_mean(name, _HOLDERS if rest else self.known)
        path = near.replace('"?', f'{rest}"?') or f'write "{holder}.{name}{rest}"'
        if not constant:
            return path
        return f"{path} For a constant write {constant}" if near else f"{path}, or for a constant {constant}"
