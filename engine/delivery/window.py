"""One window of records to the org: look up who exists, write in batches, and an outcome for every record.

Each record is looked up before it is written, so the same events again update what they created at first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from sfmap.engine.delivery.coalesce import Fold, Item, Key, comparable, fold_in_rounds
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
    """The writes of one window; what one round has written is known to the next without a new lookup."""

    def __init__(self, org: Org, finish: Callable[[Item, Ending], None], before_call: Callable[[], None]) -> None:
        self._org = org
        self._finish = finish
        self._before_call = before_call
        """Called ahead of every call; it may raise to stop in good order."""
        self._known: dict[Key, str] = {}

    def deliver(self, items: Iterable[Item]) -> None:
        """Writes the items so that the org ends as after one write each, in order. Raises `OrgError`."""
        for folds in fold_in_rounds(items):
            self._deliver_round(folds)

    def _deliver_round(self, folds: Sequence[Fold]) -> None:
        creates: dict[str, list[_Pending]] = defaultdict(list)
        updates: dict[str, dict[str, _Pending]] = defaultdict(dict)
        postponed = []
        for fold, found in self._look_up(folds):
            object_name = fold.head.record.object
            if not found:
                creates[object_name].append(_Pending(fold, RecordWrite(fold.on_create())))
                continue
            record_id, note = self._choose(fold, found)
            if record_id is None:
                self._end(fold, Ending("failed", reason=note))
            elif record_id in updates[object_name]:
                postponed.append(fold)  # two identities of one record: one call must not name it twice
            else:
                write = RecordWrite(fold.on_update(), id=record_id)
                updates[object_name][record_id] = _Pending(fold, write, note)
        for object_name, pending in creates.items():
            self._write(partial(self._org.create, object_name), pending, created=True)
        for object_name, by_id in updates.items():
            self._write(partial(self._org.update, object_name), list(by_id.values()), created=False)
        if postponed:
            self._deliver_round(postponed)

    def _choose(self, fold: Fold, found: Sequence[str]) -> tuple[str | None, str]:
        """The record to update among those found, oldest first, and what to say about the choice."""
        record = fold.head.record
        if len(found) == 1:
            return found[0], ""
        several = f"{len(found)} {record.object} records match"
        if record.on_many == "error":
            return None, f"{several}, and on_many is error"
        return found[0 if record.on_many == "oldest" else -1], f"{several}: the {record.on_many} was updated"

    def _look_up(self, folds: Sequence[Fold]) -> Iterator[tuple[Fold, Sequence[str]]]:
        """Each fold with the ids of the records it is found by: those of its first lookup that finds any."""
        found: dict[int, Sequence[str]] = {}
        for position in range(max(len(fold.head.keys) for fold in folds)):
            asked: dict[tuple[str, tuple[str, ...]], list[tuple[int, Fold]]] = defaultdict(list)
            for number, fold in enumerate(folds):
                if number in found or position >= len(fold.head.keys):
                    continue
                key = fold.head.keys[position]
                if key in self._known:
                    found[number] = [self._known[key]]
                else:
                    asked[key[:2]].append((number, fold))
            for (object_name, fields), group in asked.items():
                ids = self._find(object_name, fields, [fold for _, fold in group], position)
                found.update(
                    (number, ids[key]) for number, fold in group if (key := fold.head.keys[position]) in ids
                )
        return ((fold, found.get(number, ())) for number, fold in enumerate(folds))

    def _find(
        self, object_name: str, fields: tuple[str, ...], folds: Sequence[Fold], position: int
    ) -> dict[Key, list[str]]:
        identities = [tuple(fold.head.fitted.match[position].values()) for fold in folds]
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
                self._conclude(batch[0], Refused(error.code, error.message), created)
                return
            middle = len(batch) // 2
            self._send(call, batch[:middle], created)
            self._send(call, batch[middle:], created)
            return
        for pending, result in zip(batch, results, strict=True):
            self._conclude(pending, result, created)

    def _conclude(self, pending: _Pending, result: WriteResult, created: bool) -> None:
        fold = pending.fold
        if isinstance(result, Written):
            self._known.update((key, result.id) for key in fold.head.keys)
            first, *further = fold.items
            self._finish(first, Ending("created" if created else "updated", result.id, note=pending.note))
            for item in further:
                self._finish(item, Ending("updated", result.id, note=pending.note))
        elif len(fold.items) > 1:
            for item in fold.items:  # one of them spoils the others: each for itself
                self._deliver_round([Fold([item])])
        else:
            reason = f"{result.code}: {result.message}" if result.code else result.message
            self._end(fold, Ending("failed", pending.write.id, reason, pending.note))

    def _end(self, fold: Fold, ending: Ending) -> None:
        for item in fold.items:
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
