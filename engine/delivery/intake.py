"""Turns events into items: maps them, fits records to the org, and skips repeated events."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from sfmap.engine.delivery.earlier import Earlier
from sfmap.engine.delivery.fit import DoesNotFit, Fitted, Fitter
from sfmap.engine.delivery.folding import Fields, Item, Key, Lookups, Moment, lookup_key, mentioned
from sfmap.engine.delivery.in_doubt import Doubts
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.delivery.outcome import Ending, Outcome
from sfmap.engine.delivery.outcome_table import Places, message_of_record, read_outcome
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.journal.ledger import Ledger, RecordKey
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Mapped, Record, Rejected, Skipped
from sfmap.engine.mapping.values.values import Unfit, convert
from sfmap.engine.org.fields import no_such_object
from sfmap.engine.org.port import ObjectDescription, Org
from sfmap.engine.sources.event_source import Received
from sfmap.engine.yaml_files.diagnostics import did_you_mean

_REPEATED = "an event with the same messageId came before"
_CREATED = f"{_REPEATED}, and the mapping would create a second record"
_KILLED = (
    "the run was killed while this was sent; it is not known whether the record was created, and no lookup can"
    " find it"
)


class Intake:
    """Creates the items of a window."""

    def __init__(
        self,
        org: Org,
        mapper: Mapper,
        ledger: Ledger,
        doubts: Doubts,
        waiter: Waiter,
        message_of: Callable[[Received], str | None],
        skip_delivered: bool,
        creating: Set[str],
    ) -> None:
        """With `skip_delivered`, events whose `message_of` was delivered before are skipped; otherwise only their
        records of the `creating` mappings, since these would be duplicates.
        """
        self._org = org
        self._mapper = mapper
        self._ledger = ledger
        self._doubts = doubts
        self._waiter = waiter
        self._message_of = message_of
        self._skip_delivered = skip_delivered
        self._creating = creating
        self._decided = ledger.decided()
        self._earlier = Earlier(self._decided if ledger.is_stream else ())
        self.claimed: dict[int, RecordKey] = {}
        """By place, the journal keys of records of this window that were decided in an earlier stream."""
        self.unfit: list[int] = []
        """The places of records that the org cannot take as described now."""
        self.held: Set[str] = frozenset()
        """The message ids of events that wait for a write in doubt."""
        self.held_records: Set[str] = frozenset()
        """The same for each record."""
        self.lookups = Lookups(mapper.lookups, mapper.conditions, mapper.created_blindly, _hiding_names(mapper))

    def items(self, events: Sequence[Received], places: Places) -> list[Item]:
        """The items; every other record has an outcome when this returns.

        Raises `OrgError`, `StopRequested` or `JournalFailed`.
        """
        self.unfit.clear()
        self.claimed.clear()
        records = list(self._map(events, places))
        if self._creating:
            records = self._not_created_before(records, places)
        return list(self._fit(records, places)) if records else []

    def _map(self, events: Sequence[Received], places: Places) -> Iterator[tuple[int, Record]]:
        """The records of the events; those without a record, or already decided, get their outcome here."""
        repeated = self._repeated(events)
        for received in events:
            if received.event is None:
                place = places.open(received, "", 0)
                places.end(place, Ending("failed", reason=received.problem))
                continue
            if received.number in repeated:
                place = places.open(received, "", 0)
                places.end(place, Ending("skipped", reason=_REPEATED))
                continue
            for mapped in _meant(received, self._mapped(received.event)):
                mapping, item = ("", 0) if isinstance(mapped, Skipped) else (mapped.mapping, mapped.item)
                # A held or failed record keeps its key, even if the mapping now makes another record of the event.
                known = received.only if received.only and received.only[0] else (mapping, item)
                place = places.open(received, *known)
                decided = self._decided_before(received, place, places.keys[place])
                if decided:
                    places.close(place, decided)
                elif isinstance(mapped, Record):
                    yield place, mapped
                else:
                    fate = Ending("skipped" if isinstance(mapped, Skipped) else "failed", reason=mapped.reason)
                    places.end(place, fate, mapping)

    def _mapped(self, event: Event) -> Sequence[Mapped]:
        """Maps the event. A bug that it triggers rejects this event only."""
        try:
            return self._mapper.map(event)
        except Exception as error:  # noqa: BLE001
            return (Rejected("", f"this is a bug in sfmap: {internal_error(error)}"),)

    def _decided_before(self, received: Received, place: int, key: RecordKey) -> Outcome | None:
        """The record's outcome in a window that was not committed; failed ones are delivered again."""
        if self._earlier and key not in self._decided and (earlier := self._earlier.take(key)):
            self.claimed[place] = key = earlier
        stored = self._decided.pop(key, None)
        outcome = read_outcome(stored) if stored else None
        if outcome and place in self.claimed:
            outcome = replace(outcome, event=received.number, file=received.file, line=received.line)
        return None if outcome and outcome.fate == "failed" and received.only else outcome

    def _repeated(self, events: Sequence[Received]) -> set[int]:
        """The numbers of events whose message was delivered before, or waits for a write in doubt."""
        if not self._skip_delivered:
            return set()
        asked = {one.number: message for one in events if not one.only and (message := self._message_of(one))}
        known = self.held | self._ledger.delivered(asked.values())
        return {number for number, message in asked.items() if message in known}

    def _not_created_before(
        self, records: Sequence[tuple[int, Record]], places: Places
    ) -> list[tuple[int, Record]]:
        """The records, without those already created for the same message; these end here."""
        asked: dict[int, str] = {}
        for place, record in records:
            received = places.origins[place]
            if record.mapping in self._creating and not received.only and (message := self._message_of(received)):
                asked[place] = message_of_record(message, places.keys[place])
        known = self.held_records | self._ledger.delivered(asked.values())
        created = {place for place, name in asked.items() if name in known}
        for place, record in records:
            if place in created:
                places.end(place, Ending("skipped", reason=_CREATED), record.mapping, record.object)
        return [(place, record) for place, record in records if place not in created]

    def _fit(self, records: Sequence[tuple[int, Record]], places: Places) -> Iterator[Item]:
        """The records as the org can take them; those that it cannot take fail here."""
        names = self._waiter.ask(self._org.object_names)
        known = [name for name in self._mapper.objects if name in names]
        described = self._waiter.ask(lambda: self._org.describe(known)) if known else {}
        self.lookups = replace(self.lookups, in_turn=_in_turn(self._mapper, described))
        fitter = Fitter(described, self._currency(described))
        for place, record in records:
            received = places.origins[place]
            try:
                if record.object not in described:
                    raise _unknown(record.object, names)
                fitted = fitter.fit(record)
            except DoesNotFit as error:
                ending = Ending("failed", reason=str(error))
                places.end(place, ending, record.mapping, record.object, record.notes)
                self.unfit.append(place)
                continue
            keys = tuple(lookup_key(record.object, lookup) for lookup in fitted.match)
            item = Item(
                place,
                places.keys[place],
                record,
                fitted,
                keys,
                *self._native_key(record, fitted, described[record.object]),
                moment=_moment(received, keys[0]) if keys and record.timestamp_guard else None,
                unanswered=self._doubts.unanswered(places.keys[place]),
            )
            if item.unanswered and item.unanswered.verb == "create" and not item.is_found_again:
                ending = Ending("failed", reason=_KILLED)
                places.end(place, ending, record.mapping, record.object, fitted.notes)
                self.unfit.append(place)
            else:
                yield item

    def _currency(self, described: Mapping[str, ObjectDescription]) -> str:
        """The org's currency, only requested if a mapping has a currency that an object has no field for."""
        is_asked_for = any(
            name in described and field not in described[name].fields for name, field in self._mapper.currencies
        )
        return self._waiter.ask(self._org.currency) if is_asked_for else ""

    def _native_key(self, record: Record, fitted: Fitted, described: ObjectDescription) -> tuple[str, bool]:
        """The field by which the org's own upsert can write the record, and whether it is unique.

        Empty if what is written depends on whether the record exists or on its values, or if other mappings find
        the object's records by other fields, since delivery must then know which records are the same.
        """
        if record.operation != "upsert" or record.where or record.skip_unchanged or len(fitted.match) != 1:
            return "", False
        if record.plan.finds_by_another_value:
            return "", False
        names = tuple(fitted.match[0])
        if (
            fitted.if_empty
            or fitted.on_create != fitted.on_update
            or self.lookups.fields[record.object] != [names]
        ):
            return "", False
        field = described.fields[names[0]]
        if len(names) != 1 or not (field.external_id or field.id_lookup) or names[0] not in fitted.on_create:
            return "", False
        return field.name, field.unique


