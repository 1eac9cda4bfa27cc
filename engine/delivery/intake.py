"""Turns events into items: maps them, fits records to the org, and skips repeated events."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial

from sfmap.engine.delivery.asked_objects import AskedObjects
from sfmap.engine.delivery.fit import fit
from sfmap.engine.delivery.folded_record import read_contents, without_contents
from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.delivery.item import Fields, Fitted, Item, LookupKey, Lookups, Moment, lookup_key, mentioned
from sfmap.engine.delivery.org_objects import DoesNotFit
from sfmap.engine.delivery.outcome import Ending, Outcome
from sfmap.engine.delivery.outcome_table import MessageIds, OutcomeTable, Row, message_of_record, restored_outcome
from sfmap.engine.journal.earlier_stream import EarlierStream
from sfmap.engine.journal.entries import FOLDED
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Mapped, Note, Record, Rejected, Skipped
from sfmap.engine.mapping.values.values import Unfit, convert
from sfmap.engine.org.fields import child_references, is_key, no_such_object
from sfmap.engine.org.port import FieldDescription, ObjectDescription
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.record_lines import NotARecord, as_received, singles
from sfmap.engine.yaml_files.diagnostics import did_you_mean

_REPEATED = "an event with the same messageId came before"
_REPEATED_ROW = "this row was delivered before"
_CREATED = f"{_REPEATED}, and the mapping would create a second record"
_KILLED = (
    "the run was killed while this was sent; it is not known whether the record was created, and no lookup can"
    " find it"
)


@dataclass(frozen=True, slots=True)
class HeldMessages:
    """The message ids of events and records that wait for a write in doubt or a bulk job."""

    events: Set[str]
    records: Set[str]
    of_loads: Sequence[Set[str]] = ()
    """Those of both kinds that wait for bulk jobs."""

    def among(self, messages: Collection[str], held: Set[str]) -> set[str]:
        """Those of the messages that wait; `held` are the events or the records."""
        sets = [one for one in (held, *self.of_loads) if one]
        return {message for message in messages if any(message in one for one in sets)} if sets else set()


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A record of an event, and its place in the outcome table."""

    place: int
    record: Record
    fitted: Fitted | None = None
    """If it was fitted before."""
    is_alone: bool = False


