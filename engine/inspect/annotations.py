"""Diagnostics for CI and code scanning: GitHub Actions annotations and SARIF 2.1.0."""

from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

from sfmap.engine.yaml_files.diagnostics import Diagnostic
from sfmap.engine.yaml_files.kinds import KINDS

_SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def github_annotation(diagnostic: Diagnostic) -> str:
    """The diagnostic as a workflow command of GitHub Actions ("Workflow commands", GitHub's documentation)."""
    span, kind = diagnostic.span, diagnostic.kind
    place = f"file={_escaped(span.source.file, ':,')},line={span.line},col={span.column}"
    place += f",endColumn={span.column + span.width},title={kind.code} {kind.name}"
    return f"::{diagnostic.severity} {place}::{_escaped(_text(diagnostic))}"


def sarif(diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
    """A SARIF log with one run that declares all kinds of diagnostics as rules."""
    rules = [{"id": kind.code, "name": kind.name} for kind in KINDS.values()]
    driver = {"name": "sfmap", "version": version("sfmap"), "rules": rules}
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(diagnostic) for diagnostic in diagnostics],
            }
        ],
    }


def _result(diagnostic: Diagnostic) -> dict[str, object]:
    span = diagnostic.span
    region = {"startLine": span.line, "startColumn": span.column, "endColumn": span.column + span.width}
    location = {"artifactLocation": {"uri": _uri(span.source.file)}, "region": region}
    return {
        "ruleId": diagnostic.kind.code,
        "ruleIndex": list(KINDS).index(diagnostic.kind.code),
        "level": diagnostic.severity,
        "message": {"text": _text(diagnostic)},
        "locations": [{"physicalLocation": location}],
    }


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())


def _text(diagnostic: Diagnostic) -> str:
    return diagnostic.message + (f"\n{diagnostic.help}" if diagnostic.help else "")


def _escaped(text: str, further: str = "") -> str:
    for character in f"%\r\n{further}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text
