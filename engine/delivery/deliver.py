"""Events in, outcomes out: maps each event, fits its records to the org, and delivers them window by window.

What is certain is in the journal before the next window begins, so that a run that ends in any way can go on.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile

import orjson

from sfmap.engine.delivery.coalesce import Item, Key, Lookups, lookup_key
from sfmap.engine.delivery.doubts import Doubts
from sfmap.engine.delivery.fit import DoesNotFit, Fitted, fit
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.patience import StopRequested, Waiter, until
from sfmap.engine.delivery.window import Ending, Endings, Window
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.ledger import NO_RESULTS, Commit, Held, Ledger, Letter, RecordKey, Results, digest
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Mapped, Note, Record, Skipped
from sfmap.engine.mapping.values import Unfit, convert
from sfmap.engine.org.port import ObjectDescription, Org, OrgError
from sfmap.engine.sources.port import START, EventSource, Position, Received, SourceFailed
from sfmap.engine.spec.diagnostics import did_you_mean

WINDOW_SIZE = 2_000
"""How many events go together: as many identities as one query's answer can hold."""

_OVERTAKEN = "a newer event was written for the same record: timestamp_guard"
_REPEATED = "an event with its messageId was delivered before"
_KILLED = (
    "the run was killed while this was sent; it is not known whether the record was created, and nothing finds it"
    " again"
)


@dataclass(frozen=True, slots=True)
class Options:
    """How a delivery goes about its work."""

    window_size: int = WINDOW_SIZE
    connections: int = 1
    """How many calls may be under way at once; no outcome depends on it."""
    remember: bool = True
    """Whether message ids are kept of what is delivered."""
    skip_delivered: bool = False
    """Whether events whose message id was delivered before are left out."""
    results: Callable[[], Results] = lambda: NO_RESULTS
    """What is written of the results, once the outcomes of a window have been taken."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What came of some events, in their order."""

    outcomes: Sequence[Outcome]
    events: int = 0
    """How many events were read for it."""


class _Places:
    """One window's records and their outcomes, each in its place, whether or not it has been decided yet."""

    def __init__(self) -> None:
        self.origins: list[Received] = []
        self.keys: list[RecordKey] = []
        self.outcomes: list[Outcome | None] = []

    def open(self, received: Received, mapping: str, item: int) -> int:
        """A place for an outcome of this event, in the order of the calls."""
        self.origins.append(received)
        self.keys.append((received.number, mapping, item))
        self.outcomes.append(None)
        return len(self.outcomes) - 1

    def close(self, place: int, outcome: Outcome) -> None:
        self.outcomes[place] = outcome

    def closed(self) -> Iterator[tuple[int, Outcome]]:
        return ((place, outcome) for place, outcome in enumerate(self.outcomes) if outcome)

    def open_ones(self) -> list[int]:
        return [place for place, outcome in enumerate(self.outcomes) if outcome is None]


