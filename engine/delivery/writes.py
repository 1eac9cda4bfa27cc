"""Plans how a fold is written: by which call and with what content, or which outcome it has without a write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from sfmap.engine.delivery.folding import Fold
from sfmap.engine.delivery.item import ID, Content, Item, Lookups, Pointer, holds
from sfmap.engine.delivery.outcome import Ending, Fate
from sfmap.engine.journal.entries import Unanswered
from sfmap.engine.mapping.values.record import Note, RecordPlan, nothing_to_write
from sfmap.engine.org.port import (
    BATCH_SIZE,
    FoundRecord,
    Org,
    RecordWrite,
    Reference,
    WriteOptions,
    WriteResult,
    Written,
)
from sfmap.engine.org.write_headers import write_options
from sfmap.engine.yaml_files.diagnostics import listed

Verb = Literal["create", "upsert", "update", "delete"]
VERBS: tuple[Verb, ...] = get_args(Verb)
"""In the order in which a window sends them."""

_HALVINGS = 2
"""How often a batch is halved each time its answer is lost again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteCall:
    """The operation and object of a batch."""

    verb: Verb
    object_name: str
    options: WriteOptions
    external_id: str = ""
    is_safe_to_repeat: bool = False
    """Whether the external id is unique, so that the org prevents a second record."""
    batch_size: int | None = None
    """The batch size set by the mapping."""
    most: int = BATCH_SIZE
    """The largest batch size after answers were lost."""
    order_matters: bool = False
    """Whether its records must be created in order, since lookups may depend on it."""

    def send(self, org: Org, writes: Sequence[RecordWrite]) -> Sequence[WriteResult]:
        if self.verb == "create":
            return org.create(self.object_name, writes, self.options)
        if self.verb == "update":
            return org.update(self.object_name, writes, self.options)
        if self.verb == "upsert":
            return org.upsert(self.object_name, self.external_id, writes, self.options)
        return org.delete(self.object_name, [write.id for write in writes if write.id], self.options)

    def fate(self, written: Written, expected: Fate) -> Fate:
        """The outcome of the first item of the record that the call wrote."""
        return upserted(written) if self.verb == "upsert" else expected


def upserted(written: Written) -> Fate:
    """The outcome of a record that the org's own upsert has written."""
    return "created" if written.created else "updated"


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingWrite:
    """The write of a fold."""

    call: WriteCall
    fold: Fold
    write: RecordWrite
    note: str = ""
    fates: Sequence[Fate] = ()
    """The expected outcomes of the fold's items; the org's answer may change that of the first."""
    known: tuple[str, ...] = ()
    """For a create, the ids of the records that already have its key."""
    dropped: tuple[Note, ...] = ()
    """Notes on fields left out because the org does not know them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes for the outcomes of its items."""
        return (*([self.note] if self.note else ()), *map(str, self.dropped))

    @property
    def is_found_again(self) -> bool:
        """Whether look-ups can tell what became of it if no answer comes."""
        return self.call.verb != "create" or self.fold.head.is_found_again

    def without(self, field_name: str) -> "PendingWrite":
        """The same write without a field that the org does not know."""
        left = {name: value for name, value in self.write.fields.items() if name.lower() != field_name.lower()}
        clear = tuple(name for name in self.write.clear if name.lower() != field_name.lower())
        if (len(left), len(clear)) == (len(self.write.fields), len(self.write.clear)):
            return self
        note = Note(field_name, "left out: the org does not know this field, or hides it from this user")
        write = replace(self.write, fields=left, clear=clear)
        return replace(self, write=write, dropped=(*self.dropped, note))


