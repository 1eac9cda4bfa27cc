"""The message ids of delivered events are kept for some days, for each org."""

from sfmap.engine.journal.entries import Commit
from sfmap.engine.journal.folder_state import journal_file
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.sources.event_source import START

DAY = 86_400.0
ASKED = [f"m{number}" for number in range(1_200)]


def test_message_ids_are_kept_for_the_given_days() -> None:
    now = 20_000 * DAY
    database = journal_file(None)
    ledger, other = (Ledger(database, org, "events", clock=lambda: now) for org in ("acme", "beta"))
    for message in ("m1", "m700", "m1199"):
        ledger.commit(Commit(position=START, messages=[message, message]))
        now += DAY
    ledger.commit(Commit(position=START, messages=["m1"]))
    assert ledger.delivered(ASKED) == {"m1", "m700", "m1199"}
    assert other.delivered(ASKED) == ledger.delivered([]) == set()
    ledger.forget_old(3)
    assert ledger.delivered(ASKED) == {"m1", "m700", "m1199"}
    ledger.forget_old(2)
    assert ledger.delivered(ASKED) == {"m1", "m1199"}
    now += 2 * DAY
    other.forget_old(2)
    assert ledger.delivered(ASKED) == set()


def test_a_delivery_that_never_ends_forgets_old_message_ids_each_day() -> None:
    now = 20_000 * DAY
    ledger = Ledger(journal_file(None), "acme", "events", clock=lambda: now)
    ledger.forget_old(3)
    for message in ASKED[:6]:
        ledger.commit(Commit(position=START, messages=[message]))
        now += DAY
    assert ledger.delivered(ASKED) == {"m3", "m4", "m5"}
