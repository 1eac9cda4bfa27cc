"""A mistake in a file that a person wrote: where it stands, what is wrong, what to do; and how it is printed."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Source:
    """A file's text under the name that messages use for it."""

    file: str
    text: str
    hidden: bool = False
    """Whether its lines and values are never shown: a person may have written a secret there."""

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty past the end (YAML knows more line breaks than `\\n`)."""
        return self._lines[number - 1].rstrip("\r") if number <= len(self._lines) else ""

    def excerpt(self, number: int) -> str:
        """The line as messages may show it; empty where it is hidden."""
        return "" if self.hidden else self.line(number).encode("utf-8", "replace").decode()

    def span_at(self, index: int) -> "Span":
        """The span of the one character at `index` of the text."""
        before = self.text[:index]
        return Span(self, before.count("\n") + 1, index - before.rfind("\n"))


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of one line: `line` and `column` count from 1, `width` is in characters and at least 1."""

    source: Source
    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake: where, what is wrong, and in `help` what was probably meant or what to do."""

    span: Span
    message: str
    help: str = ""

    def render(self) -> str:
        """The mistake as `file:line:column: error: message` over the source line, a caret under the span."""
        span = self.span
        head = f"{span.source.file}:{span.line}:{span.column}: error: {self.message}"
        excerpt = span.source.excerpt(span.line)
        if not excerpt.strip():
            return f"{head}\n        {self.help}" if self.help else head
        number = f"{span.line:5}"
        indent = "".join("\t" if c == "\t" else " " for c in excerpt[: span.column - 1])
        caret = "^" * max(1, min(span.width, len(excerpt) - span.column + 1))
        pointer = f"{indent}{caret} {self.help}".rstrip()
        return f"{head}\n{number} | {excerpt}\n{' ' * len(number)} | {pointer}"


class Mistakes(Exception):
    """All the diagnostics that keep something from being used; never empty."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        ordered = sorted(diagnostics, key=lambda d: (d.span.source.file, d.span.line, d.span.column))
        self.diagnostics = tuple(ordered)
        super().__init__("\n".join(diagnostic.render() for diagnostic in ordered))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The help `did you mean "x"?` for the known word nearest to `word`, or empty where none is near."""
    candidates = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(word.casefold(), candidates, n=1, cutoff=0.6)
    return f'did you mean "{candidates[near[0]]}"?' if near else ""


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail
