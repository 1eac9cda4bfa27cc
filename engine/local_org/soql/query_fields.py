"""The fields that a query can name: those of its object, and those of parents, which are joined."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.local_org.faults.org_faults import (
    Fault,
    no_such_field,
    no_such_object,
    no_such_relationship,
    too_complicated,
)
from sfmap.engine.local_org.records.object_schema import FieldSchema, ObjectSchema, Schema
from sfmap.engine.local_org.soql.columns import Column, quoted
from sfmap.engine.local_org.soql.soql_tokens import at_place, misused
from sfmap.engine.local_org.soql.soql_tree import FieldName, ObjectAlias

_MOST_PARENTS = 5
_MOST_JOINS = 55
_ANY_OBJECT = "Name"
"""The type that the org reports for a parent that may be one of several objects."""
_OBJECT_NAME = FieldSchema("Type", "Object Type", "string", length=40)
"""The field of such a parent that says which object it is."""


@dataclass(frozen=True, slots=True)
class JoinedObject:
    """An object whose records a query reads, and the alias of its table in the statement."""

    target: ObjectSchema
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where relationships lead to: one object, or several if a reference has several."""

    path: tuple[str, ...] = ()
    ends: tuple[JoinedObject, ...]
    is_polymorphic: bool = False

    @property
    def shown(self) -> str:
        """The object that responses name as the parent's."""
        return _ANY_OBJECT if self.is_polymorphic else self.ends[0].target.name


class QueryFields:
    """Resolves names, and collects the joins that they need."""

    def __init__(
        self, schema: Schema, target: ObjectSchema, text: str, aliases: Sequence[ObjectAlias] = ()
    ) -> None:
        self.schema = schema
        self.text = text
        self._aliases = {target.name.casefold(): (), **{one.name.casefold(): one.path for one in aliases}}
        self._start = Way(ends=(JoinedObject(target, "t"),))
        self._ways: dict[tuple[str, ...], Way] = {(): self._start}
        self._joins: dict[tuple[str, str, str], str] = {}
        """By the alias that it starts from, the reference and the parent."""
        self.target = target

    @property
    def tables(self) -> str:
        """The object's table with all joins, for the FROM clause."""
        return f"{quoted(self.target.name)} AS t{''.join(self._joins.values())}"

    def of(self, object_name: FieldName) -> "QueryFields":
        """The fields of another object that the query reads. Raises `Fault`."""
        target = self.schema.object(object_name.text)
        if target is None:
            raise at_place(self.text, object_name.position, no_such_object(object_name.text))
        return QueryFields(self.schema, target, self.text)

    def column(self, name: FieldName) -> Column:
        """The field of that name: the object's own, or one of a parent (`Owner.Name`)."""
        *relationships, last = name.text.split(".")
        way = self.way(relationships, name)
        if way.is_polymorphic and last.casefold() == _OBJECT_NAME.name.casefold():
            return Column(path=(*way.path, _OBJECT_NAME.name), field=_OBJECT_NAME, sql=object_of(way))
        fields = [(field, end.alias) for end in way.ends if (field := end.target.field(last))]
        if not fields:
            raise at_place(self.text, name.position, no_such_field(last, way.ends[0].target.name))
        found = [f"{alias}.{quoted(field.name)}" for field, alias in fields]
        sql = found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"
        return Column(path=(*way.path, fields[0][0].name), field=fields[0][0], sql=sql)

    def way(self, relationships: Sequence[str], name: FieldName) -> Way:
        """Where the relationships lead to; the first may be an alias."""
        if relationships and (known := self._aliases.get(relationships[0].casefold())) is not None:
            relationships = [*known, *relationships[1:]]
        way = self._start
        for relationship in relationships:
            way = self._next(way, relationship, name)
        return way

    def known(self, path: tuple[str, ...]) -> Way:
        """Where a path leads to that a column has."""
        return self._ways[path]

    def _next(self, way: Way, relationship: str, name: FieldName) -> Way:
        """A reference may have several objects (a queue or a user): the parent is in one of them."""
        references = [(end, found) for end in way.ends if (found := end.target.relationship(relationship))]
        parents = [
            (end, reference, parent)
            for end, reference in references
            for parent in filter(None, map(self.schema.object, reference.references))
        ]
        if not parents:
            fault = no_such_relationship(relationship, way.ends[0].target.name)
            raise at_place(self.text, name.position, fault)
        path = (*way.path, references[0][1].relationship_name)
        if len(path) > _MOST_PARENTS:
            message = f"Maximum number of levels of parent relationships exceeded: {'.'.join(path)}"
            raise misused(self.text, name.position, message)
        ends = tuple(
            JoinedObject(parent, self._joined(end, reference, parent)) for end, reference, parent in parents
        )
        is_polymorphic = any(len(reference.references) > 1 for _, reference in references)
        return self._ways.setdefault(path, Way(path=path, ends=ends, is_polymorphic=is_polymorphic))

    def _joined(self, child: JoinedObject, reference: FieldSchema, parent: ObjectSchema) -> str:
        """The alias of the parent's table, joined once."""
        way = (child.alias, reference.name, parent.name)
        if way in self._joins:
            return f"p{list(self._joins).index(way)}"
        if len(self._joins) >= _MOST_JOINS:
            raise too_complicated(f"The query reads more than {_MOST_JOINS} parents.")
        alias = f"p{len(self._joins)}"
        on = f"{alias}.Id = {child.alias}.{quoted(reference.name)}"
        self._joins[way] = f" LEFT JOIN {quoted(parent.name)} AS {alias} ON {on}"
        return alias


def object_of(way: Way) -> str:
    """The name of the object that a polymorphic parent is of, in SQL."""
    cases = " ".join(f"WHEN {end.alias}.Id IS NOT NULL THEN '{end.target.name}'" for end in way.ends)
    return f"CASE {cases} END"


def not_allowed(field: FieldSchema, what: str) -> Fault:
    """The fault for a field that cannot be filtered, grouped or sorted."""
    return Fault("INVALID_FIELD", f"field '{field.name}' can not be {what} in a query call", "InvalidFieldFault")
