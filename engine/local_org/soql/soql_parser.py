"""Parses SOQL into a syntax tree, whose names are not resolved yet."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from sfmap.engine.local_org.faults.org_faults import Fault, too_complicated
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.records.validation import stored_date, stored_datetime
from sfmap.engine.local_org.soql.soql_tokens import SoqlToken, malformed, tokenized

AGGREGATES = ("COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX")
_CLAUSES = ("WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET")
_DEEPEST = 50
_COUNT = re.compile(r"\d{1,9}")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_LIKE_ESCAPES = {**_ESCAPES, "\\": r"\\", "_": r"\_", "%": r"\%"}
"""Characters that stay escaped in a pattern for SQLite."""

LiteralKind = Literal["text", "number", "boolean", "date", "datetime", "null"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    function: str
    """One of `AGGREGATES`."""
    field: str
    """Empty in COUNT()."""
    alias: str = ""


@dataclass(frozen=True, slots=True)
class SoqlLiteral:
    kind: LiteralKind
    value: Stored


@dataclass(frozen=True, slots=True)
class PeriodLiteral:
    """A date literal for a period, such as TODAY."""

    token: SoqlToken


@dataclass(frozen=True, slots=True)
class Comparison:
    field: str
    sign: str
    value: SoqlLiteral | PeriodLiteral


@dataclass(frozen=True, slots=True)
class Among:
    """IN, or NOT IN."""

    field: str
    values: tuple[SoqlLiteral, ...]
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Like:
    field: str
    pattern: str
    """For SQLite, with \\ as its escape character."""


@dataclass(frozen=True, slots=True)
class Includes:
    """INCLUDES, or EXCLUDES: whether a multi-select picklist has all the values of one of the choices."""

    field: str
    choices: tuple[tuple[str, ...], ...]
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    word: str
    """AND or OR."""
    conditions: tuple["Condition", ...]


Condition = Comparison | Among | Like | Includes | Not | Joined


@dataclass(frozen=True, slots=True)
class OrderTerm:
    by: str | Aggregate
    is_descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A query; fields are given as the names in its text, such as `Owner.Name`."""

    text: str
    object_name: str
    alias: str
    """The object's alias; empty without one."""
    selected: tuple[str | Aggregate, ...]
    """Empty for COUNT()."""
    where: Condition | None
    grouped: tuple[str, ...]
    order: tuple[OrderTerm, ...]
    limit: int
    """-1 without one."""
    offset: int


def parse_query(text: str) -> Query:
    """Raises `Fault`: MALFORMED_QUERY or QUERY_TOO_COMPLICATED."""
    return _Parser(text).query()