class Intake:
    """Creates the items of a window."""

    def __init__(
        self, *, objects: AskedObjects, mapper: Mapper, ledger: Ledger, doubts: Doubts, messages: MessageIds
    ) -> None:
        self._objects = objects
        self._mapper = mapper
        self._ledger = ledger
        self._doubts = doubts
        self._messages = messages
        self._plans = {one.mapping.name: one.plan.record_plan for one in mapper.mappings}
        self._decided = ledger.decided()
        self._earlier = EarlierStream(self._decided if ledger.is_stream else ())
        self.lookups = Lookups(
            fields=mapper.lookups,
            conditions=mapper.conditions,
            blind=mapper.created_blindly,
            instead=_hiding_names(mapper),
        )
        """The lookups of all mappings, as far as the org's objects are known."""

    def items(self, events: Sequence[Received], table: OutcomeTable, held: HeldMessages) -> list[Item]:
        """The items; every other record has an outcome in the table when this returns.

        Raises `OrgError`, `StopRequested` or `JournalFailed`.
        """
        records = list(self._map(events, table, held))
        if self._messages.creating:
            records = self._not_created_before(records, table, held)
        return list(self._fit(records, table)) if records else []

    def _map(self, events: Sequence[Received], table: OutcomeTable, held: HeldMessages) -> Iterator[_Mapped]:
        """The records of the events; those without a record, or already decided, get their outcome here."""
        repeated = self._repeated(events, held)
        for received in events:
            if received.event is None:
                table.open(received).end(Ending("failed", reason=received.problem))
            elif received.number in repeated:
                row = table.open(received)
                row.end(Ending("skipped", reason=_REPEATED_ROW if received.repeat_key else _REPEATED))
                row.is_copy = True
            elif received.folded:
                yield from self._folded(received, received.event, table)
            else:
                yield from self._records(received, received.event, partial(table.open, received))

    def _folded(self, received: Received, line: Event, table: OutcomeTable) -> Iterator[_Mapped]:
        """The folded record, or the records of its events if the org has refused it before."""
        mapping = str(line["mapping"])
        row = table.open(received, mapping, FOLDED)
        decided = self._decided_before(row)
        plan = self._plans.get(mapping)
        if plan is None or (decided and decided.fate == "failed"):
            yield from self._records_apart(row, table)
        elif decided:
            row.outcome = decided
        else:
            try:
                yield _Mapped(row.place, without_contents(plan), read_contents(line))
            except NotARecord:
                yield from self._records_apart(row, table)

    def apart(self, row: Row, table: OutcomeTable) -> list[Item]:
        """The items of the events that were folded into a record which the org has refused, each on its own."""
        return list(self._fit(list(self._records_apart(row, table)), table))

    def _records_apart(self, row: Row, table: OutcomeTable) -> Iterator[_Mapped]:
        """The records of the events of a folded record, at its place."""
        folded = row.received
        try:
            found = list(singles(folded.event or {}))
        except NotARecord as error:
            row.end(Ending("failed", reason=str(error)), row.key.mapping)
            return
        row.is_apart = True
        for nth, single in enumerate(found, 1):
            received = as_received(single, row.key.mapping, folded.number - folded.folded + nth)
            opened = partial(table.open_apart, row, nth, received)
            for one in self._records(received, received.event or {}, opened):
                yield replace(one, is_alone=True)

    def _records(self, received: Received, event: Event, opened: Callable[[str, int], Row]) -> Iterator[_Mapped]:
        """The records of an event, each in the row that is `opened` for its mapping and item."""
        for mapped in _meant(received, self._mapped(event)):
            mapping, item_number = ("", 0) if isinstance(mapped, Skipped) else (mapped.mapping, mapped.item_number)
            # A held or failed record keeps its key, even if the mapping now makes another record of the event.
            only = received.only or received.part
            row = opened(*(only if only and only[0] else (mapping, item_number)))
            decided = self._decided_before(row)
            if decided:
                row.outcome = decided
            elif isinstance(mapped, Record):
                yield _Mapped(row.place, mapped)
            else:
                row.end(
                    Ending("skipped" if isinstance(mapped, Skipped) else "failed", reason=mapped.reason), mapping
                )

    def _mapped(self, event: Event) -> Sequence[Mapped]:
        """Maps the event. A bug that it triggers rejects this event only."""
        try:
            return self._mapper.map(event)
        except Exception as error:  # noqa: BLE001
            return (Rejected("", f"this is a bug in sfmap: {internal_error(error)}"),)

    def _decided_before(self, row: Row) -> Outcome | None:
        """The record's outcome in a part that was not committed; a dead letter that failed is tried again."""
        received, key = row.received, row.key
        if self._earlier and key not in self._decided and (earlier := self._earlier.take(key)):
            row.claimed = key = earlier
        stored = self._decided.pop(key, None)
        outcome = restored_outcome(stored) if stored else None
        if outcome and row.claimed:
            outcome = replace(outcome, event=received.number, file=received.file, line=received.line)
        return None if outcome and outcome.fate == "failed" and received.is_dead_letter else outcome

    def _repeated(self, events: Sequence[Received], held: HeldMessages) -> set[int]:
        """The numbers of events whose message was delivered before, or waits for a write in doubt."""
        if not self._messages.skip_delivered:
            return set()
        messages = self._messages
        asked = {one.number: found for one in events if not one.only and (found := messages.of_repeat(one))}
        known = held.among(asked.values(), held.events) | self._ledger.delivered(asked.values())
        return {number for number, message in asked.items() if message in known}

    def _not_created_before(
        self, records: Sequence[_Mapped], table: OutcomeTable, held: HeldMessages
    ) -> list[_Mapped]:
        """The records, without those already created for the same message; these end here."""
        asked: dict[int, str] = {}
        for one in records:
            row = table[one.place]
            is_new = one.record.mapping in self._messages.creating and not row.received.only
            if is_new and (message := self._messages.of(row.received)):
                asked[one.place] = message_of_record(message, row.key)
        known = held.among(asked.values(), held.records) | self._ledger.delivered(asked.values())
        created = {place for place, name in asked.items() if name in known}
        for one in records:
            if one.place in created:
                ending = Ending("skipped", reason=_CREATED)
                table[one.place].end(ending, one.record.mapping, one.record.object)
                table[one.place].is_copy = True
        return [one for one in records if one.place not in created]

    def _fit(self, records: Sequence[_Mapped], table: OutcomeTable) -> Iterator[Item]:
        """The records as the org can take them; those that it cannot take fail here."""
        known = self._objects.now()
        described = known.objects.descriptions
        self.lookups = _as_described(self.lookups, self._mapper, described)
        for one in records:
            row, record = table[one.place], one.record
            try:
                if record.object not in described:
                    raise _unknown(record.object, known.names)
                fitted = one.fitted or fit(record, known.objects)
            except DoesNotFit as error:
                if one.fitted:
                    yield from self.apart(row, table)
                    continue
                _end_unsent(row, record, Ending("failed", reason=str(error)), record.notes)
                continue
            item = self._item(one, row, fitted, described[record.object])
            if item.unanswered and item.unanswered.verb == "create" and not item.is_found_again:
                _end_unsent(row, record, Ending("failed", reason=_KILLED, may_be_created=True), fitted.notes)
            else:
                yield item

    def _item(self, one: _Mapped, row: Row, fitted: Fitted, described: ObjectDescription) -> Item:
        record = one.record
        keys = tuple(lookup_key(record.object, lookup) for lookup in fitted.match)
        native = self._native_key(record, fitted, described)
        return Item(
            place=one.place,
            key=row.key,
            record=record,
            fitted=fitted,
            lookup_keys=keys,
            native_key=native.name if native else "",
            is_unique=native is not None and native.unique,
            is_alone=one.is_alone,
            moment=_moment(row.received, keys[0]) if keys and record.timestamp_guard else None,
            unanswered=self._doubts.unanswered(row.key),
        )

    def _native_key(self, record: Record, fitted: Fitted, described: ObjectDescription) -> FieldDescription | None:
        """The field by which the org's own upsert can write the record.

        None if what is written depends on whether the record exists or on its values, or if other mappings find
        the object's records by other fields, since delivery must then know which records are the same.
        """
        plan = record.plan
        if plan.operation != "upsert" or plan.where or plan.skip_unchanged or len(fitted.match) != 1:
            return None
        if plan.object in self.lookups.taken_along:
            return None
        names = tuple(fitted.match[0])
        if (
            plan.finds_by_another_value
            or fitted.if_empty
            or not fitted.writes_the_same
            or self.lookups.fields[plan.object] != [names]
        ):
            return None
        field = described.fields[names[0]]
        is_found_by = len(names) == 1 and is_key(field) and names[0] in fitted.on_create
        return field if is_found_by else None


