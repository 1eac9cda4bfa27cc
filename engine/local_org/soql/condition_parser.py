"""Parses the conditions of WHERE and HAVING, and the literals in them."""

from collections.abc import Mapping
from math import isfinite

from sfmap.engine.local_org.faults.org_faults import too_complicated
from sfmap.engine.local_org.records.store import Stored
from sfmap.engine.local_org.records.validation import stored_date, stored_datetime
from sfmap.engine.local_org.soql.soql_tokens import SoqlToken, malformed
from sfmap.engine.local_org.soql.soql_tree import (
    Among,
    Comparison,
    Condition,
    Expression,
    Includes,
    Joined,
    Like,
    LiteralKind,
    Not,
    PeriodLiteral,
    SemiJoin,
    SoqlLiteral,
)
from sfmap.engine.local_org.soql.token_reader import ESCAPES, TokenReader

_DEEPEST = 15
"""Low enough for SQLite, whose parser has a small stack."""
_DEEPEST_TEXT = 100
"""The most parentheses and NOTs around each other, which may have nothing to join."""
_LIKE_ESCAPES = {**ESCAPES, "\\": r"\\", "_": r"\_", "%": r"\%"}
"""Characters that stay escaped in a pattern for SQLite."""


class ConditionParser:
    """A recursive-descent parser; each method consumes the tokens of its part."""

    def __init__(self, reader: TokenReader) -> None:
        self._reader = reader

    def conditions(self, depth: int = 0) -> Condition:
        """Conditions joined by AND or by OR; a query that mixes both needs parentheses."""
        found = self._joined(depth)
        if depth == 0 and _levels(found) > _DEEPEST:
            raise too_complicated(f"The query nests conditions deeper than {_DEEPEST} levels.")
        return found

    def _joined(self, depth: int) -> Condition:
        conditions = [self._condition(depth)]
        word = next((word for word in ("AND", "OR") if self._reader.comes(word)), "")
        while word and self._reader.accept(word):
            conditions.append(self._condition(depth))
        return Joined(word, tuple(conditions)) if len(conditions) > 1 else conditions[0]

    def _condition(self, depth: int) -> Condition:
        if depth > _DEEPEST_TEXT:
            raise too_complicated(f"The query nests parentheses deeper than {_DEEPEST_TEXT} levels.")
        if self._reader.accept("NOT"):
            return Not(self._condition(depth + 1))
        if self._reader.accept("("):
            inner = self.conditions(depth + 1)
            self._reader.expect(")")
            return inner
        return self._test(self._reader.expression(), depth)

    def _test(self, left: Expression, depth: int) -> Condition:
        """What follows the field of a condition."""
        reader = self._reader
        is_negated = reader.accept("NOT", "IN")
        if is_negated or reader.accept("IN"):
            if reader.comes("(", "SELECT"):
                return self._semi_join(left, is_negated, depth)
            return Among(left, self._values(), is_negated)
        if reader.accept("LIKE"):
            return Like(left, reader.unquoted(reader.take("text"), _LIKE_ESCAPES))
        if word := reader.accept_any("INCLUDES", "EXCLUDES"):
            reader.expect("(")
            choices = reader.listed(self._choice)
            reader.expect(")")
            return Includes(left, choices, word == "EXCLUDES")
        return self._comparison(left)

    def _semi_join(self, left: Expression, is_negated: bool, depth: int) -> SemiJoin:
        reader = self._reader
        position = reader.current.position
        reader.expect("(", "SELECT")
        inner = reader.expression()
        reader.expect("FROM")
        join = SemiJoin(
            left=left,
            inner=inner,
            object_name=reader.take_name(),
            where=self.conditions(depth + 1) if reader.accept("WHERE") else None,
            is_negated=is_negated,
            position=position,
        )
        reader.expect(")")
        return join

    def _values(self) -> tuple[SoqlLiteral, ...]:
        self._reader.expect("(")
        values = self._reader.listed(self._literal)
        self._reader.expect(")")
        return values

    def _choice(self) -> tuple[str, ...]:
        text = self._reader.unquoted(self._reader.take("text"), ESCAPES)
        return tuple(value.strip() for value in text.split(";"))

    def _comparison(self, left: Expression) -> Comparison:
        reader = self._reader
        if reader.current.text in "(),":
            raise reader.unexpected()
        sign = reader.take("sign").text
        if reader.current.kind == "period":
            return Comparison(left, sign, PeriodLiteral(reader.take("period")))
        return Comparison(left, sign, self._literal())

    def _literal(self) -> SoqlLiteral:
        token = self._reader.current
        kind = _literal_kind(token)
        if kind is None:
            raise self._reader.unexpected()
        self._reader.take(token.kind)
        value: Stored
        match kind:
            case "null":
                return SoqlLiteral("null", None)
            case "text":
                value = self._reader.unquoted(token, ESCAPES)
            case "number":
                value = float(token.text) if isfinite(float(token.text)) else None
            case "boolean":
                value = int(token.text.lower() == "true")
            case "date":
                value = stored_date(token.text)
            case "datetime":
                value = stored_datetime(token.text)
        if value is None:
            raise malformed(self._reader.text, token)
        return SoqlLiteral(kind, value)


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


def _levels(condition: Condition | None) -> int:
    """How deep conditions are within each other."""
    match condition:
        case Not(inner):
            return 1 + _levels(inner)
        case Joined(_, parts):
            return 1 + max(map(_levels, parts))
        case SemiJoin():
            return 1 + _levels(condition.where)
        case _:
            return 0
