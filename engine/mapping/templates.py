"""Jinja2 templates, sandboxed, over an event: the same filters as pipes, and what a template is known to read."""

import re
from collections.abc import Iterator

from jinja2 import ChainableUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sfmap.engine.mapping.event import MISSING, as_text, loose_get
from sfmap.engine.mapping.filters import FILTERS
from sfmap.engine.mapping.paths import CompiledSource, Path
from sfmap.engine.mapping.record import Event, Json
from sfmap.engine.spec.diagnostics import did_you_mean
from sfmap.engine.spec.reader import Report
from sfmap.engine.spec.source import ScalarNode

_NO_FILTER = re.compile(r"No filter named '(.*)'")


class TemplateFailed(Exception):
    """A template that could not be rendered for one event."""


class _EventEnvironment(ImmutableSandboxedEnvironment):
    """An event is data only: a name after a dot is a key, matched loosely, and never a Python attribute."""

    def getattr(self, obj: object, attribute: str) -> object:
        return self._key(obj, attribute) if isinstance(obj, dict) else super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, dict) and isinstance(argument, str):
            return self._key(obj, argument)
        return super().getitem(obj, argument)

    def _key(self, table: dict[str, Json], key: str) -> object:
        value = loose_get(table, key)
        return self.undefined(obj=table, name=key) if value is MISSING or value is None else value


def _printed(value: object) -> str:
    """What `{{ value }}` prints: scalars as JSON does; nothing for null, objects and lists."""
    return as_text(value) if isinstance(value, (str, int, float)) else ""


_ENVIRONMENT = _EventEnvironment(undefined=ChainableUndefined, finalize=_printed, autoescape=False)
_ENVIRONMENT.filters.update({name: known.function for name, known in FILTERS.items()})
"""Ours come over Jinja2's where both have the name, so that a filter means the same everywhere."""


def compile_template(node: ScalarNode, report: Report) -> CompiledSource | None:
    """The template as a function of the event view; None and a diagnostic where it is broken.

    The function raises `TemplateFailed` for an event that the template stumbles over.
    """
    try:
        tree = _ENVIRONMENT.parse(node.text)
        reads = tuple(_reads(tree))
        template = _ENVIRONMENT.from_string(tree)
    except TemplateSyntaxError as error:
        _report_syntax(node, error, report)
        return None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # Python's own, of what Jinja2 makes
        report.error(node.span, f"this template cannot be compiled: {error}")
        return None

    def get(event: Event) -> Json:
        try:
            return template.render(event)
        except Exception as error:
            raise TemplateFailed(str(error)) from error

    return CompiledSource("its template", get, reads)


def _report_syntax(node: ScalarNode, error: TemplateSyntaxError, report: Report) -> None:
    line_start = sum(len(line) for line in node.text.splitlines(keepends=True)[: error.lineno - 1])
    unknown = _NO_FILTER.match(error.message or "")
    if unknown:
        name = unknown[1]
        place = node.text.find(name, line_start)
        help_ = did_you_mean(name, _ENVIRONMENT.filters)
        report.error(node.part(max(0, place), len(name)), f'there is no filter "{name}"', help_)
    else:
        report.error(node.part(line_start, 1), f"this is no template: {error.message}")


def _reads(tree: nodes.Node) -> Iterator[Path]:
    """Every chain of constant keys that begins at a name: `traits.company.name`, `traits["First Name"]`."""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = _chain(node)
        if path:
            yield path


def _chain(node: nodes.Node) -> Path | None:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr):
        key: object = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        key = node.arg.value
    else:
        return None
    before = _chain(node.node)
    return (*before, key) if before and isinstance(key, (str, int)) else None
