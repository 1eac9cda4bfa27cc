"""Reads the tokens of a query one after the other; parsers of its parts share one reader."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from sfmap.engine.local_org.faults.org_faults import Fault, too_complicated
from sfmap.engine.local_org.soql.soql_tokens import SoqlToken, malformed, tokenized
from sfmap.engine.local_org.soql.soql_tree import Expression, FieldName, FunctionCall

_Part = TypeVar("_Part")
_DEEPEST_CALL = 4
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
CLAUSES = (
    "FROM", "USING", "WHERE", "WITH", "GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "FOR", "UPDATE", "ALL",
)  # fmt: skip
_CLAUSES_AND_OBJECTS = ("GROUP", "ORDER")


class TokenReader:
    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokenized(text)
        self._at = 0

    @property
    def current(self) -> SoqlToken:
        return self._tokens[self._at]

    def comes(self, *words: str) -> bool:
        """Whether the next tokens are these signs and words."""
        following = self._tokens[self._at : self._at + len(words)]
        return [token.text.upper() for token in following if token.kind in ("name", "sign")] == [*words]

    def accept(self, *words: str) -> bool:
        """Consumes the next tokens if they are these signs and words; returns whether they were."""
        found = self.comes(*words)
        self._at += len(words) * found
        return found

    def accept_any(self, *words: str) -> str:
        """Consumes the next token if it is one of these; returns which, or an empty text."""
        return next((word for word in words if self.accept(word)), "")

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.unexpected()

    def take(self, kind: str) -> SoqlToken:
        token = self.current
        if token.kind != kind:
            raise self.unexpected()
        self._at += 1
        return token

    def take_name(self) -> FieldName:
        token = self.current
        if token.text.upper() in CLAUSES:
            raise self.unexpected()
        return FieldName(self.take("name").text, token.position)

    def object_name(self) -> FieldName:
        """The name of an object; some objects are called like the first word of a clause."""
        token = self.current
        if token.text.upper() in _CLAUSES_AND_OBJECTS:
            return FieldName(self.take("name").text, token.position)
        return self.take_name()

    def alias(self, *keywords: str) -> str:
        """The alias that comes next, if there is one; a keyword is none."""
        token = self.current
        is_alias = token.kind == "name" and token.text.upper() not in (*CLAUSES, *keywords)
        return self.take("name").text if is_alias else ""

    def listed(self, part: Callable[[], _Part]) -> tuple[_Part, ...]:
        """One or more parts, with commas between them."""
        parts = [part()]
        while self.accept(","):
            parts.append(part())
        return tuple(parts)

    def expression(self, depth: int = 0) -> Expression:
        """A field, or a function of an expression."""
        token, name = self.current, self.take_name()
        if not self.accept("("):
            return name
        if depth > _DEEPEST_CALL:
            raise too_complicated(f"The query nests functions deeper than {_DEEPEST_CALL} levels.")
        argument = None if self.comes(")") else self.expression(depth + 1)
        if not self.accept(")"):
            # No supported function has several arguments.
            raise malformed(self.text, token if self.comes(",") else self.current)
        return FunctionCall(name.text.upper(), argument, name.position)

    def unexpected(self) -> Fault:
        return malformed(self.text, self.current)

    def unquoted(self, token: SoqlToken, escapes: Mapping[str, str]) -> str:
        """The text with escapes replaced; any other backslash is an error ("Quoted String Escape Sequences")."""

        def character(found: re.Match[str]) -> str:
            escape = found[1]
            if len(escape) > 1:
                made = chr(int(escape[1:], 16))
                return escapes["\\"] if made == "\\" else made
            if escape not in escapes:
                raise malformed(self.text, token)
            return escapes[escape]

        plain = _ESCAPE.sub(character, token.text[1:-1])
        # Two escapes may form one character; no record contains half a surrogate pair or U+0000.
        return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")
