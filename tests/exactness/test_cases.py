"""Trials that once failed, each as small as possible: the events, and what the org must hold at the end."""

import json
import signal
from collections.abc import Mapping, Sequence

import pytest

from ..examples import mostly_soak
from .harness import DONE, Stage, said
from .model import By, Event, Pointer, Rule, Table
from .oracle import shown
from .trial import LATE, Leg, Plug, Trial, story, write

KILL, STOP = signal.SIGKILL, signal.SIGINT

EMAIL, LAST, COMPANY, PHONE = (
    Rule("Email", "email"), Rule("LastName", "last", default="n/a"), Rule("Company", "company", default="n/a"),
    Rule("Phone", "phone"),
)  # fmt: skip
LEAD = Table("lead", "identify", "Lead", (EMAIL, LAST, COMPANY, PHONE), (("Email",), ("LastName", "Company")))
BY_EMAIL = Table("lead", "identify", "Lead", (EMAIL, LAST, COMPANY, PHONE), (("Email",),))
CREATED = Table("created", "identify", "Lead", (EMAIL, LAST, COMPANY, PHONE), operation="create")
LOG = Table("log", "identify", "Log__c", (Rule("Text__c", "text"),), operation="create")
DELETED = Table("deleted", "track", "Lead", (Rule("Email", "email"),), (("Email",),), "delete")
NAMED = Table(
    "named", "group", "Lead", (Rule("LastName", "last"), Rule("Company", "company"), PHONE),
    (("LastName", "Company"),), "update",
)  # fmt: skip


PHONE_OF_SEAT = Rule("Phone__c", "phone")


def identify(**traits: object) -> Event:
    return {"type": "identify", "traits": traits}


def group(**traits: object) -> Event:
    return {"type": "group", "traits": traits}


def track(**properties: object) -> Event:
    return {"type": "track", "event": "Something", "properties": properties}


def fault(kind: str, calls: str, at: int = 1, **more: object) -> dict[str, object]:
    return {"kind": kind, "calls": calls, "at": at, **more}


Holds = Mapping[str, Sequence[Mapping[str, object]]]


def holds(stage: Stage) -> dict[str, list[dict[str, object]]]:
    """What each object of the org holds, oldest first."""
    found = {
        name: [json.loads(shown(one)) for one in records if not one.deleted]
        for name, records in stage.records().items()
    }
    return {name: records for name, records in found.items() if records}


def check(stage: Stage, trial: Trial, expected: Holds) -> None:
    wrong = stage.play(trial)
    assert not wrong, "\n".join(wrong) + "\n\n" + story(trial)
    assert holds(stage) == expected


def lead(email: str, last: str = "n/a", company: str = "n/a", **more: str) -> dict[str, str]:
    return {"Email": email, "LastName": last, "Company": company, **more}


# Endings that need no write


SHARED_NAME = (
    identify(email="p5@x.co", last="L1", company="C1"),
    identify(email="q5@x.co", last="L1", company="C1"),
    track(email="p0@x.co"),
    group(last="L1", company="C1", phone="old"),
    identify(email="p0@x.co", last="L0", company="C0"),
    identify(email="p1@x.co", last="L1", company="C1", phone="new"),
)


@pytest.mark.parametrize("most", mostly_soak(range(4, 16), quick=4))
def test_skipped_events_are_not_looked_up_again(the_stage: Stage, most: int) -> None:
    check(
        the_stage,
        Trial((LEAD, DELETED, NAMED), SHARED_NAME, (Leg(max_calls=most),)),
        {"Lead": [lead("p1@x.co", "L1", "C1", Phone="new"), lead("p0@x.co", "L0", "C0")]},
    )


SKIPPED_THEN_CREATED = (track(email="p1@x.co"), identify(email="p1@x.co")) * 2


@pytest.mark.parametrize("leg", [
    Leg(max_calls=6), Leg(plug=("after call", 6, KILL)), Leg(plug=("after call", 6, STOP)),
    Leg(faults=(fault("day_limit", "query", 3),)),
], ids=["max-calls", "kill", "stop", "day limit"])  # fmt: skip
def test_a_delete_that_found_nothing_stays_skipped(the_stage: Stage, leg: Leg) -> None:
    check(the_stage, Trial((BY_EMAIL, DELETED), SKIPPED_THEN_CREATED, (leg,)), {"Lead": [lead("p1@x.co")]})


# Lost answers


LOST = ["reset_after", "truncated", "late_commit"]


def lost(kind: str, call: str) -> Leg:
    return Leg(faults=(fault(kind, call, seconds=LATE),))


@pytest.mark.parametrize("is_done", [True, False])
def test_a_create_that_may_be_lost_makes_no_older_event_skipped(the_stage: Stage, is_done: bool) -> None:
    """Nobody knows whether the newer event was written, and no lookup can find it: without the older one the
    identity might have no record at all.
    """
    renamed = Table("renamed", "identify", "Lead", (EMAIL, LAST, COMPANY), ((By("Email", "old"),),), guard=True)
    events = (
        {**identify(email="p1@x.co", old="p0@x.co"), "timestamp": "2026-01-06T00:00:00Z"},
        {**identify(email="p2@x.co", old="p0@x.co"), "timestamp": "2026-01-05T00:00:00Z"},
    )
    trial = Trial((renamed,), events, (lost("reset_after" if is_done else "reset", "create"),))
    found = [lead("p1@x.co"), lead("p2@x.co")]
    check(the_stage, trial, {"Lead": found if is_done else found[1:]})


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_delete_deletes_no_second_record(the_stage: Stage, kind: str) -> None:
    events = (identify(email="p1@x.co", phone="1"), identify(email="p1@x.co", phone="2"), track(email="p1@x.co"))
    check(
        the_stage,
        Trial((CREATED, DELETED), events, (lost(kind, "delete"),)),
        {"Lead": [lead("p1@x.co", Phone="1")]},
    )


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_update_that_changes_its_condition_creates_nothing(the_stage: Stage, kind: str) -> None:
    cold = Table("cold", "group", "Lead", (EMAIL, LAST, COMPANY, Rule("Rating", value="Cold")), operation="create")
    hot = Table(
        "hot", "identify", "Lead", (EMAIL, LAST, COMPANY, Rule("Rating", value="Hot")), (("Email",),),
        where=("Rating", "=", "Cold"),
    )  # fmt: skip
    check(
        the_stage,
        Trial((cold, hot), (group(email="p1@x.co"), identify(email="p1@x.co")), (lost(kind, "update"),)),
        {"Lead": [lead("p1@x.co", Rating="Hot")]},
    )


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_update_of_its_match_field_creates_nothing(the_stage: Stage, kind: str) -> None:
    """Found by its name, it has another one afterwards."""
    events = (
        identify(email="p1@x.co", last="L", company="C"),
        identify(email="p2@x.co", last="L", company="C", phone="2"),
    )
    check(
        the_stage,
        Trial((LEAD,), events, (lost(kind, "update"),), window=1),
        {"Lead": [lead("p2@x.co", "L", "C", Phone="2")]},
    )


# Other sources


CREATE = ("in call", 4, KILL)
"""The first call after those that sign in and describe."""


def test_a_create_is_sent_once_when_another_file_is_delivered_meanwhile(the_stage: Stage) -> None:
    events = tuple(identify(text=text) for text in "abc")
    trial = Trial(
        (LOG,), events, (Leg(plug=CREATE), Leg(file="b", pause=1.3)), (identify(text="other"),)
    )  # fmt: skip
    check(the_stage, trial, {"Log__c": [{"Text__c": text} for text in ["a", "b", "c", "other"]]})


def deliver(stage: Stage, trial: Trial, *events: Event, file: str = "a", plug: Plug | None = None) -> int | str:
    """The command once over these events, which take the place of what was in the file."""
    write(stage.folder / "project" / "a.ndjson", events)
    return stage.run(trial, Leg(file=file, plug=plug))


