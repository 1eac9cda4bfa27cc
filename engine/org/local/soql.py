"""SOQL: text → parsed query → parameterised SQL; what is wrong becomes the fault that the org would send."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from sfmap.engine.mapping.values import full_record_id
from sfmap.engine.org.local.faults import Fault, no_such_field, no_such_object
from sfmap.engine.org.local.periods import WORD, period, within
from sfmap.engine.org.local.schema import NUMBER_TYPES, FieldSchema, ObjectSchema, Schema
from sfmap.engine.org.local.store import Stored, fold
from sfmap.engine.org.local.validate import stored_date, stored_datetime

_LONGEST_QUERY = 100_000
_LONGEST_LITERAL = 4_000
_DEEPEST = 50
_LONGEST_FILTERED = 255

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
_COUNT = re.compile(r"\d{1,9}")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_LIKE_ESCAPES = {**_ESCAPES, "\\": r"\\", "_": r"\_", "%": r"\%"}
"""In a pattern these stay escaped for SQLite."""
_NEGATIONS = {"!=": "=", "<>": "="}
_SIGNS = {"<>": "!="}


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run: `columns` are the selected fields, none for a COUNT()."""

    target: ObjectSchema
    columns: tuple[FieldSchema, ...]
    statement: str
    parameters: tuple[Stored, ...]
    counts: bool


def compile_query(text: str, schema: Schema, with_deleted: bool = False) -> Compiled:
    """The query as SQL, over deleted records too where asked.

    Raises `Fault`: MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE.
    """
    if len(text) > _LONGEST_QUERY:
        raise Fault(
            "QUERY_TOO_COMPLICATED", "The query is longer than 100,000 characters.", "UnexpectedErrorFault"
        )
    return _Parser(text, schema, with_deleted).query()


