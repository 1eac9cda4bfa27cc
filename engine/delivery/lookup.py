"""Looks up the records that items are matched with."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sfmap.engine.delivery.folding import contents_of_create
from sfmap.engine.delivery.item import ID, Content, Fields, Found, Item, Pointer, comparable, holds
from sfmap.engine.delivery.pointers import find_targets, pointed
from sfmap.engine.delivery.query import Queries, Question
from sfmap.engine.mapping.values.record import Value
from sfmap.engine.org.port import FoundRecord


class _Made(NamedTuple):
    """The record that has appeared with the item's key since its create was sent."""

    record: FoundRecord
    is_own: bool
    """Whether it holds what was sent: if so, that create made it, otherwise somebody else did."""


class _MatchLookup(NamedTuple):
    """A lookup of `match`; items with the same one share queries."""

    object: str
    fields: Fields
    where: str


class _SentTogether(NamedTuple):
    """Where a write was: the items of one write at one position were one record."""

    write: int
    position: int


class _SelfFinding(NamedTuple):
    """A lookup, at this position of `match`, that would find the records that items create."""

    object: str
    fields: Fields
    position: int


def look_up(items: Sequence[Item], queries: Queries) -> Sequence[Found]:
    """Each item with the records found by the first of its lookups that finds any; without those that are refused.

    An item with an unanswered write is looked up by that write: the record that it was to change, or one
    that has appeared with its key since. Raises `OrgError` or `StopRequested`.
    """
    targets = find_targets(items, queries)
    ready = [pointed(item, targets) for item in items if item.place not in queries.refused]
    found = {
        **_find_by_sent_id([one.item for one in ready], queries),
        **{one.item.place: [_of_its_id(one.item)] for one in ready if _is_direct(one.item, queries)},
    }
    made = _find_made(ready, queries)
    found.update((place, [one.record]) for place, one in made.items())
    done = {place for place, one in made.items() if one.is_own}
    _find_matched([one.item for one in ready], found, queries)
    return [
        replace(one, records=found[place], is_done=place in done) if place in found else one
        for one in ready
        if (place := one.item.place) not in queries.refused
    ]


def known_ids(items: Sequence[Item], queries: Queries) -> Mapping[int, tuple[str, ...]]:
    """By place, the ids of all records that have a key which the item's create writes.

    A lookup with a condition does not find records that fail it; these must be distinguished from a new one.
    Raises `OrgError` or `StopRequested`.
    """
    ids: dict[int, tuple[str, ...]] = {}
    for group, question in _self_finding(items):
        by_key = queries.find(group, question)
        for item in group:
            found = (record.id for record in by_key.get(question.key(item), ()))
            ids[item.place] = (*ids.get(item.place, ()), *found)
    return ids


def _find_matched(items: Sequence[Item], found: dict[int, Sequence[FoundRecord]], queries: Queries) -> None:
    """Adds the results of the lookups for each item without any so far."""
    for position in range(max((len(item.lookup_keys) for item in items), default=0)):
        asked: dict[_MatchLookup, list[Item]] = defaultdict(list)
        for item in items:
            has_sent_id = item.unanswered and item.unanswered.id
            waits = item.place not in found and item.place not in queries.refused and not item.native_key
            if waits and not has_sent_id and position < len(item.lookup_keys):
                key = item.lookup_keys[position]
                asked[_MatchLookup(key.object, key.fields, item.record.where)].append(item)
        for way, group in asked.items():
            question = Question(
                object=way.object,
                fields=way.fields,
                values=_match_values(position),
                also=_all_read(group),
                where=way.where,
            )
            by_key = queries.find(group, question)
            found.update(
                (item.place, by_key[key]) for item in group if (key := item.lookup_keys[position]) in by_key
            )


