"""One window of records to the org: look up who exists, write in batches, and an outcome for every record.

Each record is looked up before it is written, so the same events again update what they created at first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Literal, get_args

from sfmap.engine.delivery.coalesce import (
    Fields,
    Fold,
    Found,
    Item,
    Key,
    Lookups,
    comparable,
    plan,
    pointer_key,
)
from sfmap.engine.delivery.fit import Content, Pointer
from sfmap.engine.delivery.outcome import Fate
from sfmap.engine.mapping.record import Note, Value
from sfmap.engine.org.port import (
    BATCH_SIZE,
    CallRefused,
    FoundRecord,
    Org,
    RecordWrite,
    Reference,
    Refused,
    WriteOptions,
    WriteResult,
    Written,
)
from sfmap.engine.spec.model import WriteHeaders

Verb = Literal["create", "upsert", "update", "delete"]
_ORDER: tuple[Verb, ...] = get_args(Verb)


@dataclass(frozen=True, slots=True)
class Call:
    """Which of the org's verbs writes a batch, on which object."""

    verb: Verb
    object_name: str
    options: WriteOptions
    external_id: str = ""

    def send(self, org: Org, writes: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        if self.verb == "create":
            return org.create(self.object_name, writes, self.options)
        if self.verb == "update":
            return org.update(self.object_name, writes, self.options)
        if self.verb == "upsert":
            return org.upsert(self.object_name, self.external_id, writes, self.options)
        return org.delete(self.object_name, [write.id for write in writes if write.id], self.options)

    def fate(self, written: Written) -> Fate:
        """What became of the record that the call wrote."""
        if self.verb == "upsert":
            return "created" if written.created else "updated"
        fates: dict[Verb, Fate] = {"create": "created", "update": "updated", "delete": "deleted"}
        return fates[self.verb]


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one item."""

    fate: Fate
    id: str | None = None
    reason: str = ""
    note: str = ""


class _Question:
    """What a group of items asks the org for: the same fields, at the same place among their lookups."""

    def __init__(self, group: Sequence[Item], position: int) -> None:
        first = group[0]
        self.position = position
        self.object_name, self.fields, _ = first.keys[position]
        self.where = first.record.where
        self.also = tuple(dict.fromkeys(name for item in group for name in item.fitted.if_empty))


@dataclass(frozen=True, slots=True)
class _Pending:
    fold: Fold
    write: RecordWrite
    note: str = ""


class Window:
    """The writes of one window."""

    def __init__(
        self,
        org: Org,
        lookups: Lookups,
        finish: Callable[[Item, Ending], None],
        before_call: Callable[[], None],
    ) -> None:
        self._org = org
        self._lookups = lookups
        self._finish = finish
        self._before_call = before_call
        """Called ahead of every call; it may raise to stop in good order."""

    def deliver(self, items: Sequence[Item]) -> None:
        """Writes the items so that the org ends as after one write each, in order. Raises `OrgError`."""
        while items:
            folds, items = plan(self._look_up(items), self._lookups)
            self._deliver_together(folds)

    def _deliver_together(self, folds: Sequence[Fold]) -> None:
        calls: dict[Call, list[_Pending]] = defaultdict(list)
        for fold in folds:
            call, pending = self._pending(fold)
            if call and pending:
                calls[call].append(pending)
        for call in sorted(calls, key=lambda call: _ORDER.index(call.verb)):
            self._write(call, calls[call])

    def _pending(self, fold: Fold) -> tuple[Call | None, _Pending | None]:
        """The call that writes the fold, and what it sends; none where the fold ends here."""
        head = fold.head
        object_name, operation = head.record.object, head.record.operation
        if fold.lacks:
            self._end(fold.items, Ending("failed", reason=fold.lacks))
            return None, None
        options = _options(head.record.headers)
        if head.is_native:
            return Call("upsert", object_name, options, head.record.external_id), _Pending(
                fold, _write(fold.on_create())
            )
        if not fold.found and operation in ("update", "delete"):
            self._end(fold.items, Ending("skipped", reason=f"no {object_name} to {operation} was found"))
        elif not fold.found:
            return Call("create", object_name, options), _Pending(fold, _write(fold.on_create()))
        else:
            return self._pending_change(fold)
        return None, None

    def _pending_change(self, fold: Fold) -> tuple[Call | None, _Pending | None]:
        chosen, note = self._choose(fold)
        if chosen is None:
            self._end(fold.items, Ending("failed", reason=note))
            return None, None
        record = fold.head.record
        object_name, options = record.object, _options(record.headers)
        if record.operation == "delete":
            return Call("delete", object_name, options), _Pending(fold, RecordWrite({}, id=chosen.id), note)
        contents = fold.on_update(chosen)
        if contents:
            return Call("update", object_name, options), _Pending(fold, _write(contents, chosen.id), note)
        self._end(fold.items, Ending("unchanged", chosen.id, note=note))
        return None, None

    def _choose(self, fold: Fold) -> tuple[FoundRecord | None, str]:
        """The record to write among those found, oldest first, and what to say about the choice."""
        record = fold.head.record
        if len(fold.found) == 1:
            return fold.found[0], ""
        several = f"{len(fold.found)} {record.object} records match"
        if record.on_many == "error":
            return None, f"{several}, and on_many is error"
        choice = 0 if record.on_many == "oldest" else -1
        done = "deleted" if record.operation == "delete" else "updated"
        return fold.found[choice], f"{several}: the {record.on_many} was {done}"

    def _look_up(self, items: Sequence[Item]) -> list[Found]:
        """Each item with the records that the first of its lookups to find any has found.

        Those that the org cannot look up fail here.
        """
        found: dict[int, Sequence[FoundRecord]] = {}
        failed: set[int] = set()
        for position in range(max(len(item.keys) for item in items)):
            asked: dict[tuple[str, Fields, str], list[Item]] = defaultdict(list)
            for item in items:
                waits = item.place not in found and item.place not in failed and not item.is_native
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
            self._before_call()
            identities = [(value,) for value in values.values()]
            try:
                rows = self._org.find(object_name, (by,), identities)
            except CallRefused as error:
                refused = [item for place, item in pointing[object_name, by].items() if place not in failed]
                self._end(refused, Ending("failed", reason=f"{error.code}: {error.message}"))
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
            ending = Ending("failed", reason=f"{error.code}: {error.message}")
        ends = ([items[0]], [items[-1]]) if len(items) > 1 else ()
        if not any(self._can_ask(end, question) for end in ends):
            self._end(items, ending)
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
        self._before_call()
        by_key: dict[Key, list[FoundRecord]] = defaultdict(list)
        rows = self._org.find(question.object_name, fields, identities, question.also, question.where)
        for row in rows:
            by_key[question.object_name, fields, _row_values(row, fields, identities[0])].append(row)
        return by_key

    def _write(self, call: Call, pending: Sequence[_Pending]) -> None:
        for start in range(0, len(pending), BATCH_SIZE):
            self._send(call, pending[start : start + BATCH_SIZE])

    def _send(self, call: Call, batch: Sequence[_Pending]) -> None:
        """One call; a batch that is refused as a whole is split until the culprit stands alone."""
        self._before_call()
        try:
            results = call.send(self._org, [pending.write for pending in batch])
        except CallRefused as error:
            if len(batch) == 1:
                self._conclude(call, [(batch[0], Refused(error.code, error.message))])
                return
            middle = len(batch) // 2
            self._send(call, batch[:middle])
            self._send(call, batch[middle:])
            return
        self._conclude(call, zip(batch, results, strict=True))

    def _conclude(self, call: Call, results: Iterable[tuple[_Pending, WriteResult]]) -> None:
        spoiled: list[Item] = []
        for pending, result in results:
            if isinstance(result, Written):
                self._end_written(call, pending, result)
            elif len(pending.fold.items) > 1:
                spoiled += pending.fold.items
            else:
                reason = f"{result.code}: {result.message}"
                self._finish(pending.fold.head, Ending("failed", pending.write.id, reason, pending.note))
        for item in spoiled:  # one of its fold is refused: each for itself, now that the others have ended
            self.deliver([item])

    def _end_written(self, call: Call, pending: _Pending, written: Written) -> None:
        first, *further = pending.fold.items
        self._finish(first, Ending(call.fate(written), written.id, note=pending.note))
        for item in further:
            fate: Fate = "updated" if item.fitted.on_update or item.fitted.if_empty else "unchanged"
            self._finish(item, Ending(fate, written.id, note=pending.note))

    def _end(self, items: Iterable[Item], ending: Ending) -> None:
        for item in items:
            self._finish(item, ending)


@lru_cache(maxsize=64)
def _options(headers: WriteHeaders) -> WriteOptions:
    return WriteOptions(**{f.name: getattr(headers, f.name) for f in fields(headers)})


def _write(contents: Mapping[str, Content], record_id: str | None = None) -> RecordWrite:
    """What the org is sent: values, fields to empty, and references that it resolves itself."""
    return RecordWrite(
        fields={name: content for name, content in contents.items() if isinstance(content, (str, int, float))},
        clear=tuple(name for name, content in contents.items() if content is None),
        id=record_id,
        references={
            pointer.relationship: Reference(pointer.object, pointer.by, pointer.value)
            for pointer in contents.values()
            if isinstance(pointer, Pointer)
        },
    )


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
