"""Compiles Jinja2 templates and conditions into functions of an event, and finds what they read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes

from sfmap.engine.language.model import CONVENTIONS, Conventions
from sfmap.engine.mapping.compile.literals import template_code
from sfmap.engine.mapping.compile.sandbox import (
    ENVIRONMENT,
    Bounded,
    check_length,
    environment,
    failure,
)
from sfmap.engine.mapping.compile.template_mistakes import in_text, template_mistake
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.mapping.run.compiled_source import CompiledSource, Path, TemplateFailed
from sfmap.engine.mapping.values.event import EVENT_NAMES, INDEX, ITEM, MISSING, loose_get
from sfmap.engine.mapping.values.record import Event, Json
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import did_you_mean
from sfmap.engine.yaml_files.kinds import Kind
from sfmap.engine.yaml_files.nodes import ScalarNode
from sfmap.engine.yaml_files.reader import DiagnosticReport

_STATEMENTS: dict[type[nodes.Node], str] = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "set without =",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "from",
    nodes.Extends: "extends",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
}
"""Statements that a template for one field does not need."""


def compile_template(
    node: ScalarNode, report: DiagnosticReport, conventions: Conventions = CONVENTIONS
) -> CompiledSource | None:
    """The template as a function of the event view; None and a diagnostic if it is invalid.

    The function raises `TemplateFailed` for an event for which rendering fails.
    """
    tree = _parsed(node, node.text, 0, report)
    return _compiled(tree, node, "its template", report, conventions) if tree else None


def has_text_of_its_own(template: ScalarNode) -> bool:
    """Whether it prints something for every event: `Order {{ properties.order_id }}`."""
    try:
        tree = ENVIRONMENT.parse(template.text)
    except TemplateSyntaxError:
        return False
    printed = (piece for node in tree.body if isinstance(node, nodes.Output) for piece in node.nodes)
    return any(isinstance(piece, nodes.TemplateData) and not piece.data.isspace() for piece in printed)


def below(template: CompiledSource, bases: Sequence[CompiledSource]) -> CompiledSource:
    """The template of an address part, with names from the first of the `bases` that has one of them.

    Names that are part of an event keep their meaning; a template with only these does not use the bases.
    """
    names = tuple(name for name in template.names if name not in (*EVENT_NAMES, ITEM, INDEX))
    if not names or not bases:
        return template

    def get(event: Event) -> Json:
        for base in bases:
            held = base.get(event)
            if isinstance(held, dict):
                own = {name: loose_get(held, name) for name in names}
                if any(value is not MISSING and value not in (None, "") for value in own.values()):
                    known = {name: value for name, value in own.items() if value is not MISSING}
                    return template.get({**event, **known})  # type: ignore[dict-item]  # all but MISSING is JSON
        return None

    reads = (path for base in bases for path in base.reads)
    read = (*template.reads, *((*path, name) for path in reads for name in names))
    kept = tuple(name for name in template.names if name not in names)
    return CompiledSource(text=template.text, span=template.span, get=get, reads=read, names=kept)


def compile_condition(
    node: ScalarNode, report: DiagnosticReport, conventions: Conventions = CONVENTIONS
) -> CompiledSource | None:
    """A Jinja2 expression, in `{{ }}` or bare, as a function that returns some text if it is true."""
    text = node.text.strip()
    braces = text.startswith("{{") and text.endswith("}}")
    tree = _parsed(
        node, text if braces else f"{{{{{text}}}}}", node.text.find(text) - (0 if braces else 2), report
    )
    if tree is None:
        return None
    expressions = [part for output in tree.body if isinstance(output, nodes.Output) for part in output.nodes]
    if len(tree.body) != 1 or len(expressions) != 1 or isinstance(expressions[0], nodes.TemplateData):
        report.error(
            kinds.WRONG_TEMPLATE,
            node.span,
            "when must be one Jinja2 expression",
            "such as \"{{ traits.plan == 'pro' }}\"",
        )
        return None
    outcome = nodes.If(expressions[0], [nodes.Output([nodes.TemplateData("true")])], [], [])
    return _compiled(nodes.Template([outcome], lineno=1), node, node.text, report, conventions)


def _parsed(node: ScalarNode, text: str, offset: int, report: DiagnosticReport) -> nodes.Template | None:
    """Jinja2's tree of the text, which starts at `offset` in the node's; None and diagnostics if it is invalid."""
    code = template_code(text)
    try:
        tree = ENVIRONMENT.parse(code)
    except TemplateSyntaxError as error:
        mistake = template_mistake(ENVIRONMENT, code, error)
        place = node.part(max(0, in_text(text, code, mistake.start) + offset), mistake.width)
        report.error(kinds.WRONG_TEMPLATE, place, mistake.message, mistake.help)
        return None
    except RecursionError:
        report.error(kinds.WRONG_TEMPLATE, node.span, "this template is nested too deeply")
        return None
    complaints = [*_wrong_filters(tree), *_unwanted_statements(tree)]
    for one in complaints:
        start = sum(len(row) for row in text.splitlines(keepends=True)[: one.line - 1])
        found = text.find(one.word, start)
        report.error(one.kind, node.part(max(0, found + offset), len(one.word)), one.message, one.help)
    return None if complaints else tree


@dataclass(frozen=True, slots=True, kw_only=True)
class _Complaint:
    """A part of a template that is not allowed."""

    kind: Kind
    line: int
    """In the template, from 1."""
    word: str
    """The word in this line."""
    message: str
    help: str = ""


def _wrong_filters(tree: nodes.Template) -> Iterator[_Complaint]:
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        word, known = (
            ("filter", ENVIRONMENT.filters) if isinstance(node, nodes.Filter) else ("test", ENVIRONMENT.tests)
        )
        if node.name not in known:
            yield _Complaint(
                kind=kinds.UNKNOWN_FILTER,
                line=node.lineno,
                word=node.name,
                message=f'there is no {word} "{node.name}"',
                help=did_you_mean(node.name, known),
            )
        elif isinstance(node, nodes.Filter) and node.name in FILTERS and (complaint := _wrong_arguments(node)):
            yield _Complaint(kind=kinds.WRONG_ARGUMENTS, line=node.lineno, word=node.name, message=complaint)


def _wrong_arguments(node: nodes.Filter) -> str:
    """What is wrong with the constant arguments of a filter."""
    if node.kwargs or node.dyn_kwargs:
        return f"{node.name} takes its arguments in order, without names"
    if node.dyn_args:
        return ""
    try:
        constants = [argument.as_const() for argument in node.args]
    except nodes.Impossible:
        return ""
    return FILTERS[node.name].complaint(constants)


def _unwanted_statements(tree: nodes.Template) -> Iterator[_Complaint]:
    for node in tree.find_all(tuple(_STATEMENTS)):
        name = _STATEMENTS[type(node)]
        yield _Complaint(
            kind=kinds.UNWANTED_STATEMENT,
            line=node.lineno,
            word=name.split()[0],
            message=f"a field's template has no {name}",
            help="use if, for or set",
        )
    for node in tree.find_all(nodes.For):
        if node.recursive:
            yield _Complaint(
                kind=kinds.UNWANTED_STATEMENT,
                line=node.lineno,
                word="recursive",
                message="a field's template has no recursive loops",
            )


def _compiled(
    tree: nodes.Template, node: ScalarNode, text: str, report: DiagnosticReport, conventions: Conventions
) -> CompiledSource | None:
    reads, names = tuple(_reads(tree)), tuple(_names(tree))
    try:
        template = environment(conventions).from_string(Bounded().visit(tree))
    except TemplateSyntaxError as error:
        report.error(kinds.WRONG_TEMPLATE, node.span, f"this is not a template: {error.message}")
        return None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:  # Python's own
        report.error(kinds.WRONG_TEMPLATE, node.span, f"this template cannot be compiled: {error}")
        return None

    def get(event: Event) -> Json:
        pieces: list[str] = []
        length = 0
        try:
            for piece in template.root_render_func(template.new_context(event)):
                length += len(piece)
                check_length(length)
                pieces.append(piece)
        except TemplateFailed:
            raise
        except Exception as error:
            raise failure(error) from error
        return "".join(pieces)

    return CompiledSource(text=text, span=node.span, get=get, reads=reads, names=names)


def _names(tree: nodes.Node) -> Iterator[str]:
    """The names that the template reads and does not set itself, each once."""
    found = list(tree.find_all(nodes.Name))
    own = {name.name for name in found if name.ctx != "load"} | {"loop"} | ENVIRONMENT.globals.keys()
    yield from dict.fromkeys(name.name for name in found if name.name not in own)


def _reads(tree: nodes.Node) -> Iterator[Path]:
    """The chains of constant keys that start at a name: `traits.company.name`, `traits["First Name"]`.

    A method is not a key: `traits.name.split(' ')` reads `traits.name`.
    """
    methods = {id(call.node) for call in tree.find_all(nodes.Call)}
    steps: list[nodes.Getattr | nodes.Getitem] = [*tree.find_all(nodes.Getattr), *tree.find_all(nodes.Getitem)]
    paths = [(step, path) for step in steps if id(step) not in methods and (path := _chain(step))]
    beginnings = {id(step.node) for step, _ in paths}
    yield from (path for step, path in paths if id(step) not in beginnings)


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
