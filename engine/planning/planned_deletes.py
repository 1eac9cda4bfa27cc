"""What a delete does to the records that refer to the deleted ones, as far as the org describes it."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from sfmap.engine.delivery.item import Fields
from sfmap.engine.org.fields import child_references
from sfmap.engine.org.port import ChildReference, FoundRecord, ObjectDescription, Refused, Value

Find = Callable[[str, Fields, Sequence[tuple[Value, ...]], Fields], Sequence[FoundRecord]]
"""Looks up records of an object by these fields; reads more of them."""
_MOST_NAMED = 5


class Emptied(NamedTuple):
    """A record whose reference to a deleted one is emptied."""

    object: str
    field: str
    row: FoundRecord


@dataclass(frozen=True, slots=True)
class Deletion:
    """The delete of one record."""

    gone: Mapping[str, str]
    """By id, the objects of the records that are deleted, itself included."""
    emptied: Sequence[Emptied]
    refused: Refused | None
    """Why the org would not delete it."""


def deletions(
    object_name: str,
    ids: Sequence[str],
    described: Mapping[str, ObjectDescription],
    find: Find,
    also: Callable[[str], Fields],
) -> Mapping[str, Deletion]:
    """By id, what the deletes of these records do; `also` says what to read of records of an object.

    Records of objects that are not described stay as they are.
    """
    walk = _Walk(described, find, also)
    walk.delete(object_name, {one: {one} for one in ids})
    return {one: Deletion(walk.gone[one], walk.emptied[one], walk.refused.get(one)) for one in ids}


class _Walk:
    """From the deleted records to those that refer to them; a root is one whose delete was asked for."""

    def __init__(
        self, described: Mapping[str, ObjectDescription], find: Find, also: Callable[[str], Fields]
    ) -> None:
        self._described = described
        self._find = find
        self._also = also
        self.gone: dict[str, dict[str, str]] = defaultdict(dict)
        self.emptied: dict[str, list[Emptied]] = defaultdict(list)
        self.refused: dict[str, Refused] = {}

    def delete(self, object_name: str, roots: Mapping[str, Set[str]]) -> None:
        """Follows the references to these records; `roots` are by id those that take it along."""
        for record_id, of in roots.items():
            for root in of:
                self.gone[root][record_id] = object_name
        for child in child_references(object_name, self._described):
            ids = [(one,) for one in roots]
            rows = self._find(child.object, (child.field,), ids, self._also(child.object))
            further = {
                row.id: {root for root in roots[row.fields[child.field] or ""] if row.id not in self.gone[root]}
                for row in rows
            }
            self._release(child, rows, {record_id: of for record_id, of in further.items() if of})

    def _release(self, child: ChildReference, rows: Sequence[FoundRecord], roots: Mapping[str, Set[str]]) -> None:
        """Does what the org does to the records that refer to deleted ones."""
        if child.restricts:
            for root in set().union(*roots.values()):
                self.refused[root] = _restricted(child.object, [one for one, of in roots.items() if root in of])
        elif child.cascades and roots:
            self.delete(child.object, roots)
        elif not child.cascades:
            for row in rows:
                for root in roots.get(row.id, ()):
                    self.emptied[root].append(Emptied(child.object, child.field, row))


def _restricted(object_name: str, ids: Sequence[str]) -> Refused:
    named = ", ".join(ids[:_MOST_NAMED])
    return Refused("DELETE_FAILED", f"the record is associated with records of {object_name}: {named}")
