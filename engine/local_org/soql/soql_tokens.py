"""SOQL as tokens, and the faults that point at a place in a query."""

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
    return misused(text, token.position, f"unexpected token: {token.text[:40]}")


def misused(text: str, position: int, message: str) -> Fault:
    """The fault for a clause or function that cannot be used there, or like that."""
    return at_place(text, position, Fault("MALFORMED_QUERY", message, "MalformedQueryFault"))


def at_place(text: str, position: int, fault: Fault) -> Fault:
    """The fault, whose message shows the place in the query."""
    before = text[:position]
    row, column = before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
    around = text[max(0, position - _SHOWN) : position + _SHOWN]
    caret = " " * min(position, _SHOWN) + "^"
    message = f"\n{around}\n{caret}\nERROR at Row:{row}:Column:{column}\n{fault.message}"
    return Fault(fault.code, message, fault.kind, place=(row, column))