class _Parser:
    """A recursive-descent parser; each method consumes the tokens of its part."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenized(text)
        self._at = 0

    def query(self) -> Query:
        self._expect("SELECT")
        selected = self._selected()
        self._expect("FROM")
        object_name = self._take("name").text
        is_aliased = self._current.kind == "name" and self._current.text.upper() not in _CLAUSES
        query = Query(
            text=self._text,
            object_name=object_name,
            alias=self._take("name").text if is_aliased else "",
            selected=selected,
            where=self._conditions(0) if self._accept("WHERE") else None,
            grouped=self._grouped(),
            order=self._order(),
            limit=self._count_after("LIMIT", -1),
            offset=self._count_after("OFFSET", 0),
        )
        if self._current.kind != "end":
            raise self._unexpected()
        return query

    def _selected(self) -> tuple[str | Aggregate, ...]:
        if [token.text.upper() for token in self._tokens[self._at : self._at + 3]] == ["COUNT", "(", ")"]:
            self._at += 3
            return ()
        selected = [self._selection()]
        while self._accept(","):
            selected.append(self._selection())
        return tuple(selected)

    def _selection(self) -> str | Aggregate:
        name = self._take("name")
        if name.text.upper() in (*_CLAUSES, "FROM"):
            raise malformed(self._text, name)
        if not self._accept("("):
            return name.text
        function = name.text.upper()
        if function not in AGGREGATES:
            raise malformed(self._text, name)
        field = self._take("name").text
        self._expect(")")
        has_alias = self._current.kind == "name" and self._current.text.upper() != "FROM"
        return Aggregate(function, field, self._take("name").text if has_alias else "")

    def _grouped(self) -> tuple[str, ...]:
        if not self._accept("GROUP"):
            return ()
        self._expect("BY")
        fields = [self._take("name").text]
        while self._accept(","):
            fields.append(self._take("name").text)
        return tuple(fields)

    def _conditions(self, depth: int) -> Condition:
        """Conditions joined by AND or by OR; a query that mixes both needs parentheses."""
        conditions = [self._condition(depth)]
        word = self._current.text.upper()
        if self._current.kind == "name" and word in ("AND", "OR"):
            while self._accept(word):
                conditions.append(self._condition(depth))
        return Joined(word, tuple(conditions)) if len(conditions) > 1 else conditions[0]

    def _condition(self, depth: int) -> Condition:
        if depth > _DEEPEST:
            raise too_complicated(f"The query nests conditions deeper than {_DEEPEST} levels.")
        if self._accept("NOT"):
            return Not(self._condition(depth + 1))
        if self._accept("("):
            inner = self._conditions(depth + 1)
            self._expect(")")
            return inner
        return self._test(self._take("name").text)

    def _test(self, field: str) -> Condition:
        """What follows the field of a condition."""
        if self._accept("NOT"):
            self._expect("IN")
            return Among(field, self._values(), is_negated=True)
        if self._accept("IN"):
            return Among(field, self._values(), is_negated=False)
        if self._accept("LIKE"):
            return Like(field, self._unquoted(self._take("text"), _LIKE_ESCAPES))
        for word in ("INCLUDES", "EXCLUDES"):
            if self._accept(word):
                return Includes(field, self._choices(), is_negated=word == "EXCLUDES")
        return self._comparison(field)

    def _values(self) -> tuple[SoqlLiteral, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._accept(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _choices(self) -> tuple[tuple[str, ...], ...]:
        self._expect("(")
        choices = [self._choice()]
        while self._accept(","):
            choices.append(self._choice())
        self._expect(")")
        return tuple(choices)

    def _choice(self) -> tuple[str, ...]:
        text = self._unquoted(self._take("text"), _ESCAPES)
        return tuple(value.strip() for value in text.split(";"))

    def _comparison(self, field: str) -> Comparison:
        sign = self._take("sign").text
        if sign in "(),":
            raise self._unexpected()
        if self._current.kind == "period":
            return Comparison(field, sign, PeriodLiteral(self._take("period")))
        return Comparison(field, sign, self._literal())

    def _literal(self) -> SoqlLiteral:
        token = self._current
        kind = _literal_kind(token)
        if kind is None:
            raise self._unexpected()
        self._at += 1
        value: Stored
        match kind:
            case "null":
                return SoqlLiteral("null", None)
            case "text":
                value = self._unquoted(token, _ESCAPES)
            case "number":
                value = float(token.text) if isfinite(float(token.text)) else None
            case "boolean":
                value = int(token.text.lower() == "true")
            case "date":
                value = stored_date(token.text)
            case "datetime":
                value = stored_datetime(token.text)
        if value is None:
            raise malformed(self._text, token)
        return SoqlLiteral(kind, value)

    def _order(self) -> tuple[OrderTerm, ...]:
        if not self._accept("ORDER"):
            return ()
        self._expect("BY")
        terms = [self._order_term()]
        while self._accept(","):
            terms.append(self._order_term())
        return tuple(terms)

    def _order_term(self) -> OrderTerm:
        by = self._ordered_by()
        is_descending = self._accept("DESC")
        self._accept("ASC")
        nulls_last = False
        if self._accept("NULLS"):
            nulls_last = self._accept("LAST")
            self._accept("FIRST")
        return OrderTerm(by, is_descending, nulls_last)

    def _ordered_by(self) -> str | Aggregate:
        name = self._take("name").text
        if name.upper() not in AGGREGATES or not self._accept("("):
            return name
        if self._accept(")"):
            return Aggregate("COUNT", "")
        field = self._take("name").text
        self._expect(")")
        return Aggregate(name.upper(), field)

    def _count_after(self, word: str, otherwise: int) -> int:
        if not self._accept(word):
            return otherwise
        token = self._take("number")
        if not _COUNT.fullmatch(token.text):
            raise malformed(self._text, token)
        return int(token.text)

    @property
    def _current(self) -> SoqlToken:
        return self._tokens[self._at]

    def _accept(self, text: str) -> bool:
        """Consumes the next token if it is this sign or word; returns whether it was."""
        token = self._current
        found = token.kind in ("name", "sign") and token.text.upper() == text
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected()

    def _take(self, kind: str) -> SoqlToken:
        token = self._current
        if token.kind != kind:
            raise self._unexpected()
        self._at += 1
        return token

    def _unexpected(self) -> Fault:
        return malformed(self._text, self._current)

    def _unquoted(self, token: SoqlToken, escapes: Mapping[str, str]) -> str:
        """The text with escapes replaced; any other backslash is an error ("Quoted String Escape Sequences")."""

        def character(found: re.Match[str]) -> str:
            escape = found[1]
            if len(escape) > 1:
                made = chr(int(escape[1:], 16))
                return escapes["\\"] if made == "\\" else made
            if escape not in escapes:
                raise malformed(self._text, token)
            return escapes[escape]

        plain = _ESCAPE.sub(character, token.text[1:-1])
        # Two escapes may form one character; no record contains half a surrogate pair or U+0000.
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")


def _literal_kind(token: SoqlToken) -> LiteralKind | None:
    """None if the token is not a literal."""
    match token.kind:
        case "moment":
            return "datetime" if "T" in token.text else "date"
        case "text":
            return "text"
        case "number":
            return "number"
        case "name":
            words: Mapping[str, LiteralKind] = {"null": "null", "true": "boolean", "false": "boolean"}
            return words.get(token.text.lower())
    return None
