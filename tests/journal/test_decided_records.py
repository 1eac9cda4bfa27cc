"""What was decided for a record is kept until the journal has its outcome: otherwise it would be written again."""

from collections.abc import Callable

import pytest

from sfmap.engine.journal.entries import Commit, Held, RecordKey, Settled
from sfmap.engine.journal.folder_state import journal_file
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.sources.event_source import START, Position


def at(number: int) -> Position:
    return START._replace(number=number)


def key(event: int) -> RecordKey:
    return RecordKey(event, "digest", "lead", 0)


def held(event: int) -> Held:
    return Held(key=key(event), file="events.ndjson", line=event, raw=b"{}")


@pytest.fixture
def ledger() -> Ledger:
    """After two events, of which the first is held; then records of it and of the third are decided."""
    ledger = Ledger(journal_file(None), "org", "events")
    ledger.begin()
    ledger.commit(Commit(position=at(2), held=[held(1)]))
    ledger.settle(Settled(outcomes=[(key(1), b"created"), (key(3), b"created")]))
    return ledger


def commit_no_window(ledger: Ledger) -> None:
    """As the results of bulk jobs, and the ends of Kafka's transactions, are committed."""
    ledger.commit(Commit(position=at(2)))


def commit_the_next_event(ledger: Ledger) -> None:
    ledger.commit(Commit(position=at(3)))


def begin_with_other_events(ledger: Ledger) -> None:
    ledger.begin_with_other_events(at(3))


def commit_the_held_record(ledger: Ledger) -> None:
    ledger.commit(Commit(position=at(2), no_longer_held=[key(1)]))


@pytest.mark.parametrize(
    ("change", "left"),
    [
        (commit_no_window, [key(1), key(3)]),
        (commit_the_next_event, [key(1)]),
        (begin_with_other_events, [key(1)]),
        (commit_the_held_record, [key(3)]),
    ],
)
def test_what_was_decided_is_kept_until_it_is_committed(
    ledger: Ledger, change: Callable[[Ledger], None], left: list[RecordKey]
) -> None:
    change(ledger)
    assert sorted(ledger.decided()) == left
