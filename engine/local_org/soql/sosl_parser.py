"""Parses searches in SOSL: what to find, in which fields, and what of the records found to return."""

import re
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import Fault

_FIND = re.compile(r"\s*FIND\s*(?:\{((?:[^}\\]|\\.)*)\}|'((?:[^'\\]|\\.)*)')", re.IGNORECASE | re.DOTALL)
_SCOPE = re.compile(r"\s*IN\s+(ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS", re.IGNORECASE)
_RETURNING = re.compile(r"\s*RETURNING\s+", re.IGNORECASE)
_OBJECT = re.compile(r"\s*(\w+)\s*", re.ASCII)
_WITH = re.compile(r"\s*WITH(?:\s++(?!(?:WITH|LIMIT|UPDATE)\b)[^()\s]++)++(?=\s|$)", re.IGNORECASE)
_END = re.compile(r"(?:\s*LIMIT\s+(\d{1,6}))?(?:\s*UPDATE\s+\w+(?:\s*,\s*\w+)*)?\s*$", re.IGNORECASE)
_CLAUSE = re.compile(r"\b(?:WHERE|ORDER\s+BY|LIMIT|OFFSET|USING)\b", re.IGNORECASE)
_CONDITION = re.compile(r"\bWHERE\b(.*?)(?=\b(?:ORDER\s+BY|LIMIT|OFFSET)\b|$)", re.IGNORECASE | re.DOTALL)
_ORDERED = re.compile(r"\b(?:ORDER\s+BY|LIMIT|OFFSET)\b.*$", re.IGNORECASE | re.DOTALL)
_TERM = re.compile(r'"([^"]*)"|([^\s()"]+)')
_WORD = re.compile(r"[\w*?]+")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SHORTEST = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Words that must follow each other in a field."""

    words: tuple[re.Pattern[str], ...]
    excluded: bool

    def is_in(self, words: list[str]) -> bool:
        length = len(self.words)
        return any(
            all(pattern.fullmatch(word) for pattern, word in zip(self.words, words[start:], strict=False))
            for start in range(len(words) - length + 1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What to return of the records of one object, as parts of a SOQL query."""

    object_name: str
    fields: str
    where: str
    order: str
    """ORDER BY, LIMIT and OFFSET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoslSearch:
    terms: tuple[tuple[Term, ...], ...]
    """One of these groups must match, and of that group all terms."""
    scope: str
    """ALL, NAME, EMAIL or PHONE."""
    returned: tuple[Returned, ...]
    """Empty for all objects."""
    limit: int | None

    def matches(self, texts: list[str]) -> bool:
        """Whether a record with these texts in its fields is found."""
        fields = [words_of(text) for text in texts]
        return any(
            all(any(term.is_in(words) for words in fields) != term.excluded for term in group)
            for group in self.terms
        )


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def parse_search(text: str) -> SoslSearch:
    """Raises `Fault`."""
    found = _FIND.match(text)
    if found is None:
        raise _malformed("No search term found. The search term must be enclosed in braces.")
    sought = _ESCAPED.sub(r"\1", found[1] if found[1] is not None else found[2])
    position = found.end()
    scope = _SCOPE.match(text, position)
    position = scope.end() if scope else position
    returned, position = _returned(text, position)
    while condition := _WITH.match(text, position):
        position = condition.end()
    end = _END.match(text, position)
    if end is None:
        raise _malformed(f"unexpected token: {text[position : position + 30].strip()}")
    return SoslSearch(
        terms=_terms(sought),
        scope=scope[1].upper().replace("SIDEBAR", "ALL") if scope else "ALL",
        returned=returned,
        limit=int(end[1]) if end[1] else None,
    )


def _terms(sought: str) -> tuple[tuple[Term, ...], ...]:
    if len(sought.strip()) < _SHORTEST:
        raise _malformed(f"search term must be longer than one character: {sought.strip()}")
    groups: list[list[Term]] = [[]]
    excluded = False
    for phrase, word in _TERM.findall(sought):
        match word.upper():
            case "OR":
                groups.append([])
            case "AND":
                continue
            case "NOT":
                excluded = True
            case _:
                patterns = tuple(_pattern(one) for one in _WORD.findall((phrase or word).casefold()))
                if patterns:
                    groups[-1].append(Term(words=patterns, excluded=excluded))
                excluded = False
    return tuple(tuple(group) for group in groups if group)


def _pattern(word: str) -> re.Pattern[str]:
    """A pattern for a word with wildcards, which takes linear time: only the last `*` can backtrack."""
    first, *others = (re.escape(piece).replace(r"\?", r"\w") for piece in word.split("*"))
    inner = "".join(rf"(?>\w*?{piece})" for piece in others[:-1] if piece)
    return re.compile(f"{first}{inner}" + (rf"\w*{others[-1]}" if others else ""))


def _returned(text: str, position: int) -> tuple[tuple[Returned, ...], int]:
    start = _RETURNING.match(text, position)
    if start is None:
        return (), position
    position = start.end()
    hidden = text[:position] + _without_quotations(text[position:])
    returned = []
    while True:
        name = _OBJECT.match(text, position)
        if name is None:
            raise _malformed(f"unexpected token: {text[position : position + 30].strip() or '<EOF>'}")
        position = name.end()
        inner = ""
        if text[position : position + 1] == "(":
            end = _closing(hidden, position)
            inner, position = text[position + 1 : end], end + 1
        returned.append(_clauses(name[1], inner))
        comma = re.compile(r"\s*,").match(text, position)
        if comma is None:
            return tuple(returned), position
        position = comma.end()


def _clauses(object_name: str, inner: str) -> Returned:
    hidden = _without_quotations(inner)
    first = _CLAUSE.search(hidden)
    where, order = _CONDITION.search(hidden), _ORDERED.search(hidden)
    return Returned(
        object_name=object_name,
        fields=inner[: first.start()].strip() if first else inner.strip(),
        where=inner[where.start(1) : where.end(1)].strip() if where else "",
        order=inner[order.start() :].strip() if order else "",
    )


def _without_quotations(text: str) -> str:
    """The text with as many other characters in place of quotations, in which words mean nothing."""
    return re.sub(r"'(?:[^'\\]|\\.)*'", lambda found: "x" * len(found[0]), text, flags=re.DOTALL)


def _closing(hidden: str, start: int) -> int:
    """Where the parenthesis ends that opens at `start`, in a text without quotations."""
    depth = 0
    for position in range(start, len(hidden)):
        depth += {"(": 1, ")": -1}.get(hidden[position], 0)
        if depth == 0:
            return position
    raise _malformed("unexpected token: <EOF>")


def _malformed(message: str) -> Fault:
    return Fault("MALFORMED_SEARCH", message, "MalformedSearchFault")
