"""Events in, outcomes out: maps each event, fits its records to the org, and delivers them window by window."""

from collections.abc import Callable, Iterable, Iterator

from sfmap.engine.delivery.coalesce import Item, Lookups, lookup_key
from sfmap.engine.delivery.fit import DoesNotFit, Fitted, fit
from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.window import Ending, Window
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Note, Record, Skipped
from sfmap.engine.org.port import Org, OrgError
from sfmap.engine.sources.port import EventSource, Received, SourceFailed
from sfmap.engine.spec.diagnostics import did_you_mean

WINDOW_SIZE = 2_000
"""How many events go together: as many identities as one query's answer can hold."""


class StopRequested(Exception):
    """The person wants the run to end; what is under way is finished, nothing new is begun."""


class _Outcomes:
    """The outcomes of one window, each in its place, whether or not it has been decided yet."""

    def __init__(self) -> None:
        self._outcomes: list[Outcome | None] = []
        self._origins: list[Received] = []

    def open(self, received: Received) -> int:
        """A place for an outcome of this event, in the order of the calls."""
        self._outcomes.append(None)
        self._origins.append(received)
        return len(self._outcomes) - 1

    def close(
        self, place: int, ending: Ending, mapping: str = "", object_name: str = "", notes: Iterable[Note] = ()
    ) -> None:
        received = self._origins[place]
        message_id = received.event.get("messageId") if received.event else None
        said = (*map(str, notes), *([ending.note] if ending.note else []))
        self._outcomes[place] = Outcome(
            event=received.number,
            file=received.file,
            line=received.line,
            message_id=message_id if isinstance(message_id, str) else None,
            fate=ending.fate,
            mapping=mapping,
            object_name=object_name,
            id=ending.id,
            reason=ending.reason,
            notes=said,
        )

    def closed(self) -> Iterator[Outcome]:
        return (outcome for outcome in self._outcomes if outcome)


class Delivery:
    """Delivers the events of a source to an org."""

    def __init__(
        self,
        org: Org,
        mapper: Mapper,
        should_stop: Callable[[], bool] = lambda: False,
        window_size: int = WINDOW_SIZE,
    ) -> None:
        self._org = org
        self._mapper = mapper
        self._should_stop = should_stop
        self._window_size = window_size
        self._lookups = Lookups(mapper.lookups, mapper.conditions)

    def deliver(self, source: EventSource) -> Iterator[Outcome]:
        """The outcomes, in the order of the events; all those of a window come together.

        Raises `OrgError`, `StopRequested` or `SourceFailed`, each after the outcomes that are decided.
        """
        window: list[Received] = []
        failure: SourceFailed | None = None
        try:
            for received in source:
                self._check_stop()
                window.append(received)
                if len(window) == self._window_size:
                    yield from self._deliver_window(window)
                    window = []
        except SourceFailed as error:
            failure = error
        if window:
            yield from self._deliver_window(window)
        if failure:
            raise failure

    def _deliver_window(self, window: list[Received]) -> Iterator[Outcome]:
        outcomes = _Outcomes()
        failure: OrgError | StopRequested | None = None
        try:
            records = list(self._map(window, outcomes))
            if records:
                items = list(self._fit(records, outcomes))
                self._write(items, outcomes)
        except (OrgError, StopRequested) as error:
            failure = error
        yield from outcomes.closed()
        if failure:
            raise failure

    def _map(self, window: list[Received], outcomes: _Outcomes) -> Iterator[tuple[int, Record]]:
        """The records of the window; every other event gets its outcome here."""
        for received in window:
            if received.event is None:
                outcomes.close(outcomes.open(received), Ending("failed", reason=received.problem))
                continue
            for mapped in self._mapper.map(received.event):
                place = outcomes.open(received)
                if isinstance(mapped, Record):
                    yield place, mapped
                elif isinstance(mapped, Skipped):
                    outcomes.close(place, Ending("skipped", reason=mapped.reason))
                else:
                    outcomes.close(place, Ending("failed", reason=mapped.reason), mapped.mapping)

    def _fit(self, records: list[tuple[int, Record]], outcomes: _Outcomes) -> Iterator[Item]:
        """The records as the org can take them; one it cannot take fails here."""
        self._check_stop()
        names = self._org.object_names()
        known = [name for name in self._mapper.objects if name in names]
        descriptions = self._org.describe(known) if known else {}
        for place, record in records:
            try:
                if record.object not in descriptions:
                    raise self._unknown(record.object)
                fitted = fit(record, descriptions)
            except DoesNotFit as error:
                ending = Ending("failed", reason=str(error))
                outcomes.close(place, ending, record.mapping, record.object, record.notes)
                continue
            keys = tuple(lookup_key(record.object, lookup) for lookup in fitted.match)
            yield Item(place, record, fitted, keys, self._is_native(record, fitted))

    def _unknown(self, name: str) -> DoesNotFit:
        hint = did_you_mean(name, self._org.object_names()) or "create it in Setup, or give the user access to it"
        return DoesNotFit(f"the org has no object {name}, or this user may not see it; {hint}")

    def _is_native(self, record: Record, fitted: Fitted) -> bool:
        """Whether the org's upsert does what the record wants: nothing depends on whether the record is there.

        Where other mappings find the object's records by other fields, delivery must know who is who.
        """
        if not record.external_id or fitted.if_empty or fitted.on_create != fitted.on_update:
            return False
        return self._lookups.fields[record.object] == [(record.external_id,)]

    def _write(self, items: list[Item], outcomes: _Outcomes) -> None:
        def finish(item: Item, ending: Ending) -> None:
            outcomes.close(item.place, ending, item.record.mapping, item.record.object, item.fitted.notes)

        if items:
            Window(self._org, self._lookups, finish, self._check_stop).deliver(items)

    def _check_stop(self) -> None:
        if self._should_stop():
            raise StopRequested
