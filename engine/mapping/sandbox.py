"""What templates run in: an event is data only, filters mean what they mean in pipes, and work has a bound."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from jinja2 import ChainableUndefined, Environment, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from sfmap.engine.mapping.event import MISSING, as_text, loose_get
from sfmap.engine.mapping.filters import FILTERS
from sfmap.engine.mapping.record import Json

LONGEST_OUTPUT: Final = 200_000
"""In characters; the longest text field of an org holds 131,072."""
MOST_STEPS: Final = 100_000
"""Turns of loops, items that filters go through, and the like, for one template and one event."""
_WIDEST_NUMBER = 4_096
"""In bits."""

_BORROWED_FILTERS = (
    "abs count dictsort float groupby items length list map max min reject rejectattr reverse round select"
    " selectattr sort sum truncate unique wordcount"
).split()
"""Of Jinja2's own: those that give the same answer every time, and not much more than they take."""

_TEXT_METHODS = frozenset(
    (
        "upper lower title capitalize casefold swapcase strip lstrip rstrip split rsplit splitlines partition"
        " rpartition startswith endswith removeprefix removesuffix find count isdigit isalpha isalnum isnumeric"
        " isupper islower"
    ).split()
)


class TemplateFailed(Exception):
    """A template that could not be rendered for one event."""


class _Context(Context):
    """What one rendering sees, with a count of its work."""

    steps = 0

    def spend(self, steps: int) -> None:
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise TemplateFailed(f"it takes more than {MOST_STEPS:,} steps")


class _EventEnvironment(ImmutableSandboxedEnvironment):
    """An event is data only: a name after a dot is a key, matched loosely, and never a Python attribute."""

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

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        _check_growth(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def _key(self, table: dict[str, Json], key: str) -> object:
        value = loose_get(table, key)
        return self.undefined(obj=table, name=key) if value is MISSING or value is None else value


def _check_growth(operator: str, left: object, right: object) -> None:
    """Keeps one operator from making something huge of little."""
    if operator == "%" and isinstance(left, str):
        raise TemplateFailed("% is for numbers; put texts together with ~")
    if operator == "+" and isinstance(left, (str, list)) and isinstance(right, (str, list)):
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
    """Raises `TemplateFailed` for more than any field could hold."""
    if length > LONGEST_OUTPUT:
        raise TemplateFailed(f"it makes a text or list longer than {LONGEST_OUTPUT:,}")


def _printed(value: object) -> str:
    """What `{{ value }}` prints: scalars as JSON does; nothing for null, objects and lists."""
    return as_text(value) if isinstance(value, (str, int, float)) else ""


def _size(value: object) -> int:
    if isinstance(value, str):
        return 1 + len(value) // 100
    return 1 + len(value) if isinstance(value, (list, tuple, dict)) else 1


def _counted(library: Environment, name: str) -> Callable[..., object]:
    """The library's filter with its work and its output bounded."""

    @pass_context
    def counted(context: _Context, value: object, *arguments: object, **named: object) -> object:
        context.spend(_size(value))
        result: object = library.call_filter(name, value, arguments, named, context, context.eval_ctx)
        if isinstance(result, (str, list)):
            check_length(len(result))
        return result

    return counted


@pass_context
def _each(context: _Context, items: Iterable[object]) -> Iterator[object]:
    for item in items:
        context.spend(1)
        yield item


@pass_context
def _joined(context: _Context, parts: list[object]) -> str:
    texts = [_printed(part) for part in parts]
    check_length(sum(map(len, texts)))
    context.spend(_size(texts))
    return "".join(texts)


@pass_context
def _range(context: _Context, *bounds: int) -> list[int]:
    numbers = range(*bounds)
    try:
        context.spend(len(numbers))
    except OverflowError:
        context.spend(MOST_STEPS + 1)
    return list(numbers)


class Bounded(NodeTransformer):
    """Puts a count into every loop and a bound on every text that is put together."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "_each")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _filtered(nodes.List(list(node.nodes), lineno=node.lineno), "_joined")


def _filtered(node: nodes.Node, name: str) -> nodes.Expr:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _environment() -> _EventEnvironment:
    library, environment = (
        _EventEnvironment(undefined=ChainableUndefined, finalize=_printed, autoescape=False) for _ in range(2)
    )
    borrowed = {name: library.filters[name] for name in _BORROWED_FILTERS}
    # Ours come over Jinja2's where both have the name, so that a filter means the same everywhere.
    library.filters = {**borrowed, **{name: known.function for name, known in FILTERS.items()}}
    environment.filters = {name: _counted(library, name) for name in library.filters}
    environment.filters |= {"_each": _each, "_joined": _joined}
    environment.globals = {"range": _range}
    return environment


ENVIRONMENT: Final = _environment()