class Delivery:
    """Delivers the events of a source to an org."""

    def __init__(
        self, org: Org, mapper: Mapper, ledger: Ledger, doubts: Doubts, waiter: Waiter, options: Options
    ) -> None:
        self._org = org
        self._mapper = mapper
        self._ledger = ledger
        self._doubts = doubts
        self._waiter = waiter
        self._options = options
        self._lookups = Lookups(mapper.lookups, mapper.conditions)
        self._decided = ledger.decided()
        self._held = [_received(held) for held in ledger.held()]
        self._is_resumed = bool(self._held)
        """Whether what the held records meet is not known yet: they must be looked up before any others."""
        self._has_letters = ledger.has_letters()
        self._position = START
        self._calls = 0
        self._losses: dict[RecordKey, int] = {}
        """How often the answers to what is held were lost."""
        self._newest: dict[bytes, str] = {}
        """By identity, the moment of the newest event of this window."""

    def deliver(self, source: EventSource, start: Position = START) -> Iterator[Delivered]:
        """The outcomes, window by window; whoever takes them has them before the journal counts them as done.

        Raises `OrgError`, `StopRequested`, `SourceFailed` or `JournalFailed`, each after what is certain.
        """
        self._position = start
        failure: SourceFailed | None = None
        windows = self._windows(source)
        while failure is None:
            try:
                window = next(windows, None)
            except SourceFailed as error:
                failure = error
                break
            if window is None:
                break
            yield from self._deliver_window(self._released(), window)
        while self._held and failure is None:
            self._wait_for_doubts()
            yield from self._deliver_window(self._released(), [])
        if failure:
            raise failure

    def _windows(self, source: EventSource) -> Iterator[list[Received]]:
        window: list[Received] = []
        failure: SourceFailed | None = None
        try:
            for received in source:
                self._waiter.check_stop()
                window.append(received)
                if len(window) == self._options.window_size:
                    yield window
                    window = []
        except SourceFailed as error:
            failure = error
        if window:
            yield window
        if failure:
            raise failure

    def _released(self) -> list[Received]:
        """What waited for a write in doubt, if one has been settled meanwhile."""
        if not self._held or not (self._doubts.settled() or not self._doubts or self._is_resumed):
            return []
        self._is_resumed = False
        self._doubts.release()
        released, self._held = self._held, []
        return released

    def _wait_for_doubts(self) -> None:
        seconds = self._doubts.next_end()
        if seconds > 1:
            self._waiter.say(
                f"{len(self._held):,} records wait until {until(seconds)}: an answer was lost, and until then the"
                " org may still do what it was asked. Ctrl-C stops; the same command goes on later."
            )
        self._waiter.sleep(seconds)

    def _deliver_window(self, released: Sequence[Received], window: Sequence[Received]) -> Iterator[Delivered]:
        places = _Places()
        failure: OrgError | StopRequested | JournalFailed | None = None
        try:
            records = list(self._map([*released, *window], places))
            items = list(self._fit(records, places)) if records else []
            if items:
                self._write(items, places)
        except (OrgError, StopRequested, JournalFailed) as error:
            failure = error
        open_ones = places.open_ones()
        undecided = {places.keys[place][0] for place in open_ones} if failure else set()
        taken = list(takewhile(lambda received: received.number not in undecided, window))
        told = {received.number for received in (*released, *taken)}
        closed = [(place, outcome) for place, outcome in places.closed() if outcome.event in told]
        yield Delivered([outcome for _, outcome in closed], len(taken))
        waiting = [place for place in open_ones if places.keys[place][0] in told]
        self._commit(places, closed, waiting, taken[-1].position if taken else self._position)
        if failure:
            raise failure

    def _commit(
        self, places: _Places, closed: Sequence[tuple[int, Outcome]], waiting: Sequence[int], position: Position
    ) -> None:
        """Everything that is certain, at once; what waits is kept with its event."""
        held = [_held(places.origins[place], places.keys[place]) for place in waiting]
        failed = [place for place, outcome in closed if outcome.fate == "failed"]
        good = [place for place, outcome in closed if outcome.fate != "failed"]
        written = [place for place, outcome in closed if outcome.fate not in ("failed", "skipped")]
        unsettled = {places.keys[place][0] for place in (*waiting, *failed)}
        messages = (_message(places.origins[place]) for place in written if places.keys[place][0] not in unsettled)
        calls = sum(self._org.calls().values())
        self._ledger.commit(
            Commit(
                position,
                results=self._options.results(),
                held=[one for one, place in zip(held, waiting, strict=True) if not places.origins[place].only],
                released=[places.keys[place] for place, _ in closed if places.origins[place].only],
                failed=[_letter(places, place) for place in failed],
                mended=[_digest(places, place) for place in good] if self._has_letters else (),
                messages=[message for message in messages if message] if self._options.remember else (),
                newest=list(self._newest.items()),
                calls=calls - self._calls,
            )
        )
        self._calls = calls
        self._newest.clear()
        self._position = position
        self._has_letters = self._has_letters or bool(failed)
        self._held += map(_received, held)

    def _map(self, events: Sequence[Received], places: _Places) -> Iterator[tuple[int, Record]]:
        """The records of the events; what gives none, or is decided already, gets its outcome here."""
        delivered = self._delivered_before(events)
        for received in events:
            if received.event is None:
                place = places.open(received, "", 0)
                places.close(place, _outcome(received, Ending("failed", reason=received.problem)))
                continue
            if received.only is None and _message(received) in delivered:
                place = places.open(received, "", 0)
                places.close(place, _outcome(received, Ending("skipped", reason=_REPEATED)))
                continue
            for mapped in _meant(received, self._mapper.map(received.event)):
                mapping, item = ("", 0) if isinstance(mapped, Skipped) else (mapped.mapping, mapped.item)
                place = places.open(received, *(received.only or (mapping, item)))
                decided = self._decided.pop(places.keys[place], None)
                if decided:
                    places.close(place, _read_outcome(decided))
                elif isinstance(mapped, Record):
                    yield place, mapped
                else:
                    fate = Ending("skipped" if isinstance(mapped, Skipped) else "failed", reason=mapped.reason)
                    places.close(place, _outcome(received, fate, mapping))

    def _delivered_before(self, events: Sequence[Received]) -> set[bytes]:
        if not self._options.skip_delivered:
            return set()
        return self._ledger.delivered([message for received in events if (message := _message(received))])

    def _fit(self, records: Sequence[tuple[int, Record]], places: _Places) -> Iterator[Item]:
        """The records as the org can take them; one it cannot take fails here."""
        names = self._waiter.ask(self._org.object_names)
        known = [name for name in self._mapper.objects if name in names]
        described = self._waiter.ask(lambda: self._org.describe(known)) if known else {}
        for place, record in records:
            received = places.origins[place]
            try:
                if record.object not in described:
                    raise _unknown(record.object, names)
                fitted = fit(record, described)
            except DoesNotFit as error:
                ending = Ending("failed", reason=str(error))
                places.close(place, _outcome(received, ending, record.mapping, record.object, record.notes))
                continue
            keys = tuple(lookup_key(record.object, lookup) for lookup in fitted.match)
            if keys and record.timestamp_guard and self._is_overtaken(received, keys[0]):
                places.close(place, _outcome(received, Ending("skipped", reason=_OVERTAKEN), record.mapping))
                continue
            native = self._native_key(record, fitted, described[record.object])
            item = Item(place, received.number, record, fitted, keys, native[0], native[1])
            item = replace(item, lost=self._losses.get(item.key, 0))
            if not keys and self._doubts.was_sent(item.key):
                ending = Ending("failed", reason=_KILLED)
                places.close(place, _outcome(received, ending, record.mapping, record.object, fitted.notes))
            else:
                yield item

    def _is_overtaken(self, received: Received, identity: Key) -> bool:
        """Whether a newer event has been written for the identity; if not, this one is now the newest."""
        moment = _moment(received)
        if not moment:
            return False
        known = hashlib.sha256(repr(identity).encode("utf-8", "replace")).digest()[:16]
        newest = self._newest.get(known) or self._ledger.newest([known]).get(known, "")
        if moment < newest:
            return True
        self._newest[known] = moment
        return False

    def _native_key(self, record: Record, fitted: Fitted, described: ObjectDescription) -> tuple[str, bool]:
        """The field by which the org's own upsert does what the record wants, and whether it is unique.

        Empty where what is written depends on whether the record is there, or on what it holds; and where other
        mappings find the object's records by other fields, since delivery must then know who is who.
        """
        if record.operation != "upsert" or record.where or record.skip_unchanged or len(fitted.match) != 1:
            return "", False
        names = tuple(fitted.match[0])
        if (
            fitted.if_empty
            or fitted.on_create != fitted.on_update
            or self._lookups.fields[record.object] != [names]
        ):
            return "", False
        field = described.fields[names[0]]
        if len(names) != 1 or not (field.external_id or field.id_lookup) or names[0] not in fitted.on_create:
            return "", False
        return field.name, field.unique

    def _write(self, items: Sequence[Item], places: _Places) -> None:
        def finish(endings: Endings, settled: Sequence[int]) -> None:
            certain: list[tuple[RecordKey, bytes]] = []
            for item, ending in endings:
                record, received = item.record, places.origins[item.place]
                outcome = _outcome(received, ending, record.mapping, record.object, item.fitted.notes)
                places.close(item.place, outcome)
                certain.append((item.key, orjson.dumps(asdict(outcome))))
            if settled:
                self._ledger.settle(settled, certain)

        window = Window(self._org, self._lookups, self._doubts, self._waiter, self._options.connections, finish)
        self._losses = {item.key: item.lost for item in window.deliver(items) if item.lost}


