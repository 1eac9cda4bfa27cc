"""One window of records to the org: look up who exists, write in batches, and an outcome for every record.

Each record is looked up before it is written, so the same events again update what they created at first.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from sfmap.engine.delivery.coalesce import Fold, Item, Lookups, lookup_key, plan
from sfmap.engine.delivery.doubts import Doubts
from sfmap.engine.delivery.finding import Finder
from sfmap.engine.delivery.fit import Content, Pointer
from sfmap.engine.delivery.outcome import Ending, Fate
from sfmap.engine.delivery.patience import Waiter
from sfmap.engine.delivery.sending import (
    VERBS,
    Answers,
    Call,
    Lost,
    Pending,
    Sender,
    Sent,
    batch_size,
    write_options,
)
from sfmap.engine.mapping.record import Value
from sfmap.engine.org.port import (
    FoundRecord,
    Org,
    RecordWrite,
    Reference,
    Refused,
    Written,
)

_LOCK = "UNABLE_TO_LOCK_ROW"
"""May stand inside another error's message too."""
_GONE = frozenset({"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"})
_TAKEN = frozenset({"DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"})
_ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
_DUPLICATES = "DUPLICATES_DETECTED"
_MOST_LOCKED = 10
_MOST_AGAIN = 3
_MOST_LOST = 6
"""How often a record is sent before it counts as failed, by what keeps it from being written."""


def _place(item: Item) -> int:
    return item.place


Endings = Sequence[tuple[Item, Ending]]
Finish = Callable[[Endings, Sequence[int]], None]
"""Takes the ends of items, and the numbers of the writes that are thereby settled."""


class Window:
    """The writes of one window."""

    def __init__(
        self, org: Org, lookups: Lookups, doubts: Doubts, waiter: Waiter, connections: int, finish: Finish
    ) -> None:
        self._finder = Finder(org, waiter, self._fail)
        self._sender = Sender(org, doubts, waiter, connections)
        self._lookups = lookups
        self._doubts = doubts
        self._waiter = waiter
        self._finish = finish

    def deliver(self, items: Sequence[Item]) -> list[Item]:
        """Writes the items so that the org ends as after one write each, in order.

        Returns those that must wait until a write in doubt is settled. Raises `OrgError`, `StopRequested` or
        `JournalFailed`.
        """
        held: list[Item] = []
        while items:
            planned = plan(self._finder.look_up(items), self._lookups, self._doubts.traces())
            self._doubts.hold(planned.held_traces)
            again, lost = self._deliver_together(planned.folds)
            held += (*planned.held, *lost)
            items = sorted([*again, *planned.deferred], key=_place)
        return sorted(held, key=_place)

    def _deliver_together(self, folds: Sequence[Fold]) -> tuple[list[Item], list[Item]]:
        """Returns the items that must go again, and those whose answers were lost."""
        calls: dict[Call, list[Pending]] = defaultdict(list)
        for fold in folds:
            decided = self._pending(fold)
            if decided:
                calls[decided[0]].append(decided[1])
        again: list[Item] = []
        lost: list[Item] = []
        for call in sorted(calls, key=lambda call: VERBS.index(call.verb)):
            failures = []
            for answers in self._sender.send(call, calls[call]):
                self._conclude(answers, again, lost)
                failures += [answers.failure] if answers.failure else []
            if failures:
                raise failures[0]
        if locked := max((item.attempts for item in again if item.is_locked), default=0):
            self._waiter.pause(locked)
        return again, lost

    def _pending(self, fold: Fold) -> tuple[Call, Pending] | None:
        """The call that writes the fold, and what it sends; none where the fold ends here."""
        head = fold.head
        object_name, operation = head.record.object, head.record.operation
        size = batch_size(head.lost)
        if fold.lacks:
            self._end(fold, Ending("failed", reason=fold.lacks))
            return None
        options = write_options(head.record.headers)
        if head.native_key:
            call = Call("upsert", object_name, options, head.native_key, head.is_unique, size)
            return call, Pending(fold, _write(fold.on_create()))
        if not fold.found and operation in ("update", "delete"):
            if operation == "delete" and head.lost:  # the one whose answer was lost has done it
                self._end(fold, Ending("deleted"))
                return None
            self._end(fold, Ending("skipped", reason=f"no {object_name} to {operation} was found"))
            return None
        if not fold.found:
            return Call("create", object_name, options, batch_size=size), Pending(fold, _write(fold.on_create()))
        return self._pending_change(fold, size)

    def _pending_change(self, fold: Fold, size: int) -> tuple[Call, Pending] | None:
        chosen, note = _choose(fold)
        if chosen is None:
            self._end(fold, Ending("failed", reason=note))
            return None
        record = fold.head.record
        object_name, options = record.object, write_options(record.headers)
        if record.operation == "delete":
            call = Call("delete", object_name, options, batch_size=size)
            return call, Pending(fold, RecordWrite({}, id=chosen.id), note)
        contents = fold.on_update(chosen)
        if contents and not (record.skip_unchanged and _holds(chosen, contents)):
            call = Call("update", object_name, options, batch_size=size)
            return call, Pending(fold, _write(contents, chosen.id), note)
        self._end(fold, Ending("unchanged", chosen.id, notes=(note,) if note else ()))
        return None

    def _conclude(self, answers: Answers, again: list[Item], lost: list[Item]) -> None:
        """Ends what is certain, in one step of the journal with the writes that are settled by it."""
        endings: list[tuple[Item, Ending]] = []
        settled: set[int] = set()
        for sent in answers.sent:
            if isinstance(sent.result, Lost):
                self._after_loss(sent, sent.result, endings, lost)
                continue
            settled.add(sent.number)
            if isinstance(sent.result, Written):
                endings += _written(sent, sent.result)
            elif (items := _to_go_again(sent, sent.result)) is not None:
                again += items
            else:
                reason = f"{sent.result.code}: {sent.result.message}"
                ending = Ending("failed", sent.pending.write.id, reason, _said(sent.pending))
                endings.append((sent.pending.fold.head, ending))
        self._finish(endings, sorted(settled))

    def _after_loss(self, sent: Sent, result: Lost, endings: list[tuple[Item, Ending]], lost: list[Item]) -> None:
        for item in sent.pending.fold.items:
            if not item.keys:
                reason = (
                    f"{result.reason} It is not known whether the record was created, and nothing finds it again"
                )
                endings.append((item, Ending("failed", reason=reason)))
            elif item.lost >= _MOST_LOST:
                endings.append((item, Ending("failed", reason=f"{result.reason} (tried {item.lost + 1} times)")))
            else:
                lost.append(replace(item, lost=item.lost + 1, attempts=0))

    def _end(self, fold: Fold, ending: Ending) -> None:
        self._finish([(item, ending) for item in fold.items], ())

    def _fail(self, items: Iterable[Item], reason: str) -> None:
        self._finish([(item, Ending("failed", reason=reason)) for item in items], ())


