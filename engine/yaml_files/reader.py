"""Reads tables of known keys from YAML nodes, and collects all errors instead of only the first."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Span, did_you_mean, listed
from sfmap.engine.yaml_files.kinds import Kind
from sfmap.engine.yaml_files.nodes import ListNode, Node, ScalarNode, TableNode

Item = TypeVar("Item")
Word = TypeVar("Word", bound=str)


class DiagnosticReport:
    """Collects the diagnostics of one file."""

    def __init__(self, diagnostics: Iterable[Diagnostic] = ()) -> None:
        self.diagnostics = list(diagnostics)

    def error(self, kind: Kind, span: Span, message: str, help: str = "") -> None:  # noqa: A002
        self.diagnostics.append(Diagnostic(kind, span, message, help))

    def warning(self, kind: Kind, span: Span, message: str, help: str = "") -> None:  # noqa: A002
        self.diagnostics.append(Diagnostic(kind, span, message, help, "warning"))


def node_kind(node: Node) -> str:
    """The node's kind in messages: `a list`, `a table`, `text`, `nothing`, ..."""
    if isinstance(node, ListNode):
        return "a list" if node.items else "an empty list"
    if isinstance(node, TableNode):
        return "a table"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f'the boolean "{node.text}"'
    if node.span.source.hidden:
        return "this"
    return f'"{node.text}"' if isinstance(node.value, str) else f"the number {node.text}"


class Table:
    """A table with known keys; reports unknown keys when opened, and invalid values when read.

    Every getter returns None if the key is absent or its value is of the wrong kind.
    """

    def __init__(self, node: TableNode, report: DiagnosticReport, name: str, known: Iterable[str]) -> None:
        self.node = node
        self.report = report
        self.name = name
        """The table's name in messages: `the mapping`, `the field Name`."""
        self.known = tuple(known)
        self._entries = {key.text: (key, value) for key, value in node.entries}
        for text, (key, _) in self._entries.items():
            if text not in self.known:
                hint = did_you_mean(text, self.known) or f"known: {', '.join(self.known)}"
                report.error(kinds.UNKNOWN_KEY, key.span, f'{name} has no key "{text}"', hint)

    @classmethod
    def open(cls, node: Node, report: DiagnosticReport, name: str, known: Iterable[str]) -> "Table | None":
        """The node as a table; None and a diagnostic if it is something else."""
        if isinstance(node, TableNode):
            return cls(node, report, name, known)
        report.error(kinds.WRONG_VALUE, node.span, f"{name} must be a table (key: value), not {node_kind(node)}")
        return None

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def key(self, key: str) -> ScalarNode:
        return self._entries[key][0]

    def get(self, key: str) -> Node | None:
        return self._entries[key][1] if key in self._entries else None

    def require(self, key: str, help: str) -> Node | None:  # noqa: A002
        """The key's value; reports its absence at the first line of the table."""
        if key not in self._entries:
            self.report.error(kinds.MISSING_KEY, self.node.span, f'{self.name} needs the key "{key}"', help)
        return self.get(key)

    def text(self, key: str) -> ScalarNode | None:
        """A text; reports other scalars."""
        node = self.get(key)
        if node is None or (isinstance(node, ScalarNode) and isinstance(node.value, str)):
            return node
        self._wrong(key, node, "text")
        return None

    def scalar(self, key: str) -> ScalarNode | None:
        """A text, number or boolean."""
        node = self.get(key)
        if node is None or (isinstance(node, ScalarNode) and node.value is not None):
            return node
        self._wrong(key, node, "a text, a number or a boolean")
        return None

    def boolean(self, key: str) -> bool | None:
        node = self.get(key)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and isinstance(node.value, bool):
            return node.value
        self._wrong(key, node, "true or false")
        return None

    def positive_integer(self, key: str, least: int = 1) -> int | None:
        node = self.get(key)
        if node is None:
            return None
        if isinstance(node, ScalarNode) and type(node.value) is int and node.value >= least:
            return node.value
        self._wrong(key, node, f"a whole number above {least - 1}" if least else "a whole number")
        return None

    def number(self, key: str, wanted: str) -> float | None:
        """A number that is not negative; `wanted` describes it in the error."""
        node = self.scalar(key)
        if node is None or (type(node.value) in (int, float) and 0 <= float(node.text) < math.inf):
            return None if node is None else float(node.text)
        self.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be {wanted}")
        return None

    def choice(self, key: str, options: tuple[Word, ...]) -> Word | None:
        """One of the given words."""
        node = self.get(key)
        if node is None:
            return None
        text = node.text if isinstance(node, ScalarNode) else ""
        if text in options:
            return options[options.index(text)]
        self._wrong(key, node, listed(options), did_you_mean(text, options))
        return None

    def texts(self, key: str) -> tuple[ScalarNode, ...]:
        """One text or a list of them; empty if absent."""
        return self.items(key, "text", _text)

    def items(
        self, key: str, wanted: str, read: Callable[[Node], Item | None], words: Iterable[str] = ()
    ) -> tuple[Item, ...]:
        """One item or a list of them, each read by `read`, which returns None for invalid ones.

        `words` are suggestions for misspelled texts.
        """
        node = self.get(key)
        if node is None:
            return ()
        found = []
        if isinstance(node, ListNode) and not node.items:
            self._wrong(key, node, wanted)
        for item in node.items if isinstance(node, ListNode) else (node,):
            value = read(item)
            if value is None:
                text = item.text if isinstance(item, ScalarNode) else ""
                self._wrong(key, item, wanted, did_you_mean(text, words))
            else:
                found.append(value)
        return tuple(found)

    def tables(self, key: str) -> Iterator[tuple[ScalarNode, TableNode]]:
        """The named tables below a key."""
        node = self.get(key)
        if isinstance(node, TableNode):
            for name, value in node.entries:
                if isinstance(value, TableNode):
                    yield name, value
                else:
                    self._wrong(f"{key}.{name.text}", value, "a table")
        elif node:
            self._wrong(key, node, "a table")

    def named_texts(self, key: str) -> Iterator[tuple[ScalarNode, ScalarNode]]:
        """The named texts below a key."""
        node = self.get(key)
        if isinstance(node, TableNode):
            for name, value in node.entries:
                if (text := _text(value)) is not None:
                    yield name, text
                else:
                    self._wrong(f"{key}.{name.text}", value, "text")
        elif node:
            self._wrong(key, node, "a table")

    def _wrong(self, key: str, node: Node, wanted: str, help: str = "") -> None:  # noqa: A002
        self.report.error(kinds.WRONG_VALUE, node.span, f"{key} must be {wanted}, not {node_kind(node)}", help)


def _text(node: Node) -> ScalarNode | None:
    return node if isinstance(node, ScalarNode) and isinstance(node.value, str) else None