def deliver_all(stage: Stage, trial: Trial, *events: Event, file: str = "a") -> int | str:
    """The same until it ends by itself."""
    for _ in range(10):
        code = deliver(stage, trial, *events, file=file)
        if code in DONE:
            return code
    raise AssertionError(said(stage.folder / "project"))


def begin(stage: Stage, *tables: Table, call_limit: float = 1.2) -> Trial:
    stage.reset()
    trial = Trial(tables, (), call_limit=call_limit)
    stage.project(trial)
    return trial


def test_another_stream_is_delivered_from_its_start(the_stage: Stage) -> None:
    trial = begin(the_stage, LOG)
    assert deliver(the_stage, trial, *[identify(text=text) for text in "abc"], file="-", plug=CREATE) == -KILL
    assert deliver_all(the_stage, trial, *[identify(text=text) for text in "de"], file="-") == 0
    assert holds(the_stage) == {"Log__c": [{"Text__c": text} for text in "abcde"]}


def test_another_file_of_the_same_name_is_delivered_from_its_start(the_stage: Stage) -> None:
    trial = begin(the_stage, LOG)
    assert deliver(the_stage, trial, *[identify(text=text) for text in "abc"], plug=CREATE) == -KILL
    assert deliver_all(the_stage, trial, *[identify(text=text) for text in "de"]) == 0
    assert holds(the_stage) == {"Log__c": [{"Text__c": text} for text in "abcde"]}


def test_waiting_records_are_delivered_after_their_file_was_replaced(the_stage: Stage) -> None:
    trial = begin(the_stage, BY_EMAIL, call_limit=2)
    the_stage.faults(fault("reset", "upsert"))
    waiting = [identify(email=f"p{number}@x.co") for number in range(5)]
    assert deliver(the_stage, trial, *waiting, plug=("said records wait until", 1, STOP)) == 130
    assert not holds(the_stage)
    deliver_all(the_stage, trial, identify(email="other@x.co"))
    wanted = [*[lead(f"p{number}@x.co") for number in range(5)], lead("other@x.co")]
    assert sorted(map(str, holds(the_stage)["Lead"])) == sorted(str(dict(sorted(one.items()))) for one in wanted)


# Standard input


def rest_of(stage: Stage, tables: tuple[Table, ...], events: Sequence[Event], *legs: Leg) -> list[str]:
    """What is wrong after each early end is followed by the events that were not done, as sfmap says."""
    trial = Trial(tables, tuple(events), legs, stream="rest")
    return stage.play(trial)


LOGGED = Table("logged", "group", "Log__c", (Rule("Text__c", "text"),), operation="create")
FIRST_OPEN = (
    identify(email="p1@x.co", last="L", company="C"),
    *(group(text=text) for text in "abc"),
    identify(email="p2@x.co", last="L", company="C"),
)


@pytest.mark.parametrize("number", mostly_soak(range(4, 9), quick=2))
@pytest.mark.parametrize("how", ["max-calls", "stop"])
def test_the_rest_of_a_stream_repeats_nothing(the_stage: Stage, how: str, number: int) -> None:
    leg = Leg(max_calls=number) if how == "max-calls" else Leg(plug=("after call", number, STOP))
    assert rest_of(the_stage, (LEAD, LOGGED), FIRST_OPEN, leg) == []


def test_a_stream_counts_its_own_events(the_stage: Stage) -> None:
    """Two early ends: the second stream says how far it came by its own numbers."""
    events = [group(text=str(number)) for number in range(6)]
    legs = (Leg(plug=("after call", 4, STOP)), Leg(plug=("after call", 4, STOP)))
    trial = Trial((LOGGED,), tuple(events), legs, stream="rest", window=2)
    assert the_stage.play(trial) == []
    # Windows overlap, so records that have nothing to do with each other are created in any order.
    created = sorted(str(record["Text__c"]) for record in holds(the_stage)["Log__c"])
    assert created == [str(number) for number in range(6)]


# Dead letters