def _find_by_sent_id(items: Sequence[Item], queries: Queries) -> dict[int, Sequence[FoundRecord]]:
    """By place, the record that an unanswered write was to change."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.unanswered and item.unanswered.id:
            groups[item.record.object].append(item)
    found: dict[int, Sequence[FoundRecord]] = {}
    for object_name, group in groups.items():
        question = Question(object=object_name, fields=ID, values=_unanswered_id, also=_all_read(group))
        by_key = queries.find(group, question)
        found.update((item.place, by_key[key]) for item in group if (key := question.key(item)) in by_key)
    return found


def _find_made(ready: Sequence[Found], queries: Queries) -> dict[int, _Made]:
    """By place, the record that may have been made by an unanswered create.

    Fields that may point to the record itself, which did not exist when it was sent, are not compared.
    """
    created = [one for one in ready if one.item.unanswered and one.item.unanswered.verb == "create"]
    not_known = {one.item.place: _may_be_itself(one.origin) for one in created}
    items = [one.item for one in created]
    together: dict[_SentTogether, list[Item]] = defaultdict(list)
    for item in items:
        assert item.unanswered
        together[_SentTogether(item.unanswered.write, item.unanswered.position)].append(item)
    sent = {written: contents_of_create(group) for written, group in together.items()}
    made: dict[int, _Made] = {}
    for group, question in _self_finding(items):
        by_key = queries.find(group, question)
        for item in group:
            assert item.unanswered
            known = item.unanswered.known
            new = [record for record in by_key.get(question.key(item), ()) if record.id not in known]
            if new and item.place not in made:
                contents = sent[_SentTogether(item.unanswered.write, item.unanswered.position)]
                # The org strips blanks, and lower-cases e-mail addresses.
                left = contents.keys() - not_known[item.place]
                sent_now = {name: one for name, one in _scalars(contents).items() if name in left}
                own = next((record for record in new if holds(record.fields, sent_now, comparable)), None)
                made[item.place] = _Made(own or new[0], own is not None)
    return made


def _self_finding(items: Sequence[Item]) -> Iterator[tuple[list[Item], Question]]:
    """The lookups, without conditions, that would find the records that the items create."""
    groups: dict[_SelfFinding, list[Item]] = defaultdict(list)
    for item in items:
        for position in item.finding_itself:
            key = item.lookup_keys[position]
            groups[_SelfFinding(key.object, key.fields, position)].append(item)
    for way, group in groups.items():
        written = ({**item.fitted.on_create, **item.fitted.on_update} for item in group)
        also = tuple(dict.fromkeys((*_all_read(group), *(name for one in written for name in _scalars(one)))))
        yield group, Question(object=way.object, fields=way.fields, values=_match_values(way.position), also=also)


def _is_direct(item: Item, queries: Queries) -> bool:
    """Whether the item's id determines the record, and nothing about it must be known before the write.

    If the record does not exist, the write reports it, and the item is then looked up.
    """
    is_by_id = [key.fields for key in item.lookup_keys] == [ID]
    writes = item.record.operation == "delete" or bool(item.fitted.on_update)
    is_asked_for = item.record.where or _read(item) or queries.may_be_taken_along(item.record.object)
    return is_by_id and writes and not (is_asked_for or item.again or item.unanswered)


def _of_its_id(item: Item) -> FoundRecord:
    (record_id,) = _match_values(0)(item)
    return FoundRecord(str(record_id), {})


def _may_be_itself(item: Item) -> set[str]:
    """The fields that may point to the record of its own create, which did not exist when that was sent."""
    own = item.record.object
    return {name for name, one in item.fitted.pointers if any(to.object == own for to in one.targets)}


def _scalars(contents: Mapping[str, Content]) -> dict[str, Content]:
    """The contents that can be read back as written: all except pointers."""
    return {name: content for name, content in contents.items() if not isinstance(content, Pointer)}


def _match_values(position: int) -> Callable[[Item], tuple[Value, ...]]:
    return lambda item: tuple(
        value for value in item.fitted.match[position].values() if not isinstance(value, Pointer)
    )


def _unanswered_id(item: Item) -> tuple[Value, ...]:
    return (item.unanswered.id if item.unanswered else "",)


def _all_read(items: Iterable[Item]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for item in items for name in _read(item)))


def _read(item: Item) -> Iterable[str]:
    """The fields whose current values affect what is written."""
    if item.record.skip_unchanged:
        return (*item.fitted.on_update, *item.fitted.if_empty)
    return (*item.fitted.if_empty, *item.fitted.added)