def _meant(received: Received, mapped: Sequence[Mapped]) -> Sequence[Mapped]:
    """The records of the event that are to be delivered: of one that was held or failed before, that one alone."""
    if received.only is None:
        return mapped
    mapping, item = received.only
    found = [one for one in mapped if not isinstance(one, Skipped) and (one.mapping, one.item) == (mapping, item)]
    if found or (len(mapped) == 1 and isinstance(mapped[0], Skipped)) or not mapping:
        return found or mapped
    return (Skipped(f"{mapping} makes no such record of it any more"),)


def _outcome(
    received: Received, ending: Ending, mapping: str = "", object_name: str = "", notes: Iterable[Note] = ()
) -> Outcome:
    message_id = received.event.get("messageId") if received.event else None
    return Outcome(
        event=received.number,
        file=received.file,
        line=received.line,
        message_id=message_id if isinstance(message_id, str) else None,
        fate=ending.fate,
        mapping=mapping,
        object_name=object_name,
        id=ending.id,
        reason=ending.reason,
        notes=(*map(str, notes), *ending.notes),
    )


def _read_outcome(stored: bytes) -> Outcome:
    said = orjson.loads(stored)
    return Outcome(**{**said, "notes": tuple(said["notes"])})


def _held(received: Received, key: RecordKey) -> Held:
    return Held(key, received.file, received.line, received.raw)