SEAT_OF = Table(
    "seat", "identify", "Seat__c",
    (
        Rule("Email__c", "email"), Rule("Phone__c", "phone"),
        Rule("Account__c", "number", pointer=Pointer("Account", "AccountNumber", "reject")),
    ),
    (("Email__c",),),
)  # fmt: skip
ACCOUNT = Table(
    "account", "group", "Account", (Rule("AccountNumber", "number"), Rule("Name", "name")), (("AccountNumber",),)
)
CLOSED = Table("closed", "track", "Account", (Rule("AccountNumber", "number"),), (("AccountNumber",),), "delete")
COPY, NEWER = (identify(email="p@x.co", phone=phone, number="1") for phone in ("1", "2"))
NOBODY = tuple(identify(phone=str(number)) for number in range(5))


@pytest.mark.parametrize("window", mostly_soak([0, 1, 5], quick=1))
@pytest.mark.parametrize("before", [(), NOBODY], ids=["none before", "letters before"])
@pytest.mark.parametrize("events", [
    (COPY, group(number="1", name="A"), COPY, NEWER),
    (group(number="1", name="A"), COPY, NEWER, track(number="1"), COPY),
], ids=["failed, then delivered", "delivered, then failed"])  # fmt: skip
def test_the_last_copy_of_an_event_decides_whether_it_is_a_dead_letter(
    the_stage: Stage, events: tuple[Event, ...], before: tuple[Event, ...], window: int
) -> None:
    retried = Trial((SEAT_OF, ACCOUNT, CLOSED), (*before, *events), window=window, retries=(Leg(retry=True),))
    assert the_stage.play(retried) == []


# Identities


def test_long_numbers_are_distinct_identities(the_stage: Stage) -> None:
    """All 18 digits count, though the events say them as numbers."""
    keyed = Table(
        "seat", "identify", "Seat__c", (Rule("Key__c", "key"), PHONE_OF_SEAT), (("Key__c",), ("Phone__c",))
    )
    first, second = 100_000_000_000_000_001, 100_000_000_000_000_002
    trial = begin(the_stage, keyed)
    events = (identify(key=first, phone="1"), identify(key=second, phone="2"), identify(key=first, phone="3"))
    assert deliver_all(the_stage, trial, *events) == 0
    assert holds(the_stage) == {
        "Seat__c": [{"Key__c": str(first), "Phone__c": "3"}, {"Key__c": str(second), "Phone__c": "2"}]
    }


LONG = [identify(email=f"p{number}@x.co", text="x" * 1_000) for number in range(100)]
CHANGED: dict[str, list[Event]] = {
    "cut short": LONG[:70],
    "cut short and appended to": [*LONG[:70], *(identify(email=f"n{number}@x.co") for number in range(100))],
    "a line made longer": [*LONG[:70], identify(email="p70@x.co", text="x" * 1_500), *LONG[71:]],
    "lines inserted": [*LONG[:70], *(identify(email=f"n{number}@x.co") for number in range(3)), *LONG[70:]],
}


@pytest.mark.parametrize("how", CHANGED)
def test_a_file_changed_before_its_position_is_delivered_whole(the_stage: Stage, how: str) -> None:
    """Behind its first 64 KiB: what stands in it now is in the org, all of it."""
    trial = Trial((BY_EMAIL,), (), connections=1, window=80, batch_size=80)
    the_stage.reset()
    folder = the_stage.project(trial)
    write(folder / "a.ndjson", LONG)
    assert the_stage.run(trial, Leg(max_calls=4)) == 3
    assert len(holds(the_stage)["Lead"]) == 80
    assert deliver_all(the_stage, trial, *CHANGED[how]) == 0
    held = {str(one["Email"]) for one in holds(the_stage)["Lead"]}
    assert {str(event["traits"]["email"]) for event in CHANGED[how]} - held == set()  # type: ignore[index]


# The clock