class _Parser:
    """A recursive descent over the tokens; each method gives SQL and adds its parameters in order."""

    def __init__(self, text: str, schema: Schema, with_deleted: bool) -> None:
        self._text = text
        self._kept = "1" if with_deleted else "IsDeleted = 0"
        self._schema = schema
        self._tokens = self._tokenized()
        self._at = 0
        self._parameters: list[Stored] = []
        self._target: ObjectSchema

    def query(self) -> Compiled:
        self._expect("SELECT")
        names = self._selected()
        self._expect("FROM")
        name = self._take("name").text
        target = self._schema.object(name)
        if target is None:
            raise no_such_object(name)
        self._target = target
        columns = tuple(self._field(name) for name in names)
        condition = f" AND ({self._conditions(0)})" if self._accept("WHERE") else ""
        order = self._order()
        limit = self._count_after("LIMIT", -1)
        offset = self._count_after("OFFSET", 0)
        if self._current.kind != "end":
            raise self._unexpected()
        wanted = ", ".join(_quoted(column.name) for column in columns) or "1"
        statement = (
            f"SELECT {wanted} FROM {_quoted(target.name)} WHERE {self._kept}{condition}{order}"  # noqa: S608
            f" LIMIT {limit} OFFSET {offset}"
        )
        if not columns:
            statement = f"SELECT count(*) FROM ({statement})"  # noqa: S608
        return Compiled(target, columns, statement, tuple(self._parameters), counts=not columns)

    def _selected(self) -> list[str]:
        """The names of the fields; none for COUNT()."""
        first = self._take("name").text
        if first.upper() == "COUNT" and self._accept("("):
            self._expect(")")
            return []
        names = [first]
        while self._accept(","):
            names.append(self._take("name").text)
        return names

    def _conditions(self, depth: int) -> str:
        """Conditions joined by AND, or by OR; where a query mixes them, parentheses must say what it means."""
        parts = [self._condition(depth)]
        word = self._current.text.upper()
        if self._current.kind == "name" and word in ("AND", "OR"):
            while self._accept(word):
                parts.append(self._condition(depth))
        return _joined(parts, word)

    def _condition(self, depth: int) -> str:
        if depth > _DEEPEST:
            message = f"The query nests conditions deeper than {_DEEPEST} levels."
            raise Fault("QUERY_TOO_COMPLICATED", message, "UnexpectedErrorFault")
        if self._accept("NOT"):
            # What is not known to hold counts as not holding, as it does for != and NOT IN.
            return f"NOT coalesce(({self._condition(depth + 1)}), 0)"
        if self._accept("("):
            inner = self._conditions(depth + 1)
            self._expect(")")
            return f"({inner})"
        field = self._filterable(self._take("name").text)
        if self._accept("NOT"):
            self._expect("IN")
            return self._among(field, negated=True)
        if self._accept("IN"):
            return self._among(field, negated=False)
        if self._accept("LIKE"):
            return self._like(field)
        return self._comparison(field)

    def _among(self, field: FieldSchema, negated: bool) -> str:
        self._expect("(")
        values = [self._value(field)]
        while self._accept(","):
            values.append(self._value(field))
        self._expect(")")
        # One parameter, however many values there are.
        self._parameters.append(json.dumps([value for value in values if value is not None]))
        inside = f"{_compared(field)} IN (SELECT value FROM json_each(?))"  # noqa: S608
        column = _quoted(field.name)
        if None in values:
            return f"({column} IS NOT NULL AND NOT {inside})" if negated else f"({column} IS NULL OR {inside})"
        return f"({column} IS NULL OR NOT {inside})" if negated else inside

    def _like(self, field: FieldSchema) -> str:
        if _wanted_kind(field) != "text" or field.type in ("id", "reference"):
            message = f"invalid operator on {'id' if _wanted_kind(field) == 'text' else field.type} field"
            raise Fault("INVALID_QUERY_FILTER_OPERATOR", message, "InvalidQueryFilterOperatorFault")
        token = self._take("text")
        self._parameters.append(fold(_unquoted(token.text[1:-1], self._malformed(token), _LIKE_ESCAPES)))
        return f"{_compared(field)} LIKE ? ESCAPE '\\'"

    def _comparison(self, field: FieldSchema) -> str:
        sign = self._take("sign").text
        if sign in "(),":
            raise self._unexpected()
        if self._current.kind == "period" and field.type in ("date", "datetime"):
            return within(_quoted(field.name), _SIGNS.get(sign, sign), period(self._take("period").text))
        value = self._value(field)
        positive = _NEGATIONS.get(sign, sign)
        if value is None:
            if sign not in ("=", *_NEGATIONS):  # nothing is more or less than nothing
                return "0"
            return f"{_quoted(field.name)} IS {'NOT ' if positive != sign else ''}NULL"
        self._parameters.append(value)
        if positive != sign:
            return f"({_quoted(field.name)} IS NULL OR {_compared(field)} != ?)"
        return f"{_compared(field)} {sign} ?"

    def _value(self, field: FieldSchema) -> Stored:
        """A literal as it compares with the field's stored values."""
        token = self._current
        kind = _literal_kind(token)
        if not kind:
            raise self._unexpected()
        self._at += 1
        if kind == "null":
            return None
        if kind != _wanted_kind(field):
            quotes = "should be" if _wanted_kind(field) == "text" else "should not be"
            message = (
                f"value of filter criterion for field '{field.name}' must be of type {field.type} and {quotes}"
                " enclosed in quotes"
            )
            raise Fault("INVALID_FIELD", message, "InvalidFieldFault")
        return self._stored(field, kind, token)

    def _stored(self, field: FieldSchema, kind: str, token: Token) -> Stored:
        value: Stored
        match kind:
            case "text":
                # To the org an empty text is no value.
                return _folded(field, _unquoted(token.text[1:-1], self._malformed(token), _ESCAPES)) or None
            case "number":
                value = float(token.text) if isfinite(float(token.text)) else None
            case "boolean":
                value = int(token.text.lower() == "true")
            case "date":
                value = stored_date(token.text)
            case _:
                value = stored_datetime(token.text)
        if value is None:
            raise self._malformed(token)
        return value

    def _order(self) -> str:
        if not self._accept("ORDER"):
            return " ORDER BY Id"
        self._expect("BY")
        terms = [self._order_term()]
        while self._accept(","):
            terms.append(self._order_term())
        return f" ORDER BY {', '.join(terms)}"

    def _order_term(self) -> str:
        field = self._field(self._take("name").text)
        direction = "DESC" if self._accept("DESC") else "ASC"
        self._accept("ASC")
        nulls = "NULLS FIRST"
        if self._accept("NULLS"):
            nulls = "NULLS LAST" if self._accept("LAST") else "NULLS FIRST"
            self._accept("FIRST")
        return f"{_compared(field)} {direction} {nulls}"

    def _count_after(self, word: str, otherwise: int) -> int:
        if not self._accept(word):
            return otherwise
        token = self._take("number")
        if not _COUNT.fullmatch(token.text):
            raise self._malformed(token)
        return int(token.text)

    def _filterable(self, name: str) -> FieldSchema:
        field = self._field(name)
        if field.type == "textarea" and field.length > _LONGEST_FILTERED:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise Fault("INVALID_FIELD", message, "InvalidFieldFault")
        return field

    def _field(self, name: str) -> FieldSchema:
        field = self._target.field(name)
        if field is None:
            raise no_such_field(name, self._target.name)
        return field

    @property
    def _current(self) -> Token:
        return self._tokens[self._at]

    def _accept(self, text: str) -> bool:
        """Whether the next token is this sign or word; if so it is taken."""
        token = self._current
        found = token.kind in ("name", "sign") and token.text.upper() == text
        self._at += found
        return found

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected()

    def _take(self, kind: str) -> Token:
        token = self._current
        if token.kind != kind:
            raise self._unexpected()
        self._at += 1
        return token

    def _tokenized(self) -> list[Token]:
        tokens = []
        position, end = 0, len(self._text.rstrip())
        while position < end:
            found = _TOKEN.match(self._text, position)
            if not found or not found.lastgroup:
                raise self._malformed(Token("", self._text[position : position + 1], position))
            kind = found.lastgroup
            tokens.append(Token(kind, found[kind], found.start(kind)))
            if len(found[kind]) > _LONGEST_LITERAL + 2:
                raise self._malformed(tokens[-1])
            position = found.end()
        return [*tokens, Token("end", "<EOF>", end)]

    def _unexpected(self) -> Fault:
        return self._malformed(self._current)

    def _malformed(self, token: Token) -> Fault:
        before = self._text[: token.position]
        row, column = before.count("\n") + 1, token.position - (before.rfind("\n") + 1) + 1
        around = self._text[max(0, token.position - 30) : token.position + 30]
        caret = " " * min(token.position, 30) + "^"
        message = f"\n{around}\n{caret}\nERROR at Row:{row}:Column:{column}\nunexpected token: {token.text[:40]}"
        return Fault("MALFORMED_QUERY", message, "MalformedQueryFault", (row, column))


