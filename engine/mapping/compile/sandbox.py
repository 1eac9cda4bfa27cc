"""The environment of templates: events are only data, filters are the same as in pipes, and work is limited."""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from jinja2 import ChainableUndefined, Environment, TemplateError, nodes, pass_context, pass_environment
from jinja2.filters import do_sum
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from sfmap.engine.language.model import CONVENTIONS, Conventions
from sfmap.engine.mapping.filters.filter import LONGEST_RESULT, Filter
from sfmap.engine.mapping.filters.registry import FILTERS
from sfmap.engine.mapping.run.compiled_source import TemplateFailed
from sfmap.engine.mapping.values.event import MISSING, as_text, loose_get
from sfmap.engine.mapping.values.record import Json
from sfmap.engine.mapping.values.values import Unfit, shown

MOST_STEPS: Final = 100_000
"""The most steps for one template and event: turns of loops, items in filters, hundreds of characters."""
_CHARACTERS = 100
"""Characters of a text that count as one step."""
_WIDEST_NUMBER = 4_096
"""In bits."""

_BORROWED_FILTERS = (
    "abs count dictsort float groupby items length list map max min reject rejectattr reverse select"
    " selectattr sort sum truncate unique wordcount"
).split()
"""Jinja2's own filters that are deterministic and whose output is not much larger than their input."""

_LETTER_BY_LETTER = frozenset(("list", "max", "min", "sort", "unique"))
"""Filters that treat a text as a list."""

_TEXT_METHODS = frozenset(
    (
        "upper lower title capitalize casefold swapcase strip lstrip rstrip split rsplit splitlines partition"
        " rpartition startswith endswith removeprefix removesuffix find count isdigit isalpha isalnum isnumeric"
        " isupper islower"
    ).split()
)


def failure(error: Exception) -> TemplateFailed:
    """A library's error without values of the event, which Python's own messages can quote."""
    if isinstance(error, (TypeError, ArithmeticError, TemplateError, Unfit)):
        return TemplateFailed(shown(str(error)))
    return TemplateFailed(f"a value is not of the kind that it needs ({type(error).__name__})")


class _Context(Context):
    """The context of one rendering, with a count of its work."""

    steps = 0

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise TemplateFailed(f"it takes more than {MOST_STEPS:,} steps")