@pytest.mark.parametrize("seconds", [3_600.0, -3_600.0], ids=["forward", "back"])
def test_setting_the_clock_does_not_end_a_doubt(the_stage: Stage, seconds: float) -> None:
    """The org still works on the create when the run goes on."""
    events = tuple(identify(email=f"p{number}@x.co") for number in range(3))
    slow = fault("slow", "create", seconds=2.0)
    legs = (Leg(plug=("in call", 5, KILL), faults=(slow,)), Leg(clock=seconds))
    trial = Trial((LEAD,), events, legs, call_limit=3)
    check(the_stage, trial, {"Lead": [lead(f"p{number}@x.co") for number in range(3)]})


# Order


def test_records_are_created_in_the_order_of_their_events(the_stage: Stage) -> None:
    named = Table(
        "named", "group", "Lead", (Rule("LastName", "last"), Rule("Company", "company"), PHONE),
        (("LastName", "Company"),), "update",
    )  # fmt: skip
    events = (
        track(email="p1@x.co"),
        identify(email="p1@x.co", last="Ld", company="C2"),
        identify(email="P2@x.co", last="La", company="C1"),
        identify(email="P1@x.co", last="lA", company="C1"),
        group(last="La", company="C1", phone="51"),
    )
    check(
        the_stage,
        Trial((BY_EMAIL, DELETED, named), events),
        {"Lead": [lead("p1@x.co", "lA", "C1"), lead("p2@x.co", "La", "C1", Phone="51")]},
    )


BEHIND_A_LOST_ONE = (
    identify(email="p@x.co", last="L1", company="C"),
    identify(email="q@x.co", last="L2", company="C"),
    identify(email="p@x.co", last="L2", company="C"),
    group(last="L2", company="C", phone="51"),
)


@pytest.mark.parametrize("kind", LOST)
def test_creates_wait_for_a_lost_create_when_their_order_matters(the_stage: Stage, kind: str) -> None:
    """Each goes in a call of its own."""
    check(
        the_stage,
        Trial((LEAD, NAMED), BEHIND_A_LOST_ONE, (lost(kind, "create"),), batch_size=1),
        {"Lead": [lead("p@x.co", "L2", "C"), lead("q@x.co", "L2", "C", Phone="51")]},
    )


def test_records_with_one_value_are_created_in_the_order_of_their_events(the_stage: Stage) -> None:
    """The second one waits for the first mapping's write, and is created after the third all the same."""
    kept = Table("kept", "group", "Seat__c", (Rule("Key__c", "key"),), external_id="Key__c")
    planned = Table(
        "planned",
        "identify",
        "Seat__c",
        (Rule("Key__c", "key"), Rule("Plan__c", value="Cold")),
        external_id="Key__c",
    )
    deleted = Table("deleted", "track", "Seat__c", (Rule("Plan__c", "plan"),), (("Plan__c",),), "delete")
    events = (track(plan="Cold"), identify(key="k3"), group(key="k0"), identify(key="k0"), track(plan="Cold"))
    check(
        the_stage,
        Trial((kept, planned, deleted), events),
        {"Seat__c": [{"Key__c": "k3", "Plan__c": "Cold"}]},
    )


def test_records_are_created_in_order_though_an_earlier_window_is_asked_about(the_stage: Stage) -> None:
    """A create with a condition is preceded by a query, which takes its time."""
    rated = Table(
        "rated", "identify", "Account", (Rule("Name", "company"),), (("Name",),), where=("Rating", "!=", "Cold")
    )
    contact = Table("contact", "identify", "Contact", (EMAIL, LAST), (("Email",), ("LastName",)))
    people = [("p0@x.co", "Lc", "C1"), ("p3@x.co", "Lb", "C2"), ("p0@x.co", "La", "C1")]
    events = tuple(identify(email=email, last=last, company=company) for email, last, company in people)
    expected = {
        "Account": [{"Name": "C1"}, {"Name": "C2"}],
        "Contact": [{"Email": "p0@x.co", "LastName": "La"}, {"Email": "p3@x.co", "LastName": "Lb"}],
    }
    check(the_stage, Trial((rated, contact), events, stream="all", window=3, connections=10), expected)


# What one event hides from another


