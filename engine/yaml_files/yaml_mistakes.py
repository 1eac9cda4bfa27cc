"""Explains syntax errors of the YAML parser: mostly indentation, quotes and brackets."""

import re

import yaml

from sfmap.engine.messages.counts import counted
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Source, Span

_ONLY_KEY = re.compile(r"""\s*(?:- +)?(?:"[^"]*"|'[^']*'|[^\s:"'{\[][^:{\[]*)$""")
"""Matches what precedes the first colon of a line."""
_CONTENT = re.compile(r"\s*[^\s#]")
_NAMELESS = re.compile(r"\s*:(\s|$)")
_TIGHT_COLON = re.compile(r"[^\s:]:(?=[^\s:/])")
_DEEPER = "deeper than the line above, which already has a value"
_HAS_VALUE = re.compile(r":\s+[^\s#]|^\s*- ")


def syntax_mistake(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    """The diagnostic for a parser error, at the position where the cause is."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Diagnostic(kinds.NOT_YAML, Span(source, 1, 1), f"this is not YAML: {error.problem}")
    start = error.context_mark
    began = Span(source, start.line + 1, start.column + 1) if start else None
    place = _Place(source, mark.line + 1, mark.column + 1, str(error.problem), error.context or "", began)
    known = place.character() or place.colon() or place.bracket() or place.quote() or place.indentation()
    span, message, help_ = known or place.other()
    return Diagnostic(kinds.NOT_YAML, span, message, help_)


_Told = tuple[Span, str, str]


class _Place:
    """Where the parser stopped; each method explains one kind of error, and returns None for others."""

    def __init__(
        self, source: Source, line: int, column: int, problem: str, context: str, began: Span | None
    ) -> None:
        self.source = source
        self.span = Span(source, line, column)
        self.problem = problem
        self.context = context
        self.began = began
        """The start of what the parser was reading."""
        self.text = source.line(line)
        self.before, self.rest = self.text[: column - 1], self.text[column - 1 :]

    def character(self) -> _Told | None:
        if self.rest.startswith("\t"):
            return self.span, "a tab cannot indent YAML", "use spaces"
        if self.rest[:1] in ("@", "`", "%"):
            return self.span, f"a value cannot begin with {self.rest[0]}", "put it in quotes"
        if self.rest[:1] in ("[", "{") and "flow" in self.context:
            return self.span, f"a value with {self.rest[0]} in it must be in quotes here", 'write "..."'
        if "escape character" in self.problem:
            return self.span, "in double quotes, a backslash begins an escape", "use single quotes"
        return None

    def colon(self) -> _Told | None:
        if _NAMELESS.match(self.text):
            span = Span(self.source, self.span.line, self.text.index(":") + 1)
            return span, "there is no name before this colon", "write one, such as that of a field"
        if "could not find expected ':'" in self.problem and self.began:
            return self._without_colon(self.began.line)
        if not self.problem.startswith("mapping values are not allowed"):
            return None
        above = self._line_above(self.span.line)
        if not _ONLY_KEY.match(self.before) or not above:
            return self.span, 'a value with ": " in it must be in quotes', 'write "..."'
        if _HAS_VALUE.search(self.source.line(above)):
            return self._indented(above, _DEEPER)
        return self._without_colon(above)

    def bracket(self) -> _Told | None:
        if "flow" in self.context and self.began:
            opening = self.source.line(self.began.line)[self.began.column - 1 : self.began.column]
            if self.began.line < self.span.line:
                return self.began, f"this {opening} is not closed", ""
            closing = "}" if opening == "{" else "]"
            return self.span, f"a comma or {closing} is missing before this", ""
        if self.rest[:1] in ("}", "]"):
            return self.span, f"this {self.rest[0]} closes nothing", "delete it"
        return None

    def quote(self) -> _Told | None:
        if "quoted scalar" in self.context and self.began:
            return self.began, "this quote is not closed", ""
        if self.problem == "did not find expected key" and self.before.rstrip()[-1:] in ("'", '"'):
            return self.span, "nothing can follow a text in quotes", "put all of it in quotes"
        return None

    def indentation(self) -> _Told | None:
        above = self._line_above(self.span.line)
        if self.before.strip() or not above:
            return None
        if "<document start>" in self.problem:
            return self._indented(above, "less than the first line")
        if "expected key" in self.problem:
            deeper = _indent(self.text) > _indent(self.source.line(above))
            return self._indented(above, _DEEPER if deeper else "like no line above it")
        if "'-' indicator" in self.problem and self.began:
            message = f"a list starts on line {self.began.line}, and this is not an item of it"
            return self.span, message, 'start it with "- ", or indent it less'
        return None

    def other(self) -> _Told:
        help_ = f"{self.context} that started on line {self.began.line}" if self.context and self.began else ""
        return self.span, f"this is not YAML: {self.problem.replace('did not find expected', 'expected')}", help_

    def _line_above(self, line: int) -> int:
        """The number of the nearest line above that is neither empty nor a comment; 0 if there is none."""
        return next((n for n in range(line - 1, 0, -1) if _CONTENT.match(self.source.line(n))), 0)

    def _indented(self, above: int, how: str) -> _Told:
        wanted = _indent(self.source.line(above))
        blanks = "no space" if wanted == 0 else counted(wanted, "space")
        span = Span(self.source, self.span.line, _indent(self.text) + 1)
        return span, f"this line is indented {how}", f"start it with {blanks}, like line {above}"

    def _without_colon(self, line: int) -> _Told:
        text = self.source.line(line)
        if tight := _TIGHT_COLON.search(text):
            return Span(self.source, line, tight.start() + 2), "a space must follow the colon", ""
        start = _indent(text)
        return (
            Span(self.source, line, start + 1, max(1, len(text.rstrip()) - start)),
            "this line has no colon",
            "write key: value",
        )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
