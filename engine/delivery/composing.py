"""Folds items of one identity before the org is asked: the result is the same whatever the org holds.

`Fold` decides for items whose records are known; here nothing is known of them, so less can be folded.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property

from sfmap.engine.delivery.folding import Fold, added
from sfmap.engine.delivery.item import Content, Fitted, Found, Item, LookupKey, Pointer, target_key
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Addition, Note


class Composition:
    """Items of one identity, in order, that become one record: a create with all, or an update with all."""

    def __init__(self, first: Item) -> None:
        self._fold = Fold(_unasked(first))
        self._on_update: dict[str, Content] = {}
        self._if_empty: dict[str, Content] = {}
        self._notes: dict[Note, None] = {}
        self._merge(first)

    @property
    def head(self) -> Item:
        return self._fold.head

    def __len__(self) -> int:
        return len(self._fold.items)

    def takes(self, item: Item) -> bool:
        """Whether the next item may be written with those before it, whatever the org holds."""
        return self._fold.takes(_unasked(item)) and self._points_alike(item) and self._adds(item)

    def add(self, item: Item) -> None:
        self._fold.add(item)
        self._merge(item)

    def fitted(self) -> Fitted:
        """What one write must carry to do the same as one write of each item, in order."""
        items = self._fold.items
        return Fitted(
            match=self.head.fitted.match,
            on_create=self._fold.on_create,
            on_update=self._on_update,
            if_empty=self._if_empty,
            notes=tuple(self._notes),
            likely_refused=self.head.fitted.likely_refused,
            complete=self.head.fitted.complete,
            points=any(item.fitted.points for item in items),
            adds=any(isinstance(content, Addition) for content in self._on_update.values()),
        )

    def _merge(self, item: Item) -> None:
        """Adds what an update with the item changes of the record as the updates before it leave it."""
        for name, content in item.fitted.if_empty.items():
            if name in self._on_update:
                if self._on_update[name] is None:
                    self._on_update[name] = content
            elif self._if_empty.get(name) is None:
                self._if_empty[name] = content
        for name, content in item.fitted.on_update.items():
            self._on_update[name] = self._added(name, content)
            self._if_empty.pop(name, None)
        self._notes.update(dict.fromkeys(item.fitted.notes))

    def _added(self, name: str, content: Content) -> Content:
        """The content, with those values that are added to the field before it."""
        if not isinstance(content, Addition) or name not in self._on_update:
            return content
        before = self._on_update[name]
        if isinstance(before, Addition):
            return Addition(added(before.values, content.values))
        return added(before, content.values)

    def _adds(self, item: Item) -> bool:
        """Whether it adds to no field whose values depend on what the org holds, and needs none of these."""
        fitted = item.fitted
        is_added_to = any(isinstance(self._on_update.get(name), Addition) for name in fitted.if_empty)
        return not is_added_to and self._if_empty.keys().isdisjoint(fitted.added)

    def _points_alike(self, item: Item) -> bool:
        """Whether each field that points to a record points to the same one in all items that have it.

        A reference that finds nothing is left out, or its item rejected: what others say must not hide that.
        """
        known = (self._fold.on_create, self._on_update, self._if_empty)
        fitted = item.fitted
        if not fitted.points and not any(one.fitted.points for one in self._fold.items):
            return True
        return not any(
            isinstance(content, Pointer) or isinstance(held[name], Pointer)
            for contents in (fitted.on_create, fitted.on_update, fitted.if_empty)
            for name, content in contents.items()
            for held in known
            if name in held and held[name] != content
        )


def _unasked(item: Item) -> Found:
    """The item as if no lookup had found anything for it."""
    return Found(item=item, records=(), origin=item)


@dataclass(frozen=True, kw_only=True)
class Composable:
    """What of some mappings can be folded before the org is asked, and what depends on what then.

    An object is *keyed* if all lookups of it use the same fields, and nothing else decides which record they find:
    then records of different keys are different records, whatever the org holds.
    """

    mapper: Mapper

    @cached_property
    def keyed(self) -> Set[str]:
        """The objects whose records are told apart by one key."""
        decisive = {name for to in self.mapper.unless_found for name in to.objects}
        decisive |= {*self.mapper.conditions, *self.mapper.created_blindly}
        decisive |= {one.mapping.object for one in self.mapper.mappings if _finds_by_references(one)}
        return {name for name, sets in self.mapper.lookups.items() if len(sets) == 1} - decisive

    @cached_property
    def mappings(self) -> Set[str]:
        """The names of the mappings whose records can be folded."""
        return {one.mapping.name for one in self.mapper.mappings if self._is_composable(one)}

    @cached_property
    def linked(self) -> Set[str]:
        """The keyed objects that mappings write and point to: their records depend on those of others."""
        pointed = {name for one in self.mapper.mappings for name in _pointed(one)}
        return pointed & self._written & self.keyed

    @cached_property
    def _written(self) -> Set[str]:
        return {one.mapping.object for one in self.mapper.mappings}

    def _is_composable(self, one: CompiledMapping) -> bool:
        mapping = one.mapping
        return (
            mapping.operation in ("upsert", "update")
            and mapping.object in self.keyed
            and not mapping.unless_found
            and not mapping.timestamp_guard
            and all(name in self.keyed or name not in self._written for name in _pointed(one))
        )

    def pointed_keys(self, item: Item) -> Iterator[LookupKey]:
        """The keys of the records that the item points to, if other items may write them."""
        return (target_key(target) for target in item.targets if target.object in self.linked)


def _pointed(one: CompiledMapping) -> Iterator[str]:
    """The objects that the records of a mapping point to."""
    for rule in one.mapping.all_rules:
        if rule.reference:
            yield from rule.reference.objects


def _finds_by_references(one: CompiledMapping) -> bool:
    """Whether its records are looked up by what they point to."""
    referring = {rule.field for rule in one.mapping.all_rules if rule.reference}
    return any(not referring.isdisjoint(lookup.names) for lookup in one.mapping.lookups)
