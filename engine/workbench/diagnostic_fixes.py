"""Diagnostics for the editor: with their extent, and with "did you mean" as an edit."""

import re
from collections.abc import Iterator

from sfmap.engine.yaml_files.diagnostics import Diagnostic, Source, did_you_mean

_MEANT = re.compile(r'did you mean "(.+)"\?')
_WORD = re.compile(r"[\w$.-]+")
_QUOTED = re.compile(r'"([^"]+)"')


def shown_diagnostic(diagnostic: Diagnostic, file: str) -> dict[str, object]:
    span = diagnostic.span
    place = {"file": file, "line": span.line, "column": span.column, "end_line": span.line}
    return {
        **place,
        "end_column": span.column + span.width,
        "severity": diagnostic.severity,
        "kind": diagnostic.code,
        "name": diagnostic.kind.name,
        "message": diagnostic.message,
        "hint": diagnostic.help,
        "fixes": [fix | {"file": file} for fix in _fixes(diagnostic)],
    }


def _fixes(diagnostic: Diagnostic) -> Iterator[dict[str, object]]:
    meant = _MEANT.search(diagnostic.help)
    place = _place(diagnostic, meant[1]) if meant else None
    if meant and place:
        line, column, width = place
        yield {
            "title": f'Change to "{meant[1]}"',
            "line": line,
            "column": column,
            "end_line": line,
            "end_column": column + width,
            "text": meant[1],
        }


def _place(diagnostic: Diagnostic, meant: str) -> tuple[int, int, int] | None:
    """Where the word is that is meant otherwise: in the span, or in the rule whose name the span is."""
    span = diagnostic.span
    source = span.source
    written = source.line(span.line)[span.column - 1 : span.column - 1 + span.width]
    if did_you_mean(written.strip("'\""), [meant]):
        inner = written.strip("'\"")
        return span.line, span.column + written.index(inner), len(inner)
    near = [found for found in _WORD.finditer(written) if did_you_mean(found[0], [meant])]
    if len(near) == 1:
        return span.line, span.column + near[0].start(), len(near[0][0])
    for word in _QUOTED.findall(diagnostic.message):
        found = list(_occurrences(source, span.line, word))
        if len(found) == 1:
            return (*found[0], len(word))
    return None


def _occurrences(source: Source, first: int, word: str) -> Iterator[tuple[int, int]]:
    """Where the word stands alone on the line of a rule's name, or on those below that are indented deeper."""
    pattern = re.compile(rf"(?<![\w$.-]){re.escape(word)}(?![\w$.-])")
    indent = _indent(source.line(first))
    for number in range(first, first + 60):
        line = source.line(number)
        if number > first and line.strip() and _indent(line) <= indent:
            return
        for found in pattern.finditer(line):
            yield number, found.start() + 1


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
