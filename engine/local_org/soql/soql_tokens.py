"""SOQL as tokens, and the fault that the org sends for a token in the wrong place."""

import re
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.soql.periods import WORD

_LONGEST_LITERAL = 4_000
_SHOWN = 30
_TOKEN = re.compile(
    rf"""\s*(?:
        (?P<period>{WORD})
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<moment>\d{{4}}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))?)
      | (?P<number>[-+]?\d+(?:\.\d+)?)
      | (?P<text>'(?:[^'\\]|\\.)*')
      | (?P<sign><=|>=|<>|!=|[=<>(),])
    )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class SoqlToken:
    kind: str
    """A group of the pattern, or `end`."""
    text: str
    position: int


def tokenized(text: str) -> list[SoqlToken]:
    """The tokens, with one for the end. Raises `Fault`."""
    tokens = []
    position, end = 0, len(text.rstrip())
    while position < end:
        found = _TOKEN.match(text, position)
        if not found or not found.lastgroup:
            raise malformed(text, SoqlToken("", text[position : position + 1], position))
        kind = found.lastgroup
        tokens.append(SoqlToken(kind, found[kind], found.start(kind)))
        if len(found[kind]) > _LONGEST_LITERAL + 2:
            raise malformed(text, tokens[-1])
        position = found.end()
    return [*tokens, SoqlToken("end", "<EOF>", end)]


def malformed(text: str, token: SoqlToken) -> Fault:
    """The fault for a token that was not expected."""
    before = text[: token.position]
    row, column = before.count("\n") + 1, token.position - (before.rfind("\n") + 1) + 1
    around = text[max(0, token.position - _SHOWN) : token.position + _SHOWN]
    caret = " " * min(token.position, _SHOWN) + "^"
    message = f"\n{around}\n{caret}\nERROR at Row:{row}:Column:{column}\nunexpected token: {token.text[:40]}"
    return Fault("MALFORMED_QUERY", message, "MalformedQueryFault", place=(row, column))
