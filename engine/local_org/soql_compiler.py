"""Compiles SOQL to parameterized SQL; errors become the faults that the org would send."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from sfmap.engine.local_org.faults import Fault, no_such_field, no_such_object
from sfmap.engine.local_org.ids import full_id
from sfmap.engine.local_org.object_schema import NUMBER_TYPES, FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.periods import WORD, period, within
from sfmap.engine.local_org.store import Stored, fold
from sfmap.engine.local_org.validation import stored_date, stored_datetime

_LONGEST_QUERY = 100_000
_LONGEST_LITERAL = 4_000
_DEEPEST = 50

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
"""Characters that stay escaped in a pattern for SQLite."""
_NEGATIONS = {"!=": "=", "<>": "="}
_SIGNS = {"<>": "!="}


_CLAUSES = ("WHERE", "GROUP", "ORDER", "LIMIT", "OFFSET")
_MOST_PARENTS = 5
_ANY_OBJECT = "Name"
"""The type that the org reports for a parent that may be one of several objects."""
_AGGREGATE = "*"
"""The field name of an aggregate, which no object has."""
_FUNCTIONS = {
    "COUNT": ("int", "count({})"),
    "COUNT_DISTINCT": ("int", "count(DISTINCT {})"),
    "SUM": ("double", "sum({})"),
    "AVG": ("double", "avg({})"),
    "MIN": ("", "min({})"),
    "MAX": ("", "max({})"),
}
"""By aggregate, the type of its result, empty for the field's own, and its SQL."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Column:
    """A field of the object or of a parent, or an aggregate of one."""

    path: tuple[str, ...]
    """Its nesting in a response: the relationships and the field, or the name of the aggregate."""
    field: FieldSchema
    sql: str
    owners: tuple[str, ...] = ()
    """The objects that the relationships lead to."""

    @property
    def name(self) -> str:
        return self.path[-1]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready to run; `columns` are the selected columns, none for COUNT()."""

    target: ObjectSchema
    columns: tuple[Column, ...]
    statement: str
    parameters: tuple[Stored, ...]
    counts: bool
    aggregates: bool = False
    """Whether its rows are groups instead of records."""


def compile_query(text: str, schema: Schema, with_deleted: bool = False) -> Compiled:
    """The query as SQL, including deleted records if requested.

    Raises `Fault`: MALFORMED_QUERY, INVALID_FIELD, INVALID_TYPE.
    """
    if len(text) > _LONGEST_QUERY:
        raise Fault(
            "QUERY_TOO_COMPLICATED", "The query is longer than 100,000 characters.", "UnexpectedErrorFault"
        )
    return _Parser(text, schema, with_deleted).query()


class _Parser:
    """A recursive-descent parser; each method returns SQL and adds its parameters in order."""

    def __init__(self, text: str, schema: Schema, with_deleted: bool) -> None:
        self._text = text
        self._kept = "1" if with_deleted else "t.IsDeleted = 0"
        self._joins: dict[tuple[str, ...], str] = {}
        """Aliases by the path of relationships, the alias that it starts from, and the object."""
        self._alias = ""
        self._unnamed = 0
        """The number of aggregates without an alias."""
        self._schema = schema
        self._tokens = self._tokenized()
        self._at = 0
        self._parameters: list[Stored] = []
        self._target: ObjectSchema

    def query(self) -> Compiled:
        self._expect("SELECT")
        start = self._at
        self._skip_to("FROM")
        self._expect("FROM")
        self._target = self._object(self._take("name").text)
        if self._current.kind == "name" and self._current.text.upper() not in _CLAUSES:
            self._alias = self._take("name").text.casefold()
        after, self._at = self._at, start
        columns = self._selected()
        self._expect("FROM")
        self._at = after
        condition = f" AND ({self._conditions(0)})" if self._accept("WHERE") else ""
        grouped = self._grouped()
        aggregates = bool(grouped) or any(column.field.name == _AGGREGATE for column in columns)
        order = self._order(aggregates)
        limit = self._count_after("LIMIT", -1)
        offset = self._count_after("OFFSET", 0)
        if self._current.kind != "end":
            raise self._unexpected()
        if aggregates:
            self._check_grouped(columns, grouped)
        wanted = ", ".join(column.sql for column in columns) or "1"
        group = f" GROUP BY {', '.join(_compared(column) for column in grouped)}" if grouped else ""
        statement = (
            f"SELECT {wanted} FROM {_quoted(self._target.name)} AS t{''.join(self._joins.values())}"  # noqa: S608
            f" WHERE {self._kept}{condition}{group}{order} LIMIT {limit} OFFSET {offset}"
        )
        if not columns:
            statement = f"SELECT count(*) FROM ({statement})"  # noqa: S608
        return Compiled(
            self._target, columns, statement, tuple(self._parameters), not columns, aggregates=aggregates
        )

    def _object(self, name: str) -> ObjectSchema:
        target = self._schema.object(name)
        if target is None:
            raise no_such_object(name)
        return target

    def _skip_to(self, word: str) -> None:
        """Skips the selected fields, which can only be resolved once the object is known."""
        while self._current.kind != "end" and self._current.text.upper() != word:
            self._at += 1
        if self._current.kind == "end":
            raise self._unexpected()

    def _selected(self) -> tuple[Column, ...]:
        """The selected columns; none for COUNT()."""
        if [token.text.upper() for token in self._tokens[self._at : self._at + 3]] == ["COUNT", "(", ")"]:
            self._at += 3
            return ()
        columns = [self._selection()]
        while self._accept(","):
            columns.append(self._selection())
        return tuple(columns)

    def _selection(self) -> Column:
        name = self._take("name")
        if name.text.upper() in (*_CLAUSES, "FROM"):
            raise self._malformed(name)
        if not self._accept("("):
            return self._column(name.text)
        function = _FUNCTIONS.get(name.text.upper())
        if function is None:
            raise self._malformed(name)
        column = self._column(self._take("name").text)
        self._expect(")")
        alias = f"expr{self._unnamed}"
        if self._current.kind == "name" and self._current.text.upper() != "FROM":
            alias = self._take("name").text
        else:
            self._unnamed += 1
        kind, sql = function
        return Column((alias,), FieldSchema(_AGGREGATE, alias, kind or column.field.type), sql.format(column.sql))

    def _grouped(self) -> list[Column]:
        if not self._accept("GROUP"):
            return []
        self._expect("BY")
        columns = [self._column(self._take("name").text)]
        while self._accept(","):
            columns.append(self._column(self._take("name").text))
        return columns

    def _check_grouped(self, columns: Sequence[Column], grouped: Sequence[Column]) -> None:
        known = {column.path for column in grouped}
        for column in columns:
            if column.field.name != _AGGREGATE and column.path not in known:
                message = f"Field must be grouped or aggregated: {column.name}"
                raise Fault("MALFORMED_QUERY", message, "MalformedQueryFault", (1, 1))

    def _conditions(self, depth: int) -> str:
        """Conditions joined by AND or by OR; a query that mixes both needs parentheses."""
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
            # An unknown result counts as false, as it does for != and NOT IN.
            return f"NOT coalesce(({self._condition(depth + 1)}), 0)"
        if self._accept("("):
            inner = self._conditions(depth + 1)
            self._expect(")")
            return f"({inner})"
        column = self._filterable(self._take("name").text)
        if self._accept("NOT"):
            self._expect("IN")
            return self._among(column, negated=True)
        if self._accept("IN"):
            return self._among(column, negated=False)
        if self._accept("LIKE"):
            return self._like(column)
        for word, holds in (("INCLUDES", True), ("EXCLUDES", False)):
            if self._accept(word):
                return self._includes(column, holds)
        return self._comparison(column)

    def _includes(self, column: Column, holds: bool) -> str:
        """Tests whether a multi-select picklist has all the values of one of the texts."""
        if column.field.type != "multipicklist":
            message = "invalid operator on field that is not a multi-select picklist"
            raise Fault("INVALID_QUERY_FILTER_OPERATOR", message, "InvalidQueryFilterOperatorFault")
        self._expect("(")
        ways = [self._all_of(column)]
        while self._accept(","):
            ways.append(self._all_of(column))
        self._expect(")")
        found = f"({' OR '.join(ways)})"
        return found if holds else f"NOT {found}"

    def _all_of(self, column: Column) -> str:
        token = self._take("text")
        values = _unquoted(token.text[1:-1], self._malformed(token), _ESCAPES).split(";")
        self._parameters += [f";{fold(value.strip())};" for value in values]
        held = f"instr(';' || fold(coalesce({column.sql}, '')) || ';', ?) > 0"
        return f"({' AND '.join([held] * len(values))})"

    def _among(self, column: Column, negated: bool) -> str:
        self._expect("(")
        values = [self._value(column.field)]
        while self._accept(","):
            values.append(self._value(column.field))
        self._expect(")")
        # One parameter for any number of values.
        self._parameters.append(json.dumps([value for value in values if value is not None]))
        inside = f"{_compared(column)} IN (SELECT value FROM json_each(?))"  # noqa: S608
        sql = column.sql
        if None in values:
            return f"({sql} IS NOT NULL AND NOT {inside})" if negated else f"({sql} IS NULL OR {inside})"
        return f"({sql} IS NULL OR NOT {inside})" if negated else inside

    def _like(self, column: Column) -> str:
        if _wanted_kind(column.field) != "text" or column.field.type in ("id", "reference"):
            message = (
                f"invalid operator on {'id' if _wanted_kind(column.field) == 'text' else column.field.type} field"
            )
            raise Fault("INVALID_QUERY_FILTER_OPERATOR", message, "InvalidQueryFilterOperatorFault")
        token = self._take("text")
        self._parameters.append(fold(_unquoted(token.text[1:-1], self._malformed(token), _LIKE_ESCAPES)))
        return f"{_compared(column)} LIKE ? ESCAPE '\\'"

    def _comparison(self, column: Column) -> str:
        sign = self._take("sign").text
        if sign in "(),":
            raise self._unexpected()
        if self._current.kind == "period" and column.field.type in ("date", "datetime"):
            return within(column.sql, _SIGNS.get(sign, sign), period(self._take("period").text))
        value = self._value(column.field)
        positive = _NEGATIONS.get(sign, sign)
        if value is None:
            if sign not in ("=", *_NEGATIONS):  # null cannot be ordered
                return "0"
            return f"{column.sql} IS {'NOT ' if positive != sign else ''}NULL"
        self._parameters.append(value)
        if positive != sign:
            return f"({column.sql} IS NULL OR {_compared(column)} != ?)"
        return f"{_compared(column)} {sign} ?"

    def _value(self, field: FieldSchema) -> Stored:
        """A literal in the form of the field's stored values."""
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
                # The org treats an empty text as null.
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

    def _order(self, aggregates: bool) -> str:
        if not self._accept("ORDER"):
            return "" if aggregates else " ORDER BY t.Id"
        self._expect("BY")
        terms = [self._order_term()]
        while self._accept(","):
            terms.append(self._order_term())
        return f" ORDER BY {', '.join(terms)}"

    def _order_term(self) -> str:
        column = self._order_column(self._take("name"))
        direction = "DESC" if self._accept("DESC") else "ASC"
        self._accept("ASC")
        nulls = "NULLS FIRST"
        if self._accept("NULLS"):
            nulls = "NULLS LAST" if self._accept("LAST") else "NULLS FIRST"
            self._accept("FIRST")
        return f"{_compared(column)} {direction} {nulls}"

    def _order_column(self, name: Token) -> Column:
        """A field, or an aggregate of one."""
        function = _FUNCTIONS.get(name.text.upper())
        if function is None or not self._accept("("):
            return self._column(name.text)
        if self._accept(")"):
            return Column(("count",), FieldSchema(_AGGREGATE, "count", "int"), "count(*)")
        column = self._column(self._take("name").text)
        self._expect(")")
        return replace(column, field=replace(column.field, type="double"), sql=function[1].format(column.sql))

    def _count_after(self, word: str, otherwise: int) -> int:
        if not self._accept(word):
            return otherwise
        token = self._take("number")
        if not _COUNT.fullmatch(token.text):
            raise self._malformed(token)
        return int(token.text)

    def _filterable(self, name: str) -> Column:
        column = self._column(name)
        field = column.field
        if not field.filterable:
            message = f"field '{field.name}' can not be filtered in a query call"
            raise Fault("INVALID_FIELD", message, "InvalidFieldFault")
        return column

    def _column(self, name: str) -> Column:
        """The field of that name: the object's own, or one of a parent (`Owner.Name`).

        A reference may have several objects (a queue or a user): the parent is in one of them.
        """
        *relationships, last = name.split(".")
        if relationships and relationships[0].casefold() in (self._alias, self._target.name.casefold()):
            relationships = relationships[1:]
        path: list[str] = []
        owners: list[str] = []
        ends = [(self._target, "t")]
        for relationship in relationships:
            ways = [(way, alias) for target, alias in ends if (way := target.relationship(relationship))]
            parents = [
                (parent, self._joined_to(alias, way, parent, (*path, way.relationship_name)))
                for way, alias in ways
                for parent in filter(None, map(self._schema.object, way.references))
            ]
            if not parents:
                raise _no_such_relationship(relationship, ends[0][0].name)
            path.append(ways[0][0].relationship_name)
            owners.append(parents[0][0].name if len(parents) == 1 else _ANY_OBJECT)
            ends = parents
        fields = [(field, alias) for target, alias in ends if (field := target.field(last))]
        if not fields:
            raise no_such_field(last, ends[0][0].name)
        found = [f"{alias}.{_quoted(field.name)}" for field, alias in fields]
        sql = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
        return Column((*path, fields[0][0].name), fields[0][0], sql, tuple(owners))

    def _joined_to(self, child: str, reference: FieldSchema, parent: ObjectSchema, path: tuple[str, ...]) -> str:
        """The alias of the parent's table, joined once for each path."""
        way = (*path, child, parent.name)
        if way not in self._joins:
            if len(path) > _MOST_PARENTS:
                message = f"Maximum number of levels of parent relationships exceeded: {'.'.join(path)}"
                raise Fault("MALFORMED_QUERY", message, "MalformedQueryFault", (1, 1))
            alias = f"p{len(self._joins)}"
            on = f"{alias}.Id = {child}.{_quoted(reference.name)}"
            self._joins[way] = f" LEFT JOIN {_quoted(parent.name)} AS {alias} ON {on}"
            return alias
        return f"p{list(self._joins).index(way)}"

    @property
    def _current(self) -> Token:
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
    """Joins the parts as a tree, since SQLite refuses a chain of more than a thousand."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_joined(parts[:middle], word)} {word} {_joined(parts[middle:], word)})"


def _literal_kind(token: Token) -> str:
    """text, number, boolean, date, datetime or null; empty if the token is not a literal."""
    if token.kind == "moment":
        return "datetime" if "T" in token.text else "date"
    if token.kind == "name":
        return {"null": "null", "true": "boolean", "false": "boolean"}.get(token.text.lower(), "")
    return token.kind if token.kind in ("text", "number") else ""


def _wanted_kind(field: FieldSchema) -> str:
    if field.type in NUMBER_TYPES:
        return "number"
    return field.type if field.type in ("boolean", "date", "datetime") else "text"


def _no_such_relationship(name: str, object_name: str) -> Fault:
    message = (
        f"Didn't understand relationship '{name}' in field path of {object_name}. If you are attempting to use a"
        " custom relationship, be sure to append the '__r' after the custom relationship name."
    )
    return Fault("INVALID_FIELD", message, "InvalidFieldFault")


def _compared(column: Column) -> str:
    """The column as the org compares it: text case-insensitively, ids and numbers exactly."""
    field = column.field
    plain = field.type in NUMBER_TYPES or field.type in ("boolean", "date", "datetime", "id", "reference")
    return column.sql if plain else f"fold({column.sql})"


def _folded(field: FieldSchema, text: str) -> str:
    if field.type in ("id", "reference"):
        return full_id(text) or text
    return str(fold(text.strip()))


def _unquoted(text: str, malformed: Fault, escapes: Mapping[str, str]) -> str:
    """The text with escapes replaced; any other backslash is an error ("Quoted String Escape Sequences")."""

    def character(found: re.Match[str]) -> str:
        escape = found[1]
        if len(escape) > 1:
            made = chr(int(escape[1:], 16))
            return escapes["\\"] if made == "\\" else made
        if escape not in escapes:
            raise malformed
        return escapes[escape]

    plain = _ESCAPE.sub(character, text)
    # Two escapes may form one character; no record contains half a surrogate pair or U+0000.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", "\ufffd")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
