"""Diagnostics: errors and warnings about files, with position, message and help, and how they are printed."""

import re
import textwrap
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from sfmap.engine.errors import SfmapError
from sfmap.engine.yaml_files.kinds import Kind

Severity = Literal["error", "warning"]
Part = Literal["place", "error", "warning", "message", "code", "margin", "caret"]
Style = Callable[[str, Part], str]
"""Styles a part of a printed diagnostic, such as in color."""

_MOST_SHOWN = 50
_WIDEST_EXCERPT = 120
_LONGEST_COMPARED = 120
_MARGIN = " " * 8
_ROOM_AROUND = 16
"""Columns of the number of a line, and of dots around an excerpt."""
# YAML's line ends, by which positions are counted.
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def plain(text: str, _part: Part) -> str:
    """Styles nothing."""
    return text


@dataclass(frozen=True)
class Source:
    """The text of a file, and the name that messages use for it."""

    file: str
    text: str = field(repr=False)
    hidden: bool = False
    """Whether its lines and values are never shown, because they may contain secrets."""

    @cached_property
    def _lines(self) -> list[str]:
        return _LINE_BREAK.split(self.text)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty past the end."""
        return self._lines[number - 1] if number <= len(self._lines) else ""

    def excerpt(self, number: int) -> str:
        """The line as messages may show it; empty if hidden."""
        return "" if self.hidden else self.line(number).encode("utf-8", "replace").decode()

    def span_at(self, index: int) -> "Span":
        """The span of the character at `index` of the text."""
        lines = _LINE_BREAK.split(self.text[:index])
        return Span(self, len(lines), len(lines[-1]) + 1)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of one line: `line` and `column` count from 1, `width` is in characters and at least 1."""

    source: Source
    line: int
    column: int
    width: int = 1

    def __str__(self) -> str:
        return f"{self.source.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error or warning: its kind, position and message, and in `help` a suggestion."""

    kind: Kind
    span: Span
    message: str
    help: str = ""
    severity: Severity = "error"
    """A warning does not keep a file from being used."""

    @property
    def file(self) -> str:
        return self.span.source.file

    @property
    def line(self) -> int:
        """From 1, as the column."""
        return self.span.line

    @property
    def column(self) -> int:
        return self.span.column

    @property
    def code(self) -> str:
        """Such as `SF023`: see docs/diagnostics.md."""
        return self.kind.code

    def __str__(self) -> str:
        return self.render()

    def is_silenced(self, codes: Container[str]) -> bool:
        """Whether it is a warning with one of these codes; errors cannot be silenced."""
        return self.severity == "warning" and self.kind.code in codes

    def render(self, style: Style = plain, width: int | None = None) -> str:
        """`file:line:column: error: message [code]` over the source line, a caret under the span.

        Lines are at most `width` columns wide, where that is given.
        """
        span = self.span
        place = f"{span.source.file}:{span.line}:{span.column}:"
        severity, code = style(f"{self.severity}:", self.severity), style(f"[{self.kind.code}]", "code")
        head = _broken(f"{style(place, 'place')} {severity} {style(self.message, 'message')} {code}", width)
        excerpt, column = self._excerpt(min(_WIDEST_EXCERPT, width - _ROOM_AROUND) if width else _WIDEST_EXCERPT)
        if not excerpt.strip():
            return f"{head}\n{_broken(f'{_MARGIN}{self.help}', width)}" if self.help else head
        indent = "".join("\t" if c == "\t" else " " for c in excerpt[: column - 1])
        caret = "^" * max(1, min(span.width, len(excerpt) - column + 1))
        number = f"{span.line:5}"
        first, second = style(f"{number} |", "margin"), style(f"{' ' * len(number)} |", "margin")
        has_room = width is None or len(f"{_MARGIN}{indent}{caret} {self.help}") <= width
        pointer = f"{indent}{style(caret, 'caret')} {self.help if has_room else ''}".rstrip()
        below = "" if has_room else f"\n{_broken(f'{_MARGIN}{self.help}', width)}"
        return f"{head}\n{first} {excerpt}\n{second} {pointer}{below}"

    def _excerpt(self, widest: int) -> tuple[str, int]:
        """The source line, or the part of a long one around the span, and the span's column in it."""
        line, column = self.span.source.excerpt(self.span.line), self.span.column
        if len(line) <= widest:
            return line, column
        start = max(0, min(column - 1 - widest // 2, len(line) - widest))
        piece = line[start : start + widest]
        before = "... " if start else ""
        after = " ..." if start + widest < len(line) else ""
        return f"{before}{piece}{after}", column - start + len(before)

    def as_json(self) -> dict[str, object]:
        """For editors and CI; `column` and `line` count from 1."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "width": self.span.width,
            "severity": self.severity,
            "code": self.code,
            "name": self.kind.name,
            "message": self.message,
            "help": self.help,
        }


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics sorted by file and position, without duplicates."""
    return tuple(
        sorted(dict.fromkeys(diagnostics), key=lambda d: (d.span.source.file, d.span.line, d.span.column))
    )


def _broken(line: str, width: int | None) -> str:
    """The line, continued in the margin where it is too long."""
    if width is None:
        return line
    return textwrap.fill(line, width, subsequent_indent=_MARGIN, break_long_words=False, break_on_hyphens=False)


def render_all(diagnostics: Iterable[Diagnostic], style: Style = plain, width: int | None = None) -> str:
    """The diagnostics as text, up to a maximum number."""
    ordered = tuple(diagnostics)
    shown = [diagnostic.render(style, width) for diagnostic in ordered[:_MOST_SHOWN]]
    if len(ordered) > _MOST_SHOWN:
        shown.append(f"... and {len(ordered) - _MOST_SHOWN} more")
    return "\n".join(shown)


class Mistakes(SfmapError):
    """Files have errors; carries all diagnostics and is never empty."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = in_order(diagnostics)
        super().__init__(render_all(self.diagnostics))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The help `did you mean "x"?` for the known word most similar to `word`; empty if none is similar.

    Long words are not compared, since the time grows with the square of their length.
    """
    if len(word) > _LONGEST_COMPARED:
        return ""
    candidates = {one.casefold(): one for one in known if len(one) <= _LONGEST_COMPARED}
    from difflib import get_close_matches

    near = get_close_matches(word.casefold(), candidates, n=1, cutoff=0.6)
    return f'did you mean "{candidates[near[0]]}"?' if near else ""


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail
