"""Finds errors in the SOQL conditions of `where`, before an org refuses the lookup."""

import re
from collections.abc import Iterator

from sfmap.engine.language.model import Mapping
from sfmap.engine.yaml_files import kinds
from sfmap.engine.yaml_files.diagnostics import Diagnostic
from sfmap.engine.yaml_files.nodes import ScalarNode

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{\{|\{%", re.DOTALL)
_NOT_SOQL = (
    (r"==", '"==" is not valid in SOQL', "write ="),
    (r"&&", '"&&" is not valid in SOQL', "write AND"),
    (r"\|\|", '"||" is not valid in SOQL', "write OR"),
    (r"!(?!=)", '"!" is not valid in SOQL', "write NOT"),
    (r"[“”„‘’\"`]", "SOQL needs straight single quotes around texts", "write '...'"),
    (r"(?i)^\s*WHERE\b", "sfmap adds WHERE itself", "leave it out"),
    (r"(?i)\b(?:ORDER\s+BY|GROUP\s+BY|LIMIT)\b", "this is not part of a condition", "see on_many"),
)
"""Common mistakes outside quotes, each with a message and a hint."""


def where_mistakes(mapping: Mapping) -> Iterator[Diagnostic]:
    """The errors in the conditions of a mapping and of its references."""
    for where in (mapping.where, *(rule.reference.where for rule in mapping.rules if rule.reference)):
        if where:
            yield from _mistakes(where)


def _mistakes(where: ScalarNode) -> Iterator[Diagnostic]:
    """The errors in one condition, which becomes part of a longer query."""
    if template := _TEMPLATE.search(where.text):
        message = "this is not a template: the condition is the same for every event"
        help_ = "put fields that are compared with values of the event under match"
        yield Diagnostic(kinds.WRONG_CONDITION, where.part(template.start(), len(template[0])), message, help_)
        return
    from sfmap.engine.org.soql import condition

    try:
        condition(where.text)
    except ValueError as error:
        yield Diagnostic(kinds.WRONG_CONDITION, where.span, str(error))
    outside = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), where.text)
    for pattern, message, help_ in _NOT_SOQL:
        if found := re.search(pattern, outside):
            yield Diagnostic(kinds.WRONG_CONDITION, where.part(found.start(), len(found[0])), message, help_)