def _hiding_names(mapper: Mapper) -> dict[str, frozenset[str]]:
    """By object, the fields that `unless_found` finds a record by."""
    names: dict[str, frozenset[str]] = {}
    for to in mapper.unless_found:
        decisive = {to.by.text.lower()} | mentioned([to.where.text] if to.where else [])
        names.update({name: names.get(name, frozenset()) | decisive for name in to.objects})
    return names


def _in_turn(mapper: Mapper, described: Mapping[str, ObjectDescription]) -> dict[str, list[Fields]]:
    """By object, the sets of lookup fields that are tried in turn, of those that the org has."""
    return {
        name: [fields for fields in sets if described[name].fields.keys() >= set(fields)]
        for name, sets in mapper.lookups_in_turn.items()
        if name in described
    }


def _meant(received: Received, mapped: Sequence[Mapped]) -> Sequence[Mapped]:
    """The records of the event to deliver: all, or only the one that was held or failed before."""
    if received.only is None:
        return mapped
    mapping, item = received.only
    found = [one for one in mapped if not isinstance(one, Skipped) and (one.mapping, one.item) == (mapping, item)]
    if found or (len(mapped) == 1 and isinstance(mapped[0], Skipped)) or not mapping:
        return found or mapped
    return (Skipped(f"{mapping} no longer makes this record of it"),)


def _moment(received: Received, identity: Key) -> Moment:
    known = hashlib.sha256(repr(identity).encode("utf-8", "replace")).digest()[:16]
    timestamp = received.event.get("timestamp") if received.event else None
    try:
        return Moment(known, str(convert(timestamp, "datetime")) if isinstance(timestamp, str) else "")
    except Unfit:
        return Moment(known, "")


def _unknown(name: str, names: Iterable[str]) -> DoesNotFit:
    hint = did_you_mean(name, names) or "create it in Setup, or give the user access to it"
    return DoesNotFit(f"{no_such_object(name)}; {hint}")
