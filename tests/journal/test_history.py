"""The history: what it answers, what replaces what, and how it stays within its bounds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sfmap.engine.journal.database import Database, JournalFailed, JournalUnreadable
from sfmap.engine.journal.history import History, Wanted
from sfmap.engine.journal.history_entries import PastEvent, PastOutcome
from sfmap.engine.journal.history_file import history_database, read_history, set_aside
from sfmap.engine.journal.history_writing import HistoryBounds, HistoryWriting
from sfmap.engine.journal.shared.postgres_journal import PostgresJournal
from sfmap.engine.journal.shared.shared_history import prepare_history, set_history_aside
from sfmap.engine.sources.queries.database_url import DatabaseUrl

from ..postgres import Postgres

Connect = Callable[[], Database]

NOW = 1_790_000_000.0
ORG = "sandbox"


def event(number: int, came: float = NOW, **parts: object) -> PastEvent:
    given = {"type": "identify", "title": f"{number}@b.co", "message_id": f"m-{number}", "raw": b"{}", **parts}
    return PastEvent(number=number, source="website", came=came, **given)  # type: ignore[arg-type]


def outcome(number: int, fate: str = "created", mapping: str = "lead", **parts: object) -> PastOutcome:
    given: dict[str, object] = {"item_number": 0, "object_name": "", "record": "", "reason": "", "answer": ""}
    given |= {"notes": "", "revision": "", "decided": NOW, **parts}
    return PastOutcome(event=number, mapping=mapping, fate=fate, **given)  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgres"])
def connect(request: pytest.FixtureRequest, tmp_path: Path, postgres: Postgres) -> Connect:
    """Opens a connection to the same history each time."""
    if request.param == "sqlite":
        return lambda: history_database(tmp_path)
    url = DatabaseUrl(postgres.new_database())

    def shared() -> PostgresJournal:
        journal = PostgresJournal(url, "a node")
        prepare_history(journal)
        return journal

    return shared


@pytest.fixture
def writing(connect: Connect) -> Iterator[HistoryWriting]:
    found = HistoryWriting(connect(), ORG, HistoryBounds())
    yield found
    found.close()


@pytest.fixture
def history(connect: Connect) -> Iterator[History]:
    found = History(connect())
    yield found
    found.close()


def fates(history: History, **wanted: object) -> list[tuple[int, str, str]]:
    listed = history.outcomes(ORG, Wanted(**wanted), 100)  # type: ignore[arg-type]
    assert history.count(ORG, Wanted(**wanted)) == len(listed)  # type: ignore[arg-type]
    return [(one.event.number, one.outcome.mapping, one.outcome.fate) for one in listed]


def counted(history: History) -> dict[tuple[str, str], int]:
    return {(one.mapping, one.fate): one.outcomes for one in history.minutes(ORG, 0)}


def test_events_are_read_newest_first_from_any_number_on(writing: HistoryWriting, history: History) -> None:
    writing.write([event(1), event(2), event(3, raw=b'{"x":1}')], [], NOW)
    assert [one.number for one in history.events()] == [3, 2, 1]
    assert [one.number for one in history.events(after=1, limit=1)] == [3]
    found = history.event(3)
    assert found
    assert found.raw == b'{"x":1}'
    assert history.event(4) is None
    assert [one.number for one in history.undecided(ORG, 10)] == [3, 2, 1]


FILTERS: list[tuple[dict[str, object], list[int]]] = [
    ({}, [4, 3, 2, 1]),
    ({"fate": "failed"}, [2]),
    ({"mapping": "account"}, [3]),
    ({"mapping": ""}, [4]),
    ({"text": "2@B.CO"}, [2]),
    ({"text": "M-3"}, [3]),
    ({"text": "00Q000000000001"}, [1]),
    ({"text": "%"}, []),
    ({"since": NOW + 60}, [4]),
    ({"until": NOW + 60}, [3, 2, 1]),
    ({"fate": "created", "text": "nobody"}, []),
]


@pytest.mark.parametrize(("wanted", "numbers"), FILTERS)
def test_outcomes_are_filtered(
    writing: HistoryWriting, history: History, wanted: dict[str, object], numbers: list[int]
) -> None:
    outcomes = [
        outcome(1, record="00Q000000000001EAA"),
        outcome(2, "failed", reason="STRING_TOO_LONG: too long"),
        outcome(3, "updated", "account"),
        outcome(4, "skipped", "", decided=NOW + 60),
    ]
    writing.write([event(number) for number in (1, 2, 3, 4)], outcomes, NOW)
    assert [number for number, _, _ in fates(history, **wanted)] == numbers
    assert history.outcomes("another org", Wanted(), 10) == []


def test_a_retried_record_has_its_latest_outcome_only(writing: HistoryWriting, history: History) -> None:
    writing.write([event(1)], [outcome(1, "failed"), outcome(1, "created", "account")], NOW)
    writing.write([], [outcome(1, "updated", decided=NOW + 120)], NOW)
    assert fates(history) == [(1, "lead", "updated"), (1, "account", "created")]
    assert counted(history) == {("lead", "updated"): 1, ("account", "created"): 1}


@pytest.mark.parametrize(("before", "after"), [("lead", ""), ("", "lead")])
def test_an_outcome_of_the_whole_event_takes_the_place_of_a_failure(
    writing: HistoryWriting, history: History, before: str, after: str
) -> None:
    writing.write([event(1)], [outcome(1, "failed", before)], NOW)
    writing.write([], [outcome(1, "skipped", after)], NOW)
    assert fates(history) == [(1, after, "skipped")]
    assert counted(history) == {(after, "skipped"): 1}


def test_what_is_told_again_after_a_kill_counts_once(writing: HistoryWriting, history: History) -> None:
    for _ in range(2):
        writing.write([event(1), event(2)], [outcome(1), outcome(2, "skipped", "")], NOW)
    assert fates(history) == [(2, "", "skipped"), (1, "lead", "created")]
    assert counted(history) == {("lead", "created"): 1, ("", "skipped"): 1}


def test_a_number_that_a_lost_spool_gives_again_is_another_event(
    writing: HistoryWriting, history: History
) -> None:
    writing.write([event(1)], [outcome(1, "failed")], NOW)
    writing.write([event(1, NOW + 5, title="new")], [outcome(1, "created", "account")], NOW)
    assert fates(history) == [(1, "account", "created")]
    found = history.event(1)
    assert found
    assert found.title == "new"


def test_the_oldest_go_when_it_is_too_large(connect: Connect, history: History) -> None:
    writing = HistoryWriting(connect(), ORG, HistoryBounds(size=50_000))
    for start in range(0, 2_000, 20):
        numbers = range(start + 1, start + 21)
        writing.write([event(number) for number in numbers], [outcome(number) for number in numbers], NOW)
    kept = [one.number for one in history.events(limit=2_000)]
    assert kept[0] == 2_000
    assert 20 <= len(kept) <= 125
    assert len(history.outcomes(ORG, Wanted(), 2_000)) == len(kept)
    writing.close()


def test_the_oldest_go_when_they_are_too_old(writing: HistoryWriting, history: History) -> None:
    later = NOW + 8 * 86_400
    writing.write([event(number) for number in range(1, 1_201)], [outcome(1)], NOW)
    writing.write([event(2_000, later)], [outcome(2_000, decided=later)], later)
    assert [one.number for one in history.events()] == [2_000]
    assert fates(history) == [(2_000, "lead", "created")]
    assert counted(history) == {("lead", "created"): 1}


def test_a_discarded_failure_is_counted_as_that(writing: HistoryWriting, history: History) -> None:
    writing.write([event(1), event(2)], [outcome(1, "failed"), outcome(2, "created")], NOW)
    writing.discard(1, "lead", 0)
    writing.discard(2, "lead", 0)
    assert sorted(fates(history)) == [(1, "lead", "discarded"), (2, "lead", "created")]
    assert counted(history) == {("lead", "discarded"): 1, ("lead", "created"): 1}


def test_a_shared_history_of_another_version_is_set_aside(postgres: Postgres) -> None:
    journal = PostgresJournal(DatabaseUrl(postgres.new_database()), "a node")
    prepare_history(journal)
    with journal.transaction() as connection:
        connection.execute("UPDATE history_layout SET version = 99")
    with pytest.raises(JournalUnreadable, match="another version"):
        prepare_history(journal)
    assert set_history_aside(journal) == "public_history_1"
    prepare_history(journal)
    journal.close()


def test_an_unreadable_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"this is no database, and long enough to be looked at" * 40)
    with pytest.raises(JournalFailed):
        history_database(tmp_path)
    assert read_history(tmp_path) is None
    assert set_aside(tmp_path).name == "history.db.unreadable-1"
    history_database(tmp_path).close()
    assert set_aside(tmp_path).name == "history.db.unreadable-2"
    assert read_history(tmp_path) is None


def test_what_another_node_has_written_counts(connect: Connect, history: History) -> None:
    first, second = (HistoryWriting(connect(), ORG, HistoryBounds(size=50_000)) for _ in range(2))
    first.write([], [], NOW)
    for start in range(0, 200, 20):
        second.write([event(number) for number in range(start + 1, start + 21)], [], NOW)
    first.write([event(1_000)], [], NOW + 600)
    assert len(history.events(limit=2_000)) <= 125
    first.close()
    second.close()