def test_a_refused_event_does_not_block_an_older_one(the_stage: Stage) -> None:
    rules = (EMAIL, Rule("LastName", "last"), Rule("Company", "company"))
    guarded = Table(
        "guarded", "identify", "Lead", rules, (("Email",),), guard=True
    )  # fmt: skip
    events = (
        {**identify(email="p1@x.co", last="L"), "timestamp": "2026-01-05T00:00:00Z"},
        {**identify(email="p1@x.co", last="L", company="C"), "timestamp": "2026-01-03T00:00:00Z"},
    )
    check(the_stage, Trial((guarded,), events), {"Lead": [lead("p1@x.co", "L", "C")]})


def test_a_new_record_that_does_not_meet_the_condition_is_not_found(the_stage: Stage) -> None:
    """The condition's field is not written at all."""
    rated = Table("rated", "identify", "Lead", (EMAIL, LAST, COMPANY), (("Email",),), where=("Rating", "!=", ""))
    check(
        the_stage,
        Trial((rated,), (identify(email="p1@x.co"), identify(email="p1@x.co"))),
        {"Lead": [lead("p1@x.co"), lead("p1@x.co")]},
    )


# What heals


def test_retries_are_counted_for_each_cause(the_stage: Stage) -> None:
    """A record lock, and then somebody who has created the record."""
    rules = (Rule("Key__c", "key"), LAST, COMPANY, PHONE, Rule("City", "city", write="create"))
    keyed = Table("keyed", "identify", "Lead", rules, (("Key__c",),))
    faults = (fault("record_lock", "create"), fault("created_between", "create", 1))
    trial = Trial((keyed,), (identify(key="k1", phone="1", city="Rome"),), (Leg(faults=faults),))
    the_stage.play(trial)
    assert holds(the_stage) == {
        "Lead": [{"City": "Rome", "Company": "n/a", "Key__c": "k1", "LastName": "n/a", "Phone": "1"}]
    }
    outcomes = (the_stage.folder / "project" / "a.results").read_text()
    assert json.loads(outcomes)["outcome"] == "updated", outcomes


LIMITS = [
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: System.LimitException: Too many SOQL queries: 101"),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: System.LimitException: Apex CPU time limit exceeded"),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: System.LimitException: Too many DML rows: 10001"),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: System.LimitException: Too many query rows: 50001"),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "LeadTrigger: System.LimitException: Too many future calls: 51"),
    ("SERVER_UNAVAILABLE", "Server unavailable"),
    ("QUERY_TIMEOUT", "Your query request was running for too long."),
    ("REQUEST_RUNNING_TOO_LONG", "Your request was running for too long, and has been stopped."),
    ("UNKNOWN_EXCEPTION", "An unexpected error occurred."),
]


@pytest.mark.parametrize(
    ("code", "message"), LIMITS, ids=[words.rpartition(": ")[0][-24:] or code for code, words in LIMITS]
)
def test_errors_caused_by_a_batch_are_retried_in_smaller_batches(
    the_stage: Stage, code: str, message: str
) -> None:
    events = tuple(identify(email=f"p{number}@x.co") for number in range(8))
    refused = fault("record_error", "upsert", code=code, message=message)
    trial = Trial((BY_EMAIL,), events, (Leg(faults=(refused,)),))
    wrong = the_stage.play(trial)
    assert not wrong, "\n".join(wrong) + "\n\n" + story(trial)
    assert sorted(str(one["Email"]) for one in holds(the_stage)["Lead"]) == [f"p{n}@x.co" for n in range(8)]


# The end


def test_the_report_covers_the_whole_file(the_stage: Stage) -> None:
    trial = Trial((BY_EMAIL,), (), connections=1, window=1, batch_size=1)
    the_stage.reset()
    folder = the_stage.project(trial)
    write(folder / "a.ndjson", [identify(phone="nobody"), identify(email="p1@x.co"), identify(email="p2@x.co")])
    assert the_stage.run(trial, Leg(max_calls=4)) == 3
    assert the_stage.run(trial, Leg()) == 1
    report = json.loads((folder / "report.json").read_text())
    assert (report["events"], report["created"], report["failed"]) == (3, 2, 1)