def _joined(parts: Sequence[str], word: str) -> str:
    """The parts joined as a tree: SQLite refuses a chain of more than a thousand."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)} {word} {_joined(parts[middle:], word)})"


def _literal_kind(token: Token) -> str:
    """text, number, boolean, date, datetime or null; empty for what is no literal."""
    if token.kind == "moment":
        return "datetime" if "T" in token.text else "date"
    if token.kind == "name":
        return {"null": "null", "true": "boolean", "false": "boolean"}.get(token.text.lower(), "")
    return token.kind if token.kind in ("text", "number") else ""


def _wanted_kind(field: FieldSchema) -> str:
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "text"


def _compared(field: FieldSchema) -> str:
    """The column as the org compares it: text without regard to case, ids and numbers as they are."""
    column = _quoted(field.name)
    plain = field.type in NUMBER_TYPES or field.type in ("boolean", "date", "datetime", "id", "reference")
    return column if plain else f"fold({column})"


def _folded(field: FieldSchema, text: str) -> str:
    if field.type in ("id", "reference"):
        return full_record_id(text) or text
    return str(fold(text.strip()))


def _unquoted(text: str, malformed: Fault, escapes: Mapping[str, str]) -> str:
    """The text without its escapes; any other backslash is an error ("Quoted String Escape Sequences")."""

    def character(found: re.Match[str]) -> str:
        escape = found[1]
        if len(escape) > 1:
            made = chr(int(escape[1:], 16))
            return escapes["\\"] if made == "\\" else made
        if escape not in escapes:
            raise malformed
        return escapes[escape]

    plain = _ESCAPE.sub(character, text)
    # Two escapes may make one character; half of one, and U+0000, are in no record.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
