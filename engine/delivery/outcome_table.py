"""The outcomes of one window's records in order, and their form in the journal."""

from collections.abc import Iterable, Iterator

import orjson

from sfmap.engine.delivery.outcome import Ending, Outcome
from sfmap.engine.journal.ledger import Held, Letter, RecordKey, digest
from sfmap.engine.mapping.values.record import Note
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.reading import read_event


class Places:
    """The records of one window and their outcomes in order; an outcome may still be undecided."""

    def __init__(self) -> None:
        self.origins: list[Received] = []
        self.keys: list[RecordKey] = []
        self.outcomes: list[Outcome | None] = []

    def open(self, received: Received, mapping: str, item: int) -> int:
        """Adds a place for an outcome of this event, in the order of the calls."""
        self.origins.append(received)
        self.keys.append(RecordKey(received.number, received.digest, mapping, item))
        self.outcomes.append(None)
        return len(self.outcomes) - 1

    def close(self, place: int, outcome: Outcome) -> None:
        self.outcomes[place] = outcome

    def end(
        self, place: int, ending: Ending, mapping: str = "", object_name: str = "", notes: Iterable[Note] = ()
    ) -> Outcome:
        """Sets the outcome of a place."""
        received = self.origins[place]
        outcome = Outcome(
            event=received.number,
            file=received.file,
            line=received.line,
            message_id=message_id(received),
            fate=ending.fate,
            mapping=mapping,
            item=self.keys[place].item,
            object_name=object_name,
            id=ending.id,
            reason=ending.reason,
            notes=(*map(str, notes), *ending.notes),
        )
        self.close(place, outcome)
        return outcome

    def closed(self) -> Iterator[tuple[int, Outcome]]:
        return ((place, outcome) for place, outcome in enumerate(self.outcomes) if outcome)

    def open_ones(self) -> list[int]:
        return [place for place, outcome in enumerate(self.outcomes) if outcome is None]


def read_outcome(stored: bytes) -> Outcome:
    said = orjson.loads(stored)
    return Outcome(**{**said, "notes": tuple(said["notes"])})


def held_record(received: Received, key: RecordKey) -> Held:
    return Held(key, received.file, received.line, received.raw)


def held_event(held: Held) -> Received:
    """The event of a held record, limited to that record."""
    event, problem = read_event(held.raw)
    only = held.key.mapping, held.key.item
    return Received(held.key.event, held.file, held.line, held.raw, event, problem, only=only)


def letter_of(places: Places, place: int) -> Letter:
    received, outcome = places.origins[place], places.outcomes[place]
    assert outcome
    return Letter(
        places.keys[place], received.file, received.line, outcome.object_name, outcome.reason, received.raw
    )


def digest_of(places: Places, place: int) -> bytes:
    key = places.keys[place]
    return digest(places.origins[place].raw, key.mapping, key.item)


def message_id(received: Received) -> str | None:
    found = received.event.get("messageId") if received.event else None
    return found if isinstance(found, str) else None


def message_of_source(received: Received) -> str | None:
    """The message id qualified by the event's source, since other sources may use the same one."""
    found = message_id(received)
    return found and f"{received.file}\n{found}"


def message_of_record(message: str, key: RecordKey) -> str:
    """The message id qualified by one record of the event, since others of it may not be delivered yet."""
    return f"{message}\n{key.mapping}\n{key.item}"
