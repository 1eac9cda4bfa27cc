"""What is wrong with a SOQL condition under `where`: found before an org refuses the look-up that it narrows."""

import re
from collections.abc import Iterator

from sfmap.engine.org.soql import condition
from sfmap.engine.spec import kinds
from sfmap.engine.spec.diagnostics import Diagnostic
from sfmap.engine.spec.model import Mapping
from sfmap.engine.spec.source import ScalarNode

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL)
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{\{|\{%", re.DOTALL)
_NOT_SOQL = (
    (r"==", '"==" means nothing in SOQL', "write ="),
    (r"&&", '"&&" means nothing in SOQL', "write AND"),
    (r"\|\|", '"||" means nothing in SOQL', "write OR"),
    (r"!(?!=)", '"!" means nothing in SOQL', "write NOT"),
    (r"[“”„‘’\"`]", "SOQL takes texts in straight single quotes", "write '...'"),
    (r"(?i)^\s*WHERE\b", "the look-up writes WHERE itself", "leave it out"),
    (r"(?i)\b(?:ORDER\s+BY|GROUP\s+BY|LIMIT)\b", "this is no part of a condition", "see on_many"),
)
"""What people write outside of quotes, as in other languages; with what to say."""


def where_mistakes(mapping: Mapping) -> Iterator[Diagnostic]:
    """What is wrong with the conditions of a mapping and of its references."""
    for where in (mapping.where, *(rule.reference.where for rule in mapping.rules if rule.reference)):
        if where:
            yield from _mistakes(where)


def _mistakes(where: ScalarNode) -> Iterator[Diagnostic]:
    """It stands within a longer query, and must stay in its place there."""
    if template := _TEMPLATE.search(where.text):
        message = "this is no template: the condition is the same for every event"
        help_ = "write fields that get values of the event under match"
        yield Diagnostic(kinds.WRONG_CONDITION, where.part(template.start(), len(template[0])), message, help_)
        return
    try:
        condition(where.text)
    except ValueError as error:
        yield Diagnostic(kinds.WRONG_CONDITION, where.span, str(error))
    outside = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), where.text)
    for pattern, message, help_ in _NOT_SOQL:
        if found := re.search(pattern, outside):
            yield Diagnostic(kinds.WRONG_CONDITION, where.part(found.start(), len(found[0])), message, help_)