class _EventEnvironment(ImmutableSandboxedEnvironment):
    """Treats events as data only: a name after a dot is a key, matched loosely, never a Python attribute."""

    context_class = _Context
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def getattr(self, obj: object, attribute: str) -> object:
        if isinstance(obj, dict):
            return self._key(obj, attribute)
        if isinstance(obj, str) and attribute not in _TEXT_METHODS:
            return self.undefined(f"texts have no {attribute} in templates", obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        if isinstance(obj, dict) and isinstance(argument, str):
            return self._key(obj, argument)
        if isinstance(obj, str) and isinstance(argument, str):
            return self.getattr(obj, argument)
        return super().getitem(obj, argument)

    def call(self, context: Context, function: object, /, *arguments: object, **named: object) -> object:
        """A method of a text or list, or `range`."""
        assert isinstance(context, _Context)
        owner = getattr(function, "__self__", None)
        context.spend(1 + sum(map(_weight, (owner, *arguments, *named.values()))))
        result: object = super().call(context, function, *arguments, **named)
        if owner is not None:  # range has counted its items
            context.spend(_weight(result))
        return result

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        assert isinstance(context, _Context)
        context.spend(_weight(left) + _weight(right))
        _check_growth(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _key(self, table: dict[str, Json], key: str) -> object:
        value = loose_get(table, key)
        return self.undefined(obj=table, name=key) if value is MISSING or value is None else value


def _check_growth(operator: str, left: object, right: object) -> None:
    """Keeps an operator from making a huge value from small ones."""
    if operator == "%" and isinstance(left, str):
        raise TemplateFailed("% is for numbers; put texts together with ~")
    if operator == "+" and isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
        check_length(len(left) + len(right))
    elif operator == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, (str, list, tuple)) and isinstance(other, int):
                check_length(len(one) * other)
    if isinstance(left, int) and isinstance(right, int):
        growth = {"*": left.bit_length() + right.bit_length(), "**": left.bit_length() * max(0, right)}
        if growth.get(operator, 0) > _WIDEST_NUMBER:
            raise TemplateFailed("a number grows too large")


def check_length(length: int) -> None:
    """Raises `TemplateFailed` for more than any field can hold."""
    if length > LONGEST_RESULT:
        raise TemplateFailed(f"it makes a text or list longer than {LONGEST_RESULT:,}")


def _printed(value: object) -> str:
    """What `{{ value }}` prints: scalars as JSON does; nothing for null, objects and lists."""
    return as_text(value) if isinstance(value, (str, int, float)) else ""


def _weight(value: object) -> int:
    """The steps for iterating over a value once; 0 for short ones."""
    if isinstance(value, str):
        return len(value) // _CHARACTERS
    if isinstance(value, (list, tuple)):
        return len(value) + sum(len(item) // _CHARACTERS for item in value if isinstance(item, str))
    return len(value) if isinstance(value, dict) else 0


def _counted(library: Environment, name: str) -> Callable[..., object]:
    """The library's filter with limited work and output."""

    @pass_context
    def counted(context: _Context, value: object, *arguments: object, **named: object) -> object:
        steps = 1 + _weight(value)
        for argument in (*arguments, *named.values()) if arguments or named else ():
            steps += _weight(argument)
        context.spend(steps)
        if name in _LETTER_BY_LETTER and isinstance(value, str):
            context.spend(len(value))
        result: object = library.call_filter(name, value, arguments, named, context, context.eval_ctx)
        if isinstance(result, (str, list)):
            check_length(len(result))
            context.spend(_weight(result))
            return result
        return _each(context, result) if isinstance(result, Iterator) else result

    return counted


def _counted_test(library: Environment, name: str) -> Callable[..., bool]:
    @pass_context
    def counted(context: _Context, value: object, *arguments: object) -> bool:
        context.spend(_weight(value) + sum(map(_weight, arguments)))
        return bool(library.call_test(name, value, arguments, None, context, context.eval_ctx))

    return counted


@pass_environment
def _sum(
    environment: Environment, items: Iterable[object], attribute: str | int | None = None, start: object = 0
) -> object:
    if not isinstance(start, (int, float)):
        raise TemplateFailed("sum is for numbers; put lists and texts together with join")
    return do_sum(environment, items, attribute, start)


@pass_context
def _each(context: _Context, items: Iterable[object]) -> Iterator[object]:
    for item in items:
        context.spend(1)
        yield item


@pass_context
def _joined(context: _Context, parts: list[object]) -> str:
    texts = [_printed(part) for part in parts]
    check_length(sum(map(len, texts)))
    context.spend(1 + _weight(texts))
    return "".join(texts)


@pass_context
def _range(context: _Context, *bounds: int) -> list[int]:
    numbers = range(*bounds)
    try:
        context.spend(len(numbers))
    except OverflowError:
        context.spend(MOST_STEPS + 1)
    return list(numbers)


@pass_context
def _weighed(context: _Context, value: object) -> object:
    """Counts a value that is compared, searched or cut; a key lookup in an object takes constant time."""
    if isinstance(value, (str, list, tuple)):
        context.spend(_weight(value))
    return value


@pass_context
def _attribute(context: _Context, holder: object, key: str) -> object:
    value = _found(context, holder, key)
    return context.environment.getattr(holder, key) if value is None else value


@pass_context
def _item(context: _Context, holder: object, key: object) -> object:
    value = _found(context, holder, key)
    return context.environment.getitem(holder, key) if value is None else value


def _found(context: _Context, holder: object, key: object) -> object:
    """The member with exactly that name, or one of another spelling, which counts a step for each key."""
    if not isinstance(holder, dict) or not isinstance(key, str):
        return None
    value: object = holder.get(key)
    if value is None:
        context.spend(len(holder))
    return value


class Bounded(NodeTransformer):
    """Adds a count to every loop, and a limit to every text that is put together.

    Work proportional to the size of a value is only counted in loops: outside, the template's length limits it.
    """

    _loops = 0

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self._loops += 1
        self.generic_visit(node)
        self._loops -= 1
        node.iter = _filtered(node.iter, "_each")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(list(node.nodes), lineno=node.lineno), "_joined")

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if self._loops:
            node.expr = _weighed_in(node.expr)
            for operand in node.ops:
                operand.expr = _weighed_in(operand.expr)
        return node

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not self._loops:
            return node
        return _filtered(node.node, "_attribute", nodes.Const(node.attr, lineno=node.lineno))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if not self._loops:
            return node
        if isinstance(node.arg, nodes.Slice):
            node.node = _weighed_in(node.node)
            return node
        return _filtered(node.node, "_item", node.arg)


def _weighed_in(expression: nodes.Expr) -> nodes.Expr:
    return expression if isinstance(expression, nodes.Const) else _filtered(expression, "_weighed")


def _filtered(node: nodes.Node, name: str, *arguments: nodes.Expr) -> nodes.Expr:
    return nodes.Filter(node, name, list(arguments), [], None, None, lineno=node.lineno)


@cache
def environment(conventions: Conventions = CONVENTIONS) -> Environment:
    """The environment for templates of mappings with these conventions."""
    library, bounded = (
        _EventEnvironment(undefined=ChainableUndefined, finalize=_printed, autoescape=False) for _ in range(2)
    )
    borrowed = {name: library.filters[name] for name in _BORROWED_FILTERS} | {"sum": _sum}
    # sfmap's filters override Jinja2's of the same name, so that a filter has the same meaning everywhere.
    library.filters = {**borrowed, **{name: _ours(known, conventions) for name, known in FILTERS.items()}}
    bounded.filters = {name: _counted(library, name) for name in library.filters}
    bounded.tests = {name: _counted_test(library, name) for name in library.tests}
    for own in (_each, _joined, _weighed, _attribute, _item):
        bounded.filters[own.__name__] = own
    bounded.globals = {"range": _range}
    return bounded


def _ours(known: Filter, conventions: Conventions) -> Callable[..., Json]:
    return lambda value, *arguments: known.called(arguments, conventions)(value)


ENVIRONMENT: Final = environment()
"""The environment of mappings without their own conventions; all have the same filters and tests."""