# Folds


def test_a_folded_record_is_found_by_its_final_values(the_stage: Stage) -> None:
    """A field that is written where it is empty keeps its first value beside a later one of another field."""
    kept = Table(
        "kept", "group", "Lead",
        (LAST, Rule("Company", "company", write="empty"), Rule("Key__c", "key")),
        external_id="Key__c",
    )  # fmt: skip
    named = (Rule("LastName", "last"), Rule("Company", "company"))
    deleted = Table("deleted", "identify", "Lead", named, (("LastName", "Company"),), "delete")
    events = (
        group(key="k1", company="C2"), group(key="k1", last="Lb", company="C1"), identify(last="Lb", company="C2")
    )  # fmt: skip
    check(the_stage, Trial((kept, deleted), events), {})


@pytest.mark.parametrize("kind", LOST)
def test_records_that_waited_together_read_the_same_fields(the_stage: Stage, kind: str) -> None:
    """The first is looked up by the id that it was sent to, the second by its key; both go in one write."""
    rules = (EMAIL, LAST, COMPANY, PHONE, Rule("City", "city", write="empty"))
    filled = Table("filled", "identify", "Lead", rules, (("Email",), ("LastName", "Company")))
    events = (
        identify(email="p1@x.co"),
        identify(email="p1@x.co", phone="1"),
        identify(email="p1@x.co", phone="2", city="Rome"),
    )
    check(
        the_stage,
        Trial((filled,), events, (lost(kind, "update"),), window=1),
        {"Lead": [lead("p1@x.co", Phone="2", City="Rome")]},
    )


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_create_is_recognized_after_the_org_trimmed_it(the_stage: Stage, kind: str) -> None:
    """As somebody else's record it would be updated, with what is written by updates alone."""
    rules = (EMAIL, LAST, COMPANY, Rule("City", "city", write="update"))
    padded = Table("padded", "identify", "Lead", rules, (("Email",), ("LastName", "Company")))
    events = (identify(email="p1@x.co", company=" C1 ", city="Rome"),)
    check(the_stage, Trial((padded,), events, (lost(kind, "create"),)), {"Lead": [lead("p1@x.co", company="C1")]})


@pytest.mark.parametrize("kind", LOST)
def test_a_lost_create_does_not_reference_its_own_record(the_stage: Stage, kind: str) -> None:
    """When it is looked for, what it points to is found: by then that is what it has created."""
    rules = (EMAIL, Rule("LastName", "last"), Rule("ReportsToId", "last", pointer=Pointer("Contact", "LastName")))
    reporting = Table("reporting", "identify", "Contact", rules, (("LastName",),))
    trial = Trial((reporting,), (identify(email="p1@x.co", last="L"),), (lost(kind, "create"),))
    check(the_stage, trial, {"Contact": [{"Email": "p1@x.co", "LastName": "L"}]})


@pytest.mark.parametrize("transaction", mostly_soak(range(8, 14), quick=2))
def test_a_held_record_that_was_refused_stays_failed_after_a_kill(the_stage: Stage, transaction: int) -> None:
    """Tried again, it would find the record that the next event has created since, and count as its update."""
    rules = (
        *(Rule("Key__c", "key"), Rule("LastName", "last"), COMPANY),
        *(Rule("Phone", "phone", write="update"), Rule("City", "city", write="empty")),
    )
    keyed = Table("keyed", "identify", "Lead", rules, (("Key__c",),))
    events = (identify(key="k1", phone="1"), identify(key="k1", last="L", city="Rome"))  # the first has no name
    lost_once = fault("timeout", "create", seconds=0.3)
    legs = (Leg(plug=("before transaction", transaction, KILL), faults=(lost_once,)),)
    trial = Trial((keyed,), events, legs, window=3, call_limit=1.2)
    expected = {"Key__c": "k1", "LastName": "L", "Company": "n/a", "City": "Rome"}
    check(the_stage, trial, {"Lead": [expected]})