def _to_go_again(sent: Sent, refused: Refused) -> list[Item] | None:
    """The items that may yet be written, as they go again; None where that would not help."""
    items = sent.pending.fold.items
    head = items[0]
    is_locked = _LOCK in refused.code or _LOCK in refused.message
    if head.attempts < (_MOST_LOCKED if is_locked else _MOST_AGAIN):
        if is_locked or refused.code == _ROLLED_BACK:
            return [replace(item, attempts=item.attempts + 1, is_locked=is_locked) for item in items]
        if refused.code == _DUPLICATES and (in_spite := _in_spite_of_duplicates(items, refused)):
            return in_spite
        if _may_be_found_now(sent, refused):
            return [replace(item, attempts=item.attempts + 1, is_locked=False, native_key="") for item in items]
    if len(items) > 1:  # one of them is at fault: each for itself
        return [replace(item, is_alone=True, attempts=item.attempts + 1, is_locked=False) for item in items]
    return None


def _may_be_found_now(sent: Sent, refused: Refused) -> bool:
    """Whether to look up anew: somebody was faster, or the org could not tell which record is meant."""
    head = sent.pending.fold.head
    if refused.code in _GONE:
        return sent.call.verb in ("update", "delete") and not refused.fields
    if refused.code not in _TAKEN or not head.keys:
        return False
    return bool(head.native_key) or head.attempts == 0


def _in_spite_of_duplicates(items: Sequence[Item], refused: Refused) -> list[Item] | None:
    """By the mapping's choice: saved all the same, or written into the record that it duplicates.

    None where it chooses neither, or the org does not say which record that is.
    """
    choice = items[0].record.on_duplicate
    if choice == "save":
        return [
            replace(
                item,
                attempts=item.attempts + 1,
                record=item.record.with_headers(replace(item.record.headers, allow_duplicates=True)),
            )
            for item in items
        ]
    if choice == "fail" or not refused.duplicates:
        return None
    by_id: Mapping[str, Value] = {"Id": refused.duplicates[0]}
    return [
        replace(
            item,
            attempts=item.attempts + 1,
            native_key="",
            fitted=replace(item.fitted, match=(by_id,)),
            keys=(lookup_key(item.record.object, by_id),),
        )
        for item in items
    ]


def _written(sent: Sent, written: Written) -> Iterable[tuple[Item, Ending]]:
    first, *further = sent.pending.fold.items
    said = _said(sent.pending)
    yield first, Ending(sent.call.fate(written), written.id, notes=said)
    for item in further:
        fate: Fate = "updated" if item.fitted.on_update or item.fitted.if_empty else "unchanged"
        yield item, Ending(fate, written.id, notes=said)


def _said(pending: Pending) -> tuple[str, ...]:
    notes = [pending.note] if pending.note else []
    return (*notes, *map(str, pending.dropped))


def _choose(fold: Fold) -> tuple[FoundRecord | None, str]:
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


def _holds(record: FoundRecord, contents: Mapping[str, Content]) -> bool:
    """Whether the record has these contents already."""
    return all(name in record.fields and _is(record.fields[name], value) for name, value in contents.items())


def _is(text: str | None, content: Content) -> bool:
    if content is None or text is None:
        return content is None and text is None
    if isinstance(content, bool):
        return text == str(content).lower()
    if isinstance(content, (int, float)):
        return float(text) == content
    return isinstance(content, str) and text == content


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
