"""Parses YAML 1.2 into a tree of nodes with positions; without tags, merge keys or code.

PyYAML's event stream provides syntax and positions. Its YAML 1.1 reading of values (`NO` as false, `0777` as
octal) is replaced by the core schema of YAML 1.2, and duplicate keys are errors.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes, Source, Span
from sfmap.engine.yaml_files.yaml_mistakes import syntax_mistake

_Loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

_MAX_DEPTH = 50

_SURROGATE = re.compile(r"[\ud800-\udfff]")

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)
_INTEGER = re.compile(r"[-+]?[0-9]{1,400}|0o[0-7]{1,400}|0x[0-9a-fA-F]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

YamlValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value: `value` as YAML 1.2 reads it, `text` as written, without quotes."""

    value: YamlValue
    text: str
    span: Span
    offset_line: int
    offset_column: int
    """Where the text starts, after quotes or block indicators; line 0 if characters do not map one to one."""

    def part(self, start: int, width: int) -> Span:
        """The span of `width` characters of `text` from `start` on, or of the whole node if that is unknown."""
        if not self.offset_line:
            return self.span
        above = self.text.count("\n", 0, start)
        in_line = start - (self.text.rfind("\n", 0, start) + 1)
        return Span(self.span.source, self.offset_line + above, self.offset_column + in_line, max(1, width))


@dataclass(frozen=True, slots=True)
class ListNode:
    items: "tuple[Node, ...]"
    span: Span


@dataclass(frozen=True, slots=True)
class TableNode:
    entries: "tuple[tuple[ScalarNode, Node], ...]"
    """In document order; keys are unique."""
    span: Span


Node = ScalarNode | ListNode | TableNode


def read_yaml(source: Source) -> tuple[Node, list[Diagnostic]]:
    """The root node of the document, and errors that leave it readable (duplicate keys, tags).

    Raises `Mistakes` if the text is not YAML, has several documents, or is empty.
    """
    if surrogate := _SURROGATE.search(source.text):
        place = source.span_at(surrogate.start())
        raise Mistakes(
            [
                Diagnostic(
                    kinds.UNREADABLE_CHARACTER, place, "this character is not UTF-8", "save the file as UTF-8"
                )
            ]
        )
    reader = _Reader(source)
    try:
        return reader.document(), reader.mistakes
    except yaml.MarkedYAMLError as error:
        raise Mistakes([*reader.mistakes, syntax_mistake(source, error)]) from None
    except yaml.reader.ReaderError as error:
        message = f"a character that YAML does not allow: U+{_code_point(error.character):04X}"
        raise Mistakes([Diagnostic(kinds.UNREADABLE_CHARACTER, source.span_at(error.position), message)]) from None


def _code_point(character: str | int | bytes) -> int:
    if isinstance(character, int):
        return character
    return ord(character[:1])


class _Reader:
    """Builds the nodes of one document from PyYAML's events, with aliases resolved."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.mistakes: list[Diagnostic] = []
        self._anchors: dict[str, Node] = {}
        self._events: Iterator[yaml.Event] = yaml.parse(source.text, Loader=_Loader)

    def document(self) -> Node:
        event = next(self._events)
        while isinstance(event, (yaml.StreamStartEvent, yaml.DocumentStartEvent)):
            event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            raise Mistakes([Diagnostic(kinds.EMPTY_FILE, Span(self.source, 1, 1), "the file is empty")])
        root = self._node(event, 0)
        next(self._events)  # the end of the document
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._stop(after, "a second document starts here; a file can contain only one document")
        return root

    def _node(self, event: yaml.Event, depth: int) -> Node:
        if depth > _MAX_DEPTH:
            raise self._stop(event, f"nested deeper than {_MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._stop(event, f"there is no anchor &{event.anchor} before this")
            return self._anchors[event.anchor]
        assert isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        if event.tag not in (None, "!"):
            message = f"the tag {event.tag} is not allowed: remove it"
            self.mistakes.append(Diagnostic(kinds.YAML_TAG, self._span(event), message))
        node = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: yaml.CollectionStartEvent, depth: int) -> ListNode | TableNode:
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._node(inner, depth + 1))
            return ListNode(tuple(items), self._span(event))
        entries: dict[str, tuple[ScalarNode, Node]] = {}
        while not isinstance(inner := next(self._events), yaml.MappingEndEvent):
            key = self._key(inner, depth)
            value = self._node(next(self._events), depth + 1)
            if key.text in entries:
                first = entries[key.text][0].span.line
                self.mistakes.append(
                    Diagnostic(
                        kinds.REPEATED_KEY,
                        key.span,
                        f'"{key.text}" appears here a second time',
                        f"first on line {first}",
                    )
                )
            else:
                entries[key.text] = (key, value)
        return TableNode(tuple(entries.values()), self._span(event))

    def _key(self, event: yaml.Event, depth: int) -> ScalarNode:
        key = self._node(event, depth + 1)
        if isinstance(key, ScalarNode):
            return key
        if "{{" in self.source.line(key.span.line):
            raise self._stop(event, "a template must be in quotes", 'write "{{ ... }}"')
        raise self._stop(event, "a key must be a single value")

    def _scalar(self, event: yaml.ScalarEvent) -> ScalarNode:
        value = _plain_value(event.value) if not event.style and event.implicit[0] else event.value
        span = self._span(event)
        line, column = self._text_start(event)
        return ScalarNode(value, event.value, span, line, column)

    def _text_start(self, event: yaml.ScalarEvent) -> tuple[int, int]:
        start = _mark(event.start_mark)
        if event.style == "|":
            return self._block_start(event.value, start.line + 2)
        quote = 1 if event.style in ("'", '"') else 0
        written = self.source.line(start.line + 1)[start.column + quote :]
        if event.style == ">" or not written.startswith(event.value):
            return 0, 0
        return start.line + 1, start.column + quote + 1

    def _block_start(self, value: str, line: int) -> tuple[int, int]:
        """Where the text of a literal block starts: its lines are unchanged, after the same indentation."""
        full = next((row for row in value.split("\n") if row.strip(" ")), "")
        written = self.source.line(line + value.split("\n").index(full)) if full else ""
        return (line, len(written) - len(full) + 1) if full and written.endswith(full) else (0, 0)

    def _span(self, event: yaml.Event) -> Span:
        start, end = _mark(event.start_mark), _mark(event.end_mark)
        line = self.source.line(start.line + 1)
        stop = end.column if end.line == start.line else len(line.rstrip())
        return Span(self.source, start.line + 1, start.column + 1, max(1, stop - start.column))

    def _stop(self, event: yaml.Event, message: str, help: str = "") -> Mistakes:  # noqa: A002
        return Mistakes([*self.mistakes, Diagnostic(kinds.NOT_YAML, self._span(event), message, help)])


def _mark(mark: "yaml.Mark | yaml._yaml.Mark | None") -> "yaml.Mark | yaml._yaml.Mark":
    assert mark is not None  # the parser sets the marks of every event
    return mark


def _plain_value(text: str) -> YamlValue:
    """The value of a plain scalar in YAML 1.2's core schema (spec 1.2.2, section 10.3.2)."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
