"""Delivers one window of records: looks them up, writes them in batches, and gives each an outcome.

Each record is looked up before it is written, so delivering the same events again updates their records.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sfmap.engine.delivery.batch_sizes import BatchSizes
from sfmap.engine.delivery.batches import (
    VERBS,
    Answers,
    Call,
    Lost,
    Pending,
    Sender,
    Sent,
    Verb,
    batch_items,
    batch_size,
    write_options,
)
from sfmap.engine.delivery.fit import Content, Pointer
from sfmap.engine.delivery.folding import ID, Cause, Fold, Item, Lookups, holds, lookup_key, plan
from sfmap.engine.delivery.in_doubt import Doubts, kept
from sfmap.engine.delivery.lookup import Finder
from sfmap.engine.delivery.newest import Newest
from sfmap.engine.delivery.outcome import Ending
from sfmap.engine.delivery.refusals import again_because, is_too_much, most_again
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.journal.ledger import RecordKey, Unanswered
from sfmap.engine.mapping.values.record import RecordPlan, Value, nothing_to_write
from sfmap.engine.org.port import (
    FoundRecord,
    Org,
    RecordWrite,
    Reference,
    Refused,
    Written,
)
from sfmap.engine.yaml_files.diagnostics import listed

_MOST_LOST = 6
"""The number of lost answers after which a record counts as failed."""
_FEWEST = 32
"""The fewest deferred items that are looked up together, even if fewer were written the last time."""


def _place(item: Item) -> int:
    return item.place


Endings = Sequence[tuple[Item, Ending]]


@dataclass(frozen=True, slots=True)
class Concluded:
    """What has become certain: the outcomes of items, and the numbers of the writes that they settle."""

    endings: Endings
    writes: Sequence[int] = ()
    kept: Sequence[tuple[RecordKey, Unanswered]] = ()
    """The unanswered writes of items that are sent again."""


Finish = Callable[[Concluded], None]


class Window:
    """The writes of one window."""

    def __init__(
        self,
        org: Org,
        lookups: Lookups,
        doubts: Doubts,
        waiter: Waiter,
        connections: int,
        sizes: BatchSizes,
        newest: Newest,
        finish: Finish,
    ) -> None:
        # Not a bound method: a reference cycle would keep the window's events in memory until the next collection.
        self._finder = Finder(org, lookups, waiter, partial(_fail, finish))
        self._sender = Sender(org, doubts, waiter, connections)
        self._lookups = lookups
        self._doubts = doubts
        self._waiter = waiter
        self._sizes = sizes
        self._newest = newest
        self._finish = finish
        self._calls: dict[tuple[Verb, int, str, int], tuple[RecordPlan, Call]] = {}
        """Calls by verb, plan, native key and batch size, which many records share."""

    def deliver(self, items: Sequence[Item]) -> list[Item]:
        """Writes the items so that the result in the org is the same as after one write each, in order.

        Returns those that must wait until a write in doubt is settled. Raises `OrgError`, `StopRequested` or
        `JournalFailed`.
        """
        held: list[Item] = []
        together = len(items)
        while items:
            # Items that wait for each other are written one by one, so only some are looked up each time.
            current, later = self._not_overtaken(items[:together]), items[together:]
            if current:
                planned = plan(
                    self._finder.look_up(current), self._lookups, self._doubts.traces(), self._doubts.writes()
                )
                self._doubts.hold(planned.held_traces)
                again, lost = self._deliver_together(planned.folds)
                held += (*planned.held, *lost)
                left = sorted([*again, *planned.deferred], key=_place)
                together = max(_FEWEST, 4 * (len(current) - len(left)))
                items = [*left, *later]
            else:
                items = later
        return sorted(held, key=_place)

    def _not_overtaken(self, items: Sequence[Item]) -> list[Item]:
        """The items, without those for whose identity a newer event was written: these end here."""
        overtaken = self._newest.overtaken(items)
        if not overtaken:
            return list(items)
        reason = "a newer event was written for the same record: timestamp_guard"
        ending = Ending("skipped", reason=reason)
        self._finish(Concluded([(item, ending) for item in items if item.place in overtaken]))
        return [item for item in items if item.place not in overtaken]

    def _deliver_together(self, folds: Sequence[Fold]) -> tuple[list[Item], list[Item]]:
        """Returns the items to send again, and those whose answers were lost.

        Items that end without a write are in the journal before the first write, which may change what they saw.
        """
        endings: list[tuple[Item, Ending]] = []
        pending = [(call, one) for fold in folds for call, one in self._pending(fold, endings)]
        if endings:
            self._finish(Concluded(endings))
        again: list[Item] = []
        lost: list[Item] = []
        halted: set[str] = set()
        for call, batch in _runs(self._with_known(pending)):
            if call.minds_order and call.object_name in halted:
                again += batch_items(batch)
                continue
            failures = []
            left = list(batch)
            for answers in self._sender.send(call, batch, self._sizes.most(call)):
                self._conclude(answers, again, lost)
                failures += [answers.failure] if answers.failure else []
                del left[: len(answers.sent)]
                if call.minds_order and any(isinstance(sent.result, Lost) for sent in answers.sent):
                    # Created after these, it would be the newest: they wait for it.
                    halted.add(call.object_name)
                    again += batch_items(left)
                    break
            if failures:
                raise failures[0]
        if pauses := max((item.again.count(item.again[-1]) for item in again if _needs_a_pause(item)), default=0):
            self._waiter.pause(pauses)
        return again, lost

    def _with_known(self, pending: Sequence[tuple[Call, Pending]]) -> Sequence[tuple[Call, Pending]]:
        """Adds to creates with a condition the records that already have their keys."""
        asked = [one.fold.head for call, one in pending if call.verb == "create" and one.fold.head.record.where]
        if not asked:
            return pending
        known, failed = self._finder.known(asked)
        return [
            (call, replace(one, known=known.get(one.fold.head.place, ())))
            for call, one in pending
            if one.fold.head.place not in failed
        ]

    def _pending(self, fold: Fold, endings: list[tuple[Item, Ending]]) -> Iterator[tuple[Call, Pending]]:
        """The call that writes the fold, and its content; nothing if the fold ends here."""
        decided = self._decide(fold)
        if isinstance(decided, Ending):
            endings += _ends(fold, decided)
        else:
            yield decided

    def _decide(self, fold: Fold) -> tuple[Call, Pending] | Ending:
        head = fold.head
        if fold.instead:
            reason = f"unless_found: {fold.instead.object} has a record with this {fold.instead.by}"
            return Ending("skipped", reason=reason)
        if fold.lacks:
            return Ending("failed", reason=fold.lacks)
        if fold.is_done:
            return Ending("created", fold.found[0].id)
        if head.native_key:
            call = self._call("upsert", head)
            return call, Pending(fold, _write(fold.on_create), fates=fold.fates())
        if fold.found:
            return self._decide_change(fold)
        if head.unanswered and head.unanswered.id:
            return _gone(head, head.unanswered)
        if head.record.operation in ("update", "delete"):
            return _none_found(head)
        if head.keys and all(fields == ID for _, fields, _ in head.keys):
            return Ending(
                "failed", reason=f"no {head.record.object} has this id: it was deleted, or belongs to another org"
            )
        if all(content is None for content in fold.on_create.values()):  # its references were not found
            return Ending("failed", reason=nothing_to_write(head.fitted.notes))
        return self._call("create", head), Pending(fold, _write(fold.on_create), fates=fold.fates())

    def _decide_change(self, fold: Fold) -> tuple[Call, Pending] | Ending:
        chosen, note = _choose(fold)
        if chosen is None:
            return Ending("failed", reason=note)
        head = fold.head
        if head.record.operation == "delete":
            return self._call("delete", head), Pending(fold, RecordWrite({}, id=chosen.id), note, ["deleted"])
        contents = fold.on_update(chosen)
        if contents and not (head.record.skip_unchanged and holds(chosen.fields, contents)):
            write = _write(contents, chosen.id)
            return self._call("update", head), Pending(fold, write, note, fold.fates(chosen))
        was_sent = head.unanswered and head.unanswered.verb == "update"
        return Ending("updated" if was_sent else "unchanged", chosen.id, notes=(note,) if note else ())

    def _call(self, verb: Verb, head: Item) -> Call:
        most = batch_size(head.unanswered.losses if head.unanswered else 0)
        common = head.record.plan
        key = verb, id(common), head.native_key, most
        if key not in self._calls:
            call = Call(
                verb=verb,
                object_name=common.object,
                options=write_options(common.headers),
                external_id=head.native_key if verb == "upsert" else "",
                is_safe_to_repeat=verb == "upsert" and head.is_unique,
                batch_size=common.batch_size,
                most=most,
                minds_order=verb == "create" and self._lookups.minds_order(common.object),
            )
            self._calls[key] = common, call  # kept with its plan, so that the id of the plan is not reused
        return self._calls[key][1]

    def _conclude(self, answers: Answers, again: list[Item], lost: list[Item]) -> None:
        """Gives items their outcomes where certain, in one transaction with the writes that these settle."""
        endings: list[tuple[Item, Ending]] = []
        settled: set[int] = set()
        repeated: list[Item] = []
        passed: dict[int, Sent] = {}
        for sent in answers.sent:
            if isinstance(sent.result, Lost):
                self._after_loss(sent, sent.result, endings, lost)
                continue
            settled.add(sent.number)
            if isinstance(sent.result, Written):
                endings += _written(sent, sent.result)
                passed[sent.number] = sent
                continue
            if is_too_much(sent.result):
                self._sizes.refused(sent.call, sent.together, sent.result.message)
            if (items := _to_go_again(sent, sent.result)) is not None:
                repeated += items
            else:
                endings.append((sent.pending.fold.head, _ending_of(sent, sent.result)))
        for sent in passed.values():
            self._sizes.passed(sent.call, sent.together)
        again += repeated
        self._finish(Concluded(endings, sorted(settled), kept(repeated)))

    def _after_loss(self, sent: Sent, result: Lost, endings: list[tuple[Item, Ending]], lost: list[Item]) -> None:
        for item in sent.pending.fold.items:
            times = item.unanswered.losses + 1 if item.unanswered else 1
            if sent.call.verb == "create" and not sent.pending.fold.head.is_found_again:
                reason = (
                    f"{result.reason} It is not known whether the record was created, and no lookup can find it"
                )
                endings.append((item, Ending("failed", reason=reason)))
            elif times > _MOST_LOST:
                endings.append((item, Ending("failed", reason=f"{result.reason} (tried {times} times)")))
            else:
                lost.append(item)


def _fail(finish: Finish, items: Iterable[Item], reason: str) -> None:
    finish(Concluded([(item, Ending("failed", reason=reason)) for item in items]))


def _runs(pending: Sequence[tuple[Call, Pending]]) -> Iterator[tuple[Call, list[Pending]]]:
    """Groups writes by call, verb by verb; creates whose order matters keep it."""
    runs: list[tuple[Call, list[Pending]]] = []
    open_runs: dict[Call, list[Pending]] = {}
    last: dict[str, Call] = {}
    for call, one in pending:
        if call not in open_runs or (call.minds_order and last[call.object_name] != call):
            open_runs[call] = []
            runs.append((call, open_runs[call]))
        open_runs[call].append(one)
        if call.minds_order:
            last[call.object_name] = call
    yield from sorted(runs, key=lambda run: VERBS.index(run[0].verb))


def _ends(fold: Fold, ending: Ending) -> Iterator[tuple[Item, Ending]]:
    """The outcome of each item: after a create, the further ones found the record."""
    fates = fold.fates() if ending.fate == "created" else [ending.fate] * len(fold.items)
    for item, fate in zip(fold.items, fates, strict=True):
        yield item, replace(ending, fate=fate)


def _gone(head: Item, unanswered: Unanswered) -> Ending:
    """The outcome if the record that an unanswered write was to change no longer exists."""
    if unanswered.verb == "delete":
        return Ending("deleted", unanswered.id)
    reason = f"{head.record.object} {unanswered.id} no longer exists, and the answer to its update was lost"
    return Ending("failed", unanswered.id, reason)


def _none_found(head: Item) -> Ending:
    """The outcome of an update or a delete whose record does not exist."""
    record = head.record
    reason = f"no {record.object} to {record.operation} was found"
    if record.on_none == "skip":
        return Ending("skipped", reason=reason)
    tried = listed((" and ".join(names) for _, names, _ in head.keys), "or")
    return Ending("failed", reason=f"{reason} by {tried}, and on_none is error")


def _needs_a_pause(item: Item) -> bool:
    return bool(item.again) and item.again[-1] in ("locked", "unavailable")


def _to_go_again(sent: Sent, refused: Refused) -> list[Item] | None:
    """The items to send again; None if that would not help."""
    items = sent.pending.fold.items
    head = items[0]
    cause = again_because(refused, sent.call.verb, sent.together)
    if cause == "taken" and not head.keys:
        cause = None
    if cause and head.again.count(cause) < most_again(cause):
        if cause != "duplicate":
            is_found_by_lookup = cause in ("gone", "taken")
            return [_again(item, cause, is_found_by_lookup) for item in items]
        if in_spite := _despite_duplicates(items, refused):
            return in_spite
    if len(items) > 1:  # one of them is the cause: send each alone
        return [replace(_again(item, "refused together"), is_alone=True) for item in items]
    return None


def _again(item: Item, cause: Cause, is_found_by_lookup: bool = False) -> Item:
    """The item, to be sent again; with `is_found_by_lookup`, delivery looks it up instead of the org."""
    native_key = "" if is_found_by_lookup else item.native_key
    return replace(item, again=(*item.again, cause), native_key=native_key)


def _ending_of(sent: Sent, refused: Refused) -> Ending:
    return Ending("failed", sent.pending.write.id, f"{refused.code}: {refused.message}", _said(sent.pending))


def _despite_duplicates(items: Sequence[Item], refused: Refused) -> list[Item] | None:
    """Applies the mapping's choice for duplicates: save the record anyway, or update the one that it duplicates.

    None if it chooses neither, or the org does not tell which record that is.
    """
    choice = items[0].record.on_duplicate
    if choice == "save":
        return [
            replace(
                _again(item, "duplicate"),
                record=item.record.with_headers(replace(item.record.headers, allow_duplicates=True)),
            )
            for item in items
        ]
    if choice == "fail" or not refused.duplicates:
        return None
    by_id: Mapping[str, Value] = {"Id": refused.duplicates[0]}
    return [
        replace(
            _again(item, "duplicate", is_found_by_lookup=True),
            fitted=replace(item.fitted, match=(by_id,)),
            keys=(lookup_key(item.record.object, by_id),),
        )
        for item in items
    ]


def _written(sent: Sent, written: Written) -> Iterable[tuple[Item, Ending]]:
    first, *further = sent.pending.fates
    said = _said(sent.pending)
    for item, fate in zip(sent.pending.fold.items, (sent.call.fate(written, first), *further), strict=True):
        yield item, Ending(fate, written.id, notes=said)


def _said(pending: Pending) -> tuple[str, ...]:
    notes = [pending.note] if pending.note else []
    return (*notes, *map(str, pending.dropped))


def _choose(fold: Fold) -> tuple[FoundRecord | None, str]:
    """The record to write among those found, oldest first, and a note about the choice."""
    record = fold.head.record
    if len(fold.found) == 1:
        return fold.found[0], ""
    several = f"{len(fold.found)} {record.object} records match"
    if record.on_many == "error":
        return None, f"{several}, and on_many is error"
    choice = 0 if record.on_many == "oldest" else -1
    done = "deleted" if record.operation == "delete" else "updated"
    return fold.found[choice], f"{several}: the {record.on_many} was {done}"


def _write(contents: Mapping[str, Content], record_id: str | None = None) -> RecordWrite:
    """The content of the write: values, fields to empty, and references that the org resolves itself."""
    return RecordWrite(
        fields={name: content for name, content in contents.items() if isinstance(content, (str, int, float))},
        clear=tuple(name for name, content in contents.items() if content is None),
        id=record_id,
        references={
            pointer.relationship: Reference(target.object, target.by, target.value)
            for pointer in contents.values()
            if isinstance(pointer, Pointer)
            for target in pointer.targets
        },
    )
