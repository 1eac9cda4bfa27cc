"""Isolates what delivery crashes on, so that a bug that one event triggers does not end the service."""

from collections.abc import Iterable, Iterator, Sequence

from sfmap.engine.delivery.windows import WINDOW_SIZE
from sfmap.engine.journal.dead_letter_store import DeadLetter
from sfmap.engine.journal.entries import Commit, Letter, Settled
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.spool import Spooled
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.reading import read_event


class Suspects:
    """The events of windows that delivery crashed on.

    Of several open windows, each is then delivered alone, and of one window each event, until the cause is found.
    """

    def __init__(self) -> None:
        self._apart_until = 0
        """The last event of windows to deliver one after the other."""
        self._alone_until = 0
        """The last event to deliver alone."""
        self._causes: dict[int, str] = {}
        """The events that delivery crashed on when delivered alone, and the error of each."""

    def suspect(self, numbers: Sequence[int], error: str) -> bool:
        """Notes a crash on these events; returns False if the cause was already found in them."""
        if numbers[0] in self._causes:
            return False
        self._apart_until = max(self._apart_until, numbers[-1])
        if len(numbers) > WINDOW_SIZE:
            return True
        if len(numbers) == 1:
            self._causes[numbers[0]] = error
        self._alone_until = numbers[-1]
        return True

    def are_after(self, number: int) -> bool:
        """Whether the next window is delivered by itself."""
        return number < max(self._apart_until, self._alone_until)

    def most_together(self, after: int) -> int:
        """The most events of the window after that number."""
        return 1 if after < self._alone_until else WINDOW_SIZE

    def received(self, spooled: Spooled) -> Received:
        """The event to deliver; one that delivery crashed on cannot be read, and so becomes a dead letter."""
        event, problem = read_event(spooled.event)
        if error := self._causes.get(spooled.number):
            event, problem = None, error
        return Received(
            number=spooled.number,
            file=spooled.source,
            line=spooled.number,
            raw=spooled.event,
            event=event,
            problem=problem,
        )


def make_dead_letters_of_held(ledger: Ledger, error: str) -> set[int] | None:
    """Makes dead letters of the records that wait for a write in doubt.

    Returns the numbers of their events; None if no record waits.
    """
    known, held = ledger.checkpoint(), ledger.held()
    if not known or not held:
        return None
    failed = [
        Letter(key=one.key, file=one.file, line=one.line, object_name="", reason=error, raw=one.raw)
        for one in held
    ]
    keys = [one.key for one in held]
    ledger.commit(
        Commit(
            position=known.position,
            results=known.results,
            tally=known.tally,
            no_longer_held=keys,
            failed=failed,
        )
    )
    ledger.settle(Settled(ended=keys))  # no answer to these writes is awaited
    return {one.key.event for one in held}


def retriable(letters: Iterable[DeadLetter], mapper: Mapper) -> Iterator[int]:
    """The letters to deliver again once their writes are no longer in doubt.

    A create that no lookup can find may have succeeded: only a person can tell.
    """
    found_again = {
        one.mapping.name
        for one in mapper.mappings
        if not all(lookup.finds_by_another_value for lookup in one.mapping.lookups)
    }
    return (letter.id for letter in letters if letter.mapping in found_again)
