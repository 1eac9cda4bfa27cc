"""One window of records to the org: look up who exists, write in batches, and an outcome for every record.

Each record is looked up before it is written, so the same events again update what they created at first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from sfmap.engine.delivery.coalesce import Fields, Fold, Found, Item, Key, Lookups, comparable, plan
from sfmap.engine.delivery.outcome import Fate
from sfmap.engine.mapping.record import Value
from sfmap.engine.org.port import (
    BATCH_SIZE,
    CallRefused,
    FoundRecord,
    Org,
    RecordWrite,
    Refused,
    WriteResult,
    Written,
)

Call = Callable[[Sequence[RecordWrite]], Sequence[WriteResult]]


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of one item."""

    fate: Fate
    id: str | None = None
    reason: str = ""
    note: str = ""


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
        creates: dict[str, list[_Pending]] = defaultdict(list)
        updates: dict[str, list[_Pending]] = defaultdict(list)
        for fold in folds:
            object_name = fold.head.record.object
            if not fold.found:
                creates[object_name].append(_Pending(fold, RecordWrite(fold.on_create())))
                continue
            record_id, note = self._choose(fold)
            fields = fold.on_update()
            if record_id is None:
                self._end(fold.items, Ending("failed", reason=note))
            elif not fields:
                self._end(fold.items, Ending("unchanged", record_id, note=note))
            else:
                updates[object_name].append(_Pending(fold, RecordWrite(fields, id=record_id), note))
        for object_name, pending in creates.items():
            self._write(partial(self._org.create, object_name), pending, created=True)
        for object_name, pending in updates.items():
            self._write(partial(self._org.update, object_name), pending, created=False)

    def _choose(self, fold: Fold) -> tuple[str | None, str]:
        """The record to update among those found, oldest first, and what to say about the choice."""
        record = fold.head.record
        if len(fold.found) == 1:
            return fold.found[0], ""
        several = f"{len(fold.found)} {record.object} records match"
        if record.on_many == "error":
            return None, f"{several}, and on_many is error"
        choice = 0 if record.on_many == "oldest" else -1
        return fold.found[choice], f"{several}: the {record.on_many} was updated"

    def _look_up(self, items: Sequence[Item]) -> list[Found]:
        """Each item with the ids that the first of its lookups to find any has found.

        Those that the org cannot look up fail here.
        """
        found: dict[int, Sequence[str]] = {}
        failed: set[int] = set()
        for position in range(max(len(item.keys) for item in items)):
            asked: dict[tuple[str, Fields], list[Item]] = defaultdict(list)
            for item in items:
                if item.place not in found and item.place not in failed and position < len(item.keys):
                    object_name, fields, _ = item.keys[position]
                    asked[object_name, fields].append(item)
            for (object_name, fields), group in asked.items():
                ids = self._find(object_name, fields, group, position, failed)
                found.update((item.place, ids[key]) for item in group if (key := item.keys[position]) in ids)
        return [Found(item, found.get(item.place, ())) for item in items if item.place not in failed]

    def _find(
        self, object_name: str, fields: Fields, items: Sequence[Item], position: int, failed: set[int]
    ) -> dict[Key, list[str]]:
        """The ids found, by key. A refused query is split until the culprit stands alone, and fails.

        Where the first item alone and the last alone are refused too, the field is the matter, and all fail.
        """
        try:
            return self._ask(object_name, fields, items, position)
        except CallRefused as error:
            ending = Ending("failed", reason=f"{error.code}: {error.message}")
        ends = ([items[0]], [items[-1]]) if len(items) > 1 else ()
        if not any(self._can_ask(object_name, fields, end, position) for end in ends):
            self._end(items, ending)
            failed.update(item.place for item in items)
            return {}
        middle = len(items) // 2
        left = self._find(object_name, fields, items[:middle], position, failed)
        return left | self._find(object_name, fields, items[middle:], position, failed)

    def _can_ask(self, object_name: str, fields: Fields, items: Sequence[Item], position: int) -> bool:
        try:
            self._ask(object_name, fields, items, position)
        except CallRefused:
            return False
        return True

    def _ask(self, object_name: str, fields: Fields, items: Sequence[Item], position: int) -> dict[Key, list[str]]:
        asked = {item.keys[position]: tuple(item.fitted.match[position].values()) for item in items}
        identities = list(asked.values())
        self._before_call()
        by_key: dict[Key, list[str]] = defaultdict(list)
        for row in self._org.find(object_name, fields, identities):
            by_key[object_name, fields, _row_values(row, fields, identities[0])].append(row.id)
        return by_key

    def _write(self, call: Call, pending: Sequence[_Pending], created: bool) -> None:
        for start in range(0, len(pending), BATCH_SIZE):
            self._send(call, pending[start : start + BATCH_SIZE], created)

    def _send(self, call: Call, batch: Sequence[_Pending], created: bool) -> None:
        """One call; a batch that is refused as a whole is split until the culprit stands alone."""
        self._before_call()
        try:
            results = call([pending.write for pending in batch])
        except CallRefused as error:
            if len(batch) == 1:
                self._conclude([(batch[0], Refused(error.code, error.message))], created)
                return
            middle = len(batch) // 2
            self._send(call, batch[:middle], created)
            self._send(call, batch[middle:], created)
            return
        self._conclude(zip(batch, results, strict=True), created)

    def _conclude(self, results: Iterable[tuple[_Pending, WriteResult]], created: bool) -> None:
        spoiled: list[Item] = []
        for pending, result in results:
            if isinstance(result, Written):
                self._end_written(pending, result.id, created)
            elif len(pending.fold.items) > 1:
                spoiled += pending.fold.items
            else:
                reason = f"{result.code}: {result.message}"
                self._finish(pending.fold.head, Ending("failed", pending.write.id, reason, pending.note))
        for item in spoiled:  # one of its fold is refused: each for itself, now that the others have ended
            self.deliver([item])

    def _end_written(self, pending: _Pending, record_id: str, created: bool) -> None:
        first, *further = pending.fold.items
        self._finish(first, Ending("created" if created else "updated", record_id, note=pending.note))
        for item in further:
            changes = bool(item.fitted.on_update)
            self._finish(item, Ending("updated" if changes else "unchanged", record_id, note=pending.note))

    def _end(self, items: Iterable[Item], ending: Ending) -> None:
        for item in items:
            self._finish(item, ending)


def _row_values(row: FoundRecord, fields: tuple[str, ...], like: tuple[Value, ...]) -> tuple[Value, ...]:
    return tuple(_row_value(row.fields[name], value) for name, value in zip(fields, like, strict=True))


def _row_value(text: str | None, like: Value) -> Value:
    """The org's text in the type of the value that was asked for, as it compares."""
    if text is None:
        return ""
    if isinstance(like, bool):
        return text == "true"
    return float(text) if isinstance(like, (int, float)) else comparable(text)
