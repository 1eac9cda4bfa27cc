"""Lookups: which records the org has of the items' identities, and of those that they point to."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sfmap.engine.delivery.coalesce import Fields, Found, Item, Key, comparable, pointer_key
from sfmap.engine.delivery.fit import Content, Pointer
from sfmap.engine.delivery.patience import Waiter
from sfmap.engine.mapping.record import Note, Value
from sfmap.engine.org.port import CallRefused, FoundRecord, Org

Fail = Callable[[Iterable[Item], str], None]
"""Gives items that cannot be looked up their end, with the reason."""


class _Question:
    """What a group of items asks the org for: the same fields, at the same place among their lookups."""

    def __init__(self, group: Sequence[Item], position: int) -> None:
        first = group[0]
        self.position = position
        self.object_name, self.fields, _ = first.keys[position]
        self.where = first.record.where
        self.also = tuple(dict.fromkeys(name for item in group for name in _read(item)))


class Finder:
    """Asks an org, patiently."""

    def __init__(self, org: Org, waiter: Waiter, fail: Fail) -> None:
        self._org = org
        self._waiter = waiter
        self._fail = fail

    def look_up(self, items: Sequence[Item]) -> list[Found]:
        """Each item with the records that the first of its lookups to find any has found.

        Those that the org cannot look up fail here.
        """
        found: dict[int, Sequence[FoundRecord]] = {}
        failed: set[int] = set()
        for position in range(max(len(item.keys) for item in items)):
            asked: dict[tuple[str, Fields, str], list[Item]] = defaultdict(list)
            for item in items:
                waits = item.place not in found and item.place not in failed and not item.native_key
                if waits and position < len(item.keys):
                    object_name, fields, _ = item.keys[position]
                    asked[object_name, fields, item.record.where].append(item)
            for group in asked.values():
                by_key = self._find(group, _Question(group, position), failed)
                found.update((item.place, by_key[key]) for item in group if (key := item.keys[position]) in by_key)
        targets = self._targets([item for item in items if item.place not in failed], failed)
        return [
            self._pointed(item, found.get(item.place, ()), targets) for item in items if item.place not in failed
        ]

    def _targets(self, items: Sequence[Item], failed: set[int]) -> dict[Key, list[str]]:
        """The ids of the records that the items point to, by key; items fail where the org refuses to look."""
        asked: dict[tuple[str, str], dict[Key, Value]] = defaultdict(dict)
        pointing: dict[tuple[str, str], dict[int, Item]] = defaultdict(dict)
        for item in items:
            for _, pointer in item.fitted.pointers:
                asked[pointer.object, pointer.by][pointer_key(pointer)] = pointer.value
                pointing[pointer.object, pointer.by][item.place] = item
        targets: dict[Key, list[str]] = defaultdict(list)
        for (object_name, by), values in asked.items():
            identities = [(value,) for value in values.values()]
            try:
                rows = self._ask_org(object_name, (by,), identities)
            except CallRefused as error:
                refused = [item for place, item in pointing[object_name, by].items() if place not in failed]
                self._fail(refused, f"{error.code}: {error.message}")
                failed.update(item.place for item in refused)
                continue
            for row in rows:
                targets[object_name, (by,), _row_values(row, (by,), identities[0])].append(row.id)
        return targets

    def _pointed(self, item: Item, records: Sequence[FoundRecord], targets: Mapping[Key, list[str]]) -> Found:
        """The item with ids in place of its pointers."""
        notes: dict[Note, None] = {}
        ids: dict[str, str] = {}
        lacks = ""
        for name, pointer in item.fitted.pointers:
            found = targets.get(pointer_key(pointer), [])
            if found:
                ids[name] = found[-1]
            missing = f"no {pointer.object} was found by {pointer.by}"
            if not found and pointer.on_missing == "reject":
                lacks = f"{name}: {missing} {pointer.value!r}"
            elif not found:
                notes[Note(name, f"left out: {missing}")] = None
            elif len(found) > 1:
                notes[Note(name, f"{len(found)} {pointer.object} records match: the newest was taken")] = None
        if not ids and not notes:
            return Found(item, records, item, lacks=lacks)
        return Found(_resolved(item, ids, tuple(notes)), records, item, tuple(ids.values()), lacks)

    def _find(self, items: Sequence[Item], question: _Question, failed: set[int]) -> dict[Key, list[FoundRecord]]:
        """The records found, by key. A refused query is split until the culprit stands alone, and fails.

        Where the first item alone and the last alone are refused too, the field is the matter, and all fail.
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
        position, fields = question.position, question.fields
        asked = {item.keys[position]: tuple(item.fitted.match[position].values()) for item in items}
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
        return self._waiter.ask(lambda: self._org.find(object_name, fields, identities, also, where))


def _read(item: Item) -> Iterable[str]:
    """The fields whose values decide what is written."""
    if item.record.skip_unchanged:
        return (*item.fitted.on_update, *item.fitted.if_empty)
    return item.fitted.if_empty


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


def _row_values(row: FoundRecord, fields: tuple[str, ...], like: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(_row_value(row.fields[name], value) for name, value in zip(fields, like, strict=True))


def _row_value(text: str | None, like: Value) -> Value:
    """The org's text in the type of the value that was asked for, as it compares."""
    if text is None:
        return ""
    if isinstance(like, bool):
        return text == "true"
    return float(text) if isinstance(like, (int, float)) else comparable(text)