def _end_unsent(row: Row, record: Record, ending: Ending, notes: Sequence[Note]) -> None:
    row.end(ending, record.mapping, record.object, notes)
    row.is_unsent = True


def _hiding_names(mapper: Mapper) -> dict[str, frozenset[str]]:
    """By object, the fields that `unless_found` finds a record by."""
    names: dict[str, frozenset[str]] = {}
    for to in mapper.unless_found:
        decisive = {to.by.text.lower()} | mentioned([to.where.text] if to.where else [])
        names.update({name: names.get(name, frozenset()) | decisive for name in to.objects})
    return names


def _as_described(lookups: Lookups, mapper: Mapper, described: Mapping[str, ObjectDescription]) -> Lookups:
    """The lookups with what only the org's descriptions tell."""
    deleted = {one.mapping.object for one in mapper.mappings if one.mapping.operation == "delete"}
    children = [child for name in deleted for child in child_references(name, described)]
    return replace(
        lookups,
        several=_several(mapper, described),
        parents={
            name: tuple(dict.fromkeys(one.field for one in children if one.object == name))
            for name in {one.object for one in children}
        },
        taken_along={one.object for one in children if one.cascades},
    )


def _several(mapper: Mapper, described: Mapping[str, ObjectDescription]) -> dict[str, list[Fields]]:
    """By object that has several, the sets of lookup fields, of those that the org has."""
    return {
        name: [fields for fields in sets if described[name].fields.keys() >= set(fields)]
        for name, sets in mapper.lookups.items()
        if len(sets) > 1 and name in described
    }


def _meant(received: Received, mapped: Sequence[Mapped]) -> Sequence[Mapped]:
    """The records of the event to deliver: all, or only the one that was held or failed before."""
    only = received.only or received.part
    if only is None:
        return mapped
    mapping, item_number = only
    found = [
        one
        for one in mapped
        if not isinstance(one, Skipped) and (one.mapping, one.item_number) == (mapping, item_number)
    ]
    if found or (len(mapped) == 1 and isinstance(mapped[0], Skipped)) or not mapping:
        return found or mapped
    return (Skipped(f"{mapping} no longer makes this record of it"),)


def _moment(received: Received, identity: LookupKey) -> Moment:
    known = hashlib.sha256(repr(tuple(identity)).encode("utf-8", "replace")).digest()[:16]
    timestamp = received.event.get("timestamp") if received.event else None
    try:
        return Moment(known, str(convert(timestamp, "datetime")) if isinstance(timestamp, str) else "")
    except Unfit:
        return Moment(known, "")


def _unknown(name: str, names: Iterable[str]) -> DoesNotFit:
    hint = did_you_mean(name, names) or "create it in Setup, or give the user access to it"
    return DoesNotFit(f"{no_such_object(name)}; {hint}")