class WriteCalls:
    """The calls of a window; records of one mapping share theirs."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._calls: dict[tuple[Verb, int, str, int], tuple[RecordPlan, WriteCall]] = {}

    def call(self, verb: Verb, head: Item) -> WriteCall:
        """The call that writes the fold of this item."""
        most = batch_size(head.unanswered.losses if head.unanswered else 0)
        plan = head.record.plan
        key = verb, id(plan), head.native_key, most
        if key not in self._calls:
            call = WriteCall(
                verb=verb,
                object_name=plan.object,
                options=write_options(plan.headers),
                external_id=head.native_key if verb == "upsert" else "",
                is_safe_to_repeat=verb == "upsert" and head.is_unique,
                batch_size=plan.batch_size,
                most=most,
                order_matters=verb == "create" and self._lookups.order_matters(plan.object),
            )
            self._calls[key] = plan, call  # kept with its plan, so that the id of the plan is not reused
        return self._calls[key][1]


def batch_size(lost: int) -> int:
    """The batch size for records whose answers were lost that many times: the call may have taken too long."""
    return max(1, BATCH_SIZE >> _HALVINGS * max(0, lost - 1))


def plan_write(fold: Fold, calls: WriteCalls) -> PendingWrite | Ending:
    """The write of the fold, or the outcome of its items."""
    head = fold.head
    if fold.instead:
        reason = f"unless_found: {fold.instead.object} has a record with this {fold.instead.by}"
        return Ending("skipped", reason=reason)
    if fold.lacks:
        return Ending("failed", reason=fold.lacks)
    if fold.is_done:
        return Ending("created", fold.found[0].id)
    if head.native_key:
        return _create(fold, calls.call("upsert", head))
    if fold.found:
        return _plan_change(fold, calls)
    return _end_without_a_record(fold) or _create(fold, calls.call("create", head))


def _create(fold: Fold, call: WriteCall) -> PendingWrite:
    return PendingWrite(call=call, fold=fold, write=_record_write(fold.on_create), fates=fold.fates())


def _end_without_a_record(fold: Fold) -> Ending | None:
    """The outcome if no record was found; None if it is created."""
    head = fold.head
    if head.unanswered and head.unanswered.id:
        return _gone(head, head.unanswered)
    if head.record.operation in ("update", "delete"):
        return _none_found(head)
    if head.lookup_keys and all(key.fields == ID for key in head.lookup_keys):
        return Ending(
            "failed", reason=f"no {head.record.object} has this id: it was deleted, or belongs to another org"
        )
    if all(content is None for content in fold.on_create.values()):  # its references were not found
        return Ending("failed", reason=nothing_to_write(head.fitted.notes))
    return None


def _plan_change(fold: Fold, calls: WriteCalls) -> PendingWrite | Ending:
    """The write to the record that was found, or the outcome if it is not changed."""
    chosen, note = _choose(fold)
    if chosen is None:
        return Ending("failed", reason=note)
    head = fold.head
    if head.record.operation == "delete":
        call, write = calls.call("delete", head), RecordWrite({}, id=chosen.id)
        return PendingWrite(call=call, fold=fold, write=write, note=note, fates=["deleted"])
    contents = fold.on_update(chosen)
    if contents and not (head.record.skip_unchanged and holds(chosen.fields, contents)):
        call, write = calls.call("update", head), _record_write(contents, chosen.id)
        return PendingWrite(call=call, fold=fold, write=write, note=note, fates=fold.fates(chosen))
    was_sent = head.unanswered and head.unanswered.verb == "update"
    return Ending("updated" if was_sent else "unchanged", chosen.id, notes=(note,) if note else ())


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
    tried = listed((" and ".join(key.fields) for key in head.lookup_keys), "or")
    return Ending("failed", reason=f"{reason} by {tried}, and on_none is error")


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


def _record_write(contents: Mapping[str, Content], record_id: str | None = None) -> RecordWrite:
    """The content of the write: values, fields to empty, and references that the org resolves itself."""
    fields = {name: content for name, content in contents.items() if isinstance(content, (str, int, float))}
    if len(fields) == len(contents):
        return RecordWrite(fields, id=record_id)
    return RecordWrite(
        fields=fields,
        clear=tuple(name for name, content in contents.items() if content is None),
        id=record_id,
        references={
            pointer.relationship: Reference(target.object, target.by, target.value)
            for pointer in contents.values()
            if isinstance(pointer, Pointer)
            for target in pointer.targets
        },
    )
