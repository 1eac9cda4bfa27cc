"""Parses SOQL into a syntax tree."""

import re

from sfmap.engine.local_org.faults.org_faults import too_complicated
from sfmap.engine.local_org.soql.condition_parser import ConditionParser
from sfmap.engine.local_org.soql.soql_tokens import malformed, misused
from sfmap.engine.local_org.soql.soql_tree import (
    ChildQuery,
    FieldName,
    Grouping,
    ObjectAlias,
    ObjectFields,
    OrderTerm,
    Query,
    Selected,
    Selection,
    TypeOf,
)
from sfmap.engine.local_org.soql.token_reader import TokenReader

_COUNT = re.compile(r"\d{1,9}")
_MODES = ("SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE")
_MOST_LEVELS = 5
"""Of child queries within each other, with the query itself."""


def parse_query(text: str) -> Query:
    """Raises `Fault`: MALFORMED_QUERY or QUERY_TOO_COMPLICATED."""
    reader = TokenReader(text)
    query = _QueryParser(reader).query()
    if reader.current.kind != "end":
        raise reader.unexpected()
    return query


class _QueryParser:
    """A recursive-descent parser; each method consumes the tokens of its clause."""

    def __init__(self, reader: TokenReader, level: int = 1) -> None:
        if level > _MOST_LEVELS:
            raise too_complicated(f"The query nests queries deeper than {_MOST_LEVELS} levels.")
        self._reader = reader
        self._level = level

    def query(self) -> Query:
        reader, conditions = self._reader, ConditionParser(self._reader)
        reader.expect("SELECT")
        selected = () if reader.accept("COUNT", "(", ")") else reader.listed(self._selection)
        reader.expect("FROM")
        object_name = reader.object_name()
        query = Query(
            object_name=object_name,
            aliases=self._aliases(object_name.text),
            selected=selected,
            scope=reader.take("name") if self._takes("USING", "SCOPE") else None,
            where=conditions.conditions() if self._takes("WHERE") else None,
            grouping=self._grouping() if self._takes_with_mode("GROUP", "BY") else Grouping(()),
            having=conditions.conditions() if self._takes("HAVING") else None,
            order=reader.listed(self._order_term) if self._takes("ORDER", "BY") else (),
            limit=self._count_after("LIMIT", -1),
            offset=self._count_after("OFFSET", 0),
        )
        self._endings()
        return query

    def _takes(self, first: str, *others: str) -> bool:
        """Whether the clause comes next; consumes its words."""
        if not self._reader.accept(first):
            return False
        self._reader.expect(*others)
        return True

    def _takes_with_mode(self, *words: str) -> bool:
        """Like `_takes`, after the mode that may stand before: the local org has no permissions to enforce."""
        if self._reader.accept("WITH") and not self._reader.accept_any(*_MODES):
            raise self._reader.unexpected()
        return self._takes(*words)

    def _endings(self) -> None:
        """The clauses that do not change which records are found."""
        reader = self._reader
        while reader.accept("FOR"):
            if not reader.accept_any("VIEW", "REFERENCE", "UPDATE"):
                raise reader.unexpected()
        if reader.accept("UPDATE") and not reader.accept_any("TRACKING", "VIEWSTAT"):
            raise reader.unexpected()
        position = reader.current.position
        if reader.accept("ALL", "ROWS"):
            raise misused(reader.text, position, "ALL ROWS not allowed in this context")

    def _aliases(self, object_name: str) -> tuple[ObjectAlias, ...]:
        """The object's alias, and those of parents as in `FROM Contact c, c.Account a`."""
        reader = self._reader
        aliases = [ObjectAlias(object_name, ()), ObjectAlias(reader.alias(), ())]
        while reader.accept(","):
            start, *path = reader.take_name().text.split(".")
            known = next((one for one in aliases if one.name.casefold() == start.casefold()), None)
            if known is None or not path:
                raise reader.unexpected()
            aliases.append(ObjectAlias(reader.alias(), (*known.path, *path)))
        return tuple(aliases)

    def _selection(self) -> Selection:
        reader = self._reader
        token = reader.current
        if reader.accept("("):
            child = _QueryParser(reader, self._level + 1).query()
            reader.expect(")")
            return ChildQuery(child)
        if reader.accept("FIELDS", "("):
            kind = reader.accept_any("ALL", "STANDARD", "CUSTOM")
            if not kind:
                raise reader.unexpected()
            reader.expect(")")
            return ObjectFields(kind, token.position)
        if reader.accept("TYPEOF"):
            return self._type_of()
        return Selected(reader.expression(), reader.alias())

    def _type_of(self) -> TypeOf:
        reader = self._reader
        relationship = reader.take_name()
        cases: list[tuple[FieldName, tuple[FieldName, ...]]] = []
        while reader.accept("WHEN"):
            kind = reader.take_name()
            reader.expect("THEN")
            cases.append((kind, reader.listed(reader.take_name)))
        if not cases:
            raise reader.unexpected()
        otherwise = reader.listed(reader.take_name) if reader.accept("ELSE") else ()
        reader.expect("END")
        return TypeOf(relationship, tuple(cases), otherwise)

    def _grouping(self) -> Grouping:
        reader = self._reader
        subtotals = reader.accept_any("ROLLUP", "CUBE")
        if subtotals:
            reader.expect("(")
        by = reader.listed(reader.expression)
        if subtotals:
            reader.expect(")")
        return Grouping(by, subtotals)

    def _order_term(self) -> OrderTerm:
        reader = self._reader
        by = reader.expression()
        is_descending = reader.accept_any("DESC", "ASC") == "DESC"
        nulls_last = False
        if reader.accept("NULLS"):
            nulls = reader.accept_any("FIRST", "LAST")
            if not nulls:
                raise reader.unexpected()
            nulls_last = nulls == "LAST"
        return OrderTerm(by, is_descending, nulls_last)

    def _count_after(self, word: str, otherwise: int) -> int:
        reader = self._reader
        if not reader.accept(word):
            return otherwise
        token = reader.take("number")
        if not _COUNT.fullmatch(token.text):
            raise malformed(reader.text, token)
        return int(token.text)