def _received(held: Held) -> Received:
    """The event of a record that was held, which alone is meant."""
    number, mapping, item = held.key
    return Received(number, held.file, held.line, held.raw, orjson.loads(held.raw), only=(mapping, item))


def _letter(places: _Places, place: int) -> Letter:
    received, outcome = places.origins[place], places.outcomes[place]
    assert outcome
    return Letter(
        places.keys[place], received.file, received.line, outcome.object_name, outcome.reason, received.raw
    )


def _digest(places: _Places, place: int) -> bytes:
    _, mapping, item = places.keys[place]
    return digest(places.origins[place].raw, mapping, item)


def _message(received: Received) -> bytes:
    """The event's message id, digested; empty where it has none."""
    message_id = received.event.get("messageId") if received.event else None
    return (
        hashlib.sha256(message_id.encode("utf-8", "replace")).digest()[:16] if isinstance(message_id, str) else b""
    )


def _moment(received: Received) -> str:
    """When the event happened, as texts compare; empty where it does not say."""
    timestamp = received.event.get("timestamp") if received.event else None
    try:
        return str(convert(timestamp, "datetime")) if isinstance(timestamp, str) else ""
    except Unfit:
        return ""


def _unknown(name: str, names: Iterable[str]) -> DoesNotFit:
    hint = did_you_mean(name, names) or "create it in Setup, or give the user access to it"
    return DoesNotFit(f"the org has no object {name}, or this user may not see it; {hint}")
