"""Looks up the records that items are matched with, and those that they point to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from sfmap.engine.delivery.fit import Content, Pointer, Target
from sfmap.engine.delivery.folding import (
    ID,
    Fields,
    Fold,
    Found,
    Item,
    Key,
    Lookups,
    comparable,
    comparable_number,
    holds,
    lookup_key,
    target_key,
)
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.mapping.values.record import Note, Value
from sfmap.engine.org.port import CallRefused, FoundRecord, Org
from sfmap.engine.yaml_files.diagnostics import listed

Fail = Callable[[Iterable[Item], str], None]
"""Called with items that cannot be looked up, and the reason."""


@dataclass(frozen=True, slots=True)
class _Question:
    """A lookup that a group of items shares."""

    object_name: str
    fields: Fields
    values: Callable[[Item], tuple[Value, ...]]
    """The value of each lookup field, for an item."""
    also: tuple[str, ...] = ()
    where: str = ""

    def key(self, item: Item) -> Key:
        return lookup_key(self.object_name, dict(zip(self.fields, self.values(item), strict=True)))


class Finder:
    """Looks records up in the org, and retries while it is unavailable."""

    def __init__(self, org: Org, lookups: Lookups, waiter: Waiter, fail: Fail) -> None:
        self._org = org
        self._lookups = lookups
        self._waiter = waiter
        self._fail = fail

    def look_up(self, items: Sequence[Item]) -> list[Found]:
        """Each item with the records found by the first of its lookups that finds any.

        An item with an unanswered write is looked up by that write: the record that it was to change, or one
        that has appeared with its key since. Items that the org cannot look up fail here.
        """
        failed: set[int] = set()
        targets = self._targets(items, failed)
        pointed = [self._pointed(item, targets) for item in items if item.place not in failed]
        items = [one.item for one in pointed]
        found = self._named([item for item in items if item.unanswered and item.unanswered.id], failed)
        created = [item for item in items if item.unanswered and item.unanswered.verb == "create"]
        made = self._made(created, {one.item.place: _may_be_itself(one.origin) for one in pointed}, failed)
        found.update((place, [record]) for place, (record, _) in made.items())
        done = {place for place, (_, is_done) in made.items() if is_done}
        found.update((item.place, [_of_its_id(item)]) for item in items if _is_direct(item))
        self._matched(items, found, failed)
        return [
            replace(one, records=found.get(place, ()), is_done=place in done)
            for one in pointed
            if (place := one.item.place) not in failed
        ]

    def known(self, items: Sequence[Item]) -> tuple[dict[int, tuple[str, ...]], set[int]]:
        """By place, the ids of all records that have a key which the item's create writes.

        A lookup with a condition does not find records that fail it; these must be distinguished from a new one.
        Also returns the places of items that the org refuses to look up, which fail here.
        """
        ids: dict[int, tuple[str, ...]] = {}
        failed: set[int] = set()
        for group, question in self._self_finding(items):
            by_key = self._find(group, question, failed)
            for item in group:
                found = (record.id for record in by_key.get(question.key(item), ()))
                ids[item.place] = (*ids.get(item.place, ()), *found)
        return ids, failed

    def _matched(self, items: Sequence[Item], found: dict[int, Sequence[FoundRecord]], failed: set[int]) -> None:
        """Adds the results of the lookups for each item without any so far."""
        for position in range(max((len(item.keys) for item in items), default=0)):
            asked: dict[tuple[str, Fields, str], list[Item]] = defaultdict(list)
            for item in items:
                is_named = item.unanswered and item.unanswered.id
                waits = item.place not in found and item.place not in failed and not item.native_key
                if waits and not is_named and position < len(item.keys):
                    object_name, fields, _ = item.keys[position]
                    asked[object_name, fields, item.record.where].append(item)
            for (object_name, fields, where), group in asked.items():
                question = _Question(object_name, fields, _match_values(position), _all_read(group), where)
                by_key = self._find(group, question, failed)
                found.update((item.place, by_key[key]) for item in group if (key := item.keys[position]) in by_key)

    def _named(self, items: Sequence[Item], failed: set[int]) -> dict[int, Sequence[FoundRecord]]:
        """By place, the record that an unanswered write was to change."""
        groups: dict[str, list[Item]] = defaultdict(list)
        for item in items:
            groups[item.record.object].append(item)
        found: dict[int, Sequence[FoundRecord]] = {}
        for object_name, group in groups.items():
            question = _Question(object_name, ID, _unanswered_id, _all_read(group))
            by_key = self._find(group, question, failed)
            found.update((item.place, by_key[key]) for item in group if (key := question.key(item)) in by_key)
        return found

    def _made(
        self, items: Sequence[Item], not_known: Mapping[int, Set[str]], failed: set[int]
    ) -> dict[int, tuple[FoundRecord, bool]]:
        """By place, the record that has appeared with the item's key since its create was sent, and whether it
        holds what was sent: if so, that create made it, otherwise somebody else did. Fields that are
        `not_known`, by place, are ignored.
        """
        sent: dict[tuple[int, int], Fold] = {}
        for item in items:
            assert item.unanswered
            sent.setdefault((item.unanswered.write, item.unanswered.place), Fold()).add(item)
        made: dict[int, tuple[FoundRecord, bool]] = {}
        for group, question in self._self_finding(items):
            by_key = self._find(group, question, failed)
            for item in group:
                assert item.unanswered
                known = item.unanswered.known
                new = [record for record in by_key.get(question.key(item), ()) if record.id not in known]
                if new and item.place not in made:
                    contents = sent[item.unanswered.write, item.unanswered.place].on_create
                    # The org strips blanks, and lower-cases e-mail addresses.
                    left = contents.keys() - not_known[item.place]
                    sent_now = {name: one for name, one in _scalars(contents).items() if name in left}
                    own = next((record for record in new if holds(record.fields, sent_now, comparable)), None)
                    made[item.place] = own or new[0], own is not None
        return made

    def _self_finding(self, items: Sequence[Item]) -> Iterator[tuple[list[Item], _Question]]:
        """The lookups, without conditions, that would find the records that the items create."""
        groups: dict[tuple[str, Fields, int], list[Item]] = defaultdict(list)
        for item in items:
            for position in item.self_finding:
                object_name, fields, _ = item.keys[position]
                groups[object_name, fields, position].append(item)
        for (object_name, fields, position), group in groups.items():
            contents = (
                name for item in group for name in _scalars({**item.fitted.on_create, **item.fitted.on_update})
            )
            also = tuple(dict.fromkeys((*_all_read(group), *contents)))
            yield group, _Question(object_name, fields, _match_values(position), also)

    def _targets(self, items: Sequence[Item], failed: set[int]) -> Mapping[Target, Sequence[FoundRecord]]:
        """The records that the items' pointers find, oldest first; items fail if the org refuses the lookup.

        Pointers with the same object and field share queries.
        """
        asked: dict[tuple[str, str, str], dict[Key, dict[Target, None]]] = defaultdict(lambda: defaultdict(dict))
        pointing: dict[tuple[str, str, str], dict[int, Item]] = defaultdict(dict)
        for item in items:
            for target in item.looked_up_targets:
                way = target.object, target.by, target.where
                asked[way][target_key(target)][target] = None
                pointing[way][item.place] = item
        found: dict[Target, list[FoundRecord]] = defaultdict(list)
        for (object_name, by, where), targets in asked.items():
            identities = [(next(iter(alike)).value,) for alike in targets.values()]
            try:
                rows = self._ask_org(object_name, (by,), identities, where=where)
            except CallRefused as error:
                way = object_name, by, where
                refused = [item for place, item in pointing[way].items() if place not in failed]
                self._fail(refused, f"{error.code}: {error.message}")
                failed.update(item.place for item in refused)
                continue
            for row in rows:
                for target in targets.get((object_name, (by,), _row_values(row, (by,), identities[0])), ()):
                    found[target].append(row)
        return found

    def _pointed(self, item: Item, targets: Mapping[Target, Sequence[FoundRecord]]) -> Found:
        """The item with its pointers resolved to ids, before it is looked up itself."""
        notes: dict[Note, None] = {}
        ids: dict[str, str] = {}
        lacks = ""
        for name, pointer in item.fitted.pointers:
            choice = _chosen(pointer, targets)
            if choice.id:
                ids[name] = choice.id
            if choice.lacks:
                lacks = f"{name}: {choice.lacks}"
            if choice.note:
                notes[Note(name, choice.note)] = None
        resolved = _resolved(item, ids, tuple(notes)) if ids or notes else item
        found_by = {pointer: _chosen(pointer, targets) for pointer in item.fitted.match_pointers}
        if found_by:
            resolved = _found_by(resolved, {pointer: choice.id for pointer, choice in found_by.items()})
            lacks = lacks or _nothing_to_find_by(found_by, resolved)
        every = {
            record.id: (target.object, record)
            for pointer in item.fitted.looked_up_pointers
            for target in pointer.targets
            for record in targets.get(target, ())
        }
        instead = {target: targets[target] for target in item.unless_found if targets.get(target)}
        return Found(
            resolved,
            (),
            item,
            tuple(every.values()),
            lacks,
            instead=next(iter(instead), None),
            found_instead=tuple(record.id for records in instead.values() for record in records),
        )

    def _find(self, items: Sequence[Item], question: _Question, failed: set[int]) -> dict[Key, list[FoundRecord]]:
        """The records found, by key. A refused query is split until the item that causes it fails alone.

        If the first and the last item alone are refused too, the field is the cause, and all fail.
        """
        try:
            return self._ask(items, question)
        except CallRefused as error:
            reason = f"{error.code}: {error.message}"
        ends = ([items[0]], [items[-1]]) if len(items) > 1 else ()
        if not any(self._can_ask(end, question) for end in ends):
            self._fail(items, reason)
            failed.update(item.place for item in items)
            return {}
        middle = len(items) // 2
        left = self._find(items[:middle], question, failed)
        return left | self._find(items[middle:], question, failed)

    def _can_ask(self, items: Sequence[Item], question: _Question) -> bool:
        try:
            self._ask(items, question)
        except CallRefused:
            return False
        return True

    def _ask(self, items: Sequence[Item], question: _Question) -> dict[Key, list[FoundRecord]]:
        fields = question.fields
        asked = {question.key(item): question.values(item) for item in items}
        identities = list(asked.values())
        by_key: dict[Key, list[FoundRecord]] = defaultdict(list)
        rows = self._ask_org(question.object_name, fields, identities, question.also, question.where)
        for row in rows:
            by_key[question.object_name, fields, _row_values(row, fields, identities[0])].append(row)
        return by_key

    def _ask_org(
        self,
        object_name: str,
        fields: Fields,
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        in_turn = (name for one in self._lookups.in_turn.get(object_name, ()) for name in one)
        read = tuple(name for name in dict.fromkeys((*also, *in_turn)) if name not in (*fields, *ID))
        return self._waiter.ask(lambda: self._org.find(object_name, fields, identities, read, where))


@dataclass(frozen=True, slots=True)
class _Choice:
    """The record that a pointer resolves to, a note about it, or why the item cannot be written."""

    id: str = ""
    note: str = ""
    lacks: str = ""


def _chosen(pointer: Pointer, found: Mapping[Target, Sequence[FoundRecord]]) -> _Choice:
    """The record of the first object for which any was found."""
    first = pointer.targets[0]
    for target in pointer.targets:
        records = found.get(target, ())
        several = f"{len(records)} {target.object} records match"
        if len(records) > 1 and pointer.on_many == "error":
            return _Choice(lacks=f"{several}, and on_many is error")
        if records:
            note = f"{several}: the {pointer.on_many} was taken" if len(records) > 1 else ""
            return _Choice(records[0 if pointer.on_many == "oldest" else -1].id, note)
    missing = f"no {listed(target.object for target in pointer.targets)} was found by {first.by}"
    where = f" where {first.where}" if first.where else ""
    if pointer.on_missing == "reject":
        return _Choice(lacks=f"{missing} {first.value!r}{where}")
    value = f" {first.value!r}" if pointer.is_constant else ""
    return _Choice(note=f"left out: {missing}{value}{where}")


def _is_direct(item: Item) -> bool:
    """Whether the item's id determines the record, and nothing about it must be known before the write.

    If the record does not exist, the write reports it, and the item is then looked up.
    """
    is_by_id = [fields for _, fields, _ in item.keys] == [ID]
    writes = item.record.operation == "delete" or bool(item.fitted.on_update)
    return is_by_id and writes and not (item.record.where or _read(item) or item.again or item.unanswered)


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


def _resolved(item: Item, ids: Mapping[str, str], notes: tuple[Note, ...]) -> Item:
    def resolved(contents: Mapping[str, Content]) -> dict[str, Content]:
        known = {name: ids.get(name, content) for name, content in contents.items()}
        return {
            name: content
            for name, content in known.items()
            if not isinstance(content, Pointer) or content.relationship
        }

    fitted = item.fitted
    return replace(
        item,
        fitted=replace(
            fitted,
            on_create=resolved(fitted.on_create),
            on_update=resolved(fitted.on_update),
            if_empty=resolved(fitted.if_empty),
            notes=(*fitted.notes, *notes),
        ),
    )


def _found_by(item: Item, ids: Mapping[Pointer, str]) -> Item:
    """The item with ids in its lookups; lookups by a missing record are dropped."""
    match = tuple(
        {name: ids[value] if isinstance(value, Pointer) else value for name, value in lookup.items()}
        for lookup in item.fitted.match
        if all(ids[value] for value in lookup.values() if isinstance(value, Pointer))
    )
    keys = tuple(lookup_key(item.record.object, lookup) for lookup in match)
    return replace(item, fitted=replace(item.fitted, match=match), keys=keys)


def _nothing_to_find_by(found_by: Mapping[Pointer, _Choice], resolved: Item) -> str:
    """Why the record cannot be looked up because referenced records are missing; empty if it can."""
    for pointer, choice in found_by.items():
        if choice.lacks or not (choice.id or resolved.keys):
            lacks = choice.lacks or _chosen(replace(pointer, on_missing="reject"), {}).lacks
            return f"nothing to find the record by: {lacks}"
    return ""


def _row_values(row: FoundRecord, fields: tuple[str, ...], like: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(_row_value(row.fields[name], value) for name, value in zip(fields, like, strict=True))


def _row_value(text: str | None, like: Value) -> Value:
    """The org's text converted to the type of the requested value, for comparison."""
    if text is None:
        return ""
    if isinstance(like, bool):
        return text == "true"
    return comparable_number(text) if isinstance(like, (int, float)) else comparable(text)
