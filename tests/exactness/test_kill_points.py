"""The process is killed at every transaction of the journal, before and after it, one by one, while it delivers a
stream with every operation: the next run comes to the same end each time."""

import signal
from dataclasses import replace

import pytest

from ..examples import mostly_soak
from .harness import Stage
from .model import Event, Pointer, Rule, Table
from .trial import Leg, Trial, story

PERSON = (
    Rule("Email", "email"),
    Rule("LastName", "last", default="n/a"),
    Rule("Company", "company", default="n/a"),
)
BY_EMAIL = (("Email",),)
ACCOUNT = (Rule("AccountNumber", "number"), Rule("Name", "company"), Rule("Phone", "phone"))
CONTACT = (
    Rule("Email", "email"), Rule("LastName", "last", default="n/a"),
    Rule("AccountId", "number", pointer=Pointer("Account", "AccountNumber")),
)  # fmt: skip
LEAD = (*PERSON, Rule("Phone", "phone"), Rule("Rating", value="Cold", write="create"))
HOT = (Rule("Email", "email"), Rule("Rating", value="Hot"))
TABLES = (
    Table("account", "group", "Account", ACCOUNT, (("AccountNumber",),)),
    Table("lead", "identify", "Lead", LEAD, (("Email",), ("LastName", "Company"))),
    Table("contact", "identify", "Contact", CONTACT, BY_EMAIL),
    Table("seat", "screen", "Seat__c", (Rule("Key__c", "key"), Rule("Phone__c", "phone")), external_id="Key__c"),
    Table("heated", "page", "Lead", HOT, BY_EMAIL, "update", where=("Rating", "=", "Cold")),
    Table("gone", "track", "Lead", (Rule("Email", "email"),), BY_EMAIL, "delete"),
    Table("log", "alias", "Log__c", (Rule("Text__c", "text"),), operation="create"),
)


def traits(event_type: str, **values: str) -> Event:
    return {"type": event_type, "traits": values}


def properties(event_type: str, **values: str) -> Event:
    return {"type": event_type, "event": "Something", "properties": values}


EVENTS = (
    traits("group", number="1", company="Acme", phone="1"),
    traits("identify", email="p1@x.co", last="La", company="C1", phone="2", number="1"),
    properties("screen", key="k1", phone="3"),
    properties("page", email="p1@x.co"),
    properties("track", email="p2@x.co"),
    traits("alias", text="first"),
    traits("identify", email="p2@x.co", last="Lb", company="C1", phone="4", number="2"),
    traits("group", number="2", company="Beta", phone="5"),
    properties("track", email="p1@x.co"),
    traits("identify", email="P2@x.co", last="Lb", company="C1", phone="6", number="2"),
    properties("page", email="p2@x.co"),
    traits("identify", last="Lb", company="C1", phone="7", email="p3@x.co"),
    properties("screen", key="K1", phone="8"),
    traits("alias", text="second"),
    properties("page", email="p3@x.co"),
)
TRIAL = Trial(TABLES, EVENTS, connections=1, call_limit=0.4)
"""Nothing is under way at the org when a process ends at a transaction, so no doubt needs to last."""
HOLD = ({"kind": "late_commit", "calls": "create", "at": 1, "seconds": 0.2},)
"""What is created at first, and what meets it, waits."""
PARTS = [(7, 60), *((first, 12) for first in range(1, 13))]
"""The first step that a test kills at, and how far it is to the next: a few of all steps, then all of them."""
BULK = Trial(
    (
        Table("account", "group", "Account", ACCOUNT, (("AccountNumber",),)),
        Table("contact", "identify", "Contact", CONTACT, BY_EMAIL),
        Table(
            "seat", "screen", "Seat__c", (Rule("Key__c", "key"), Rule("Phone__c", "phone")), external_id="Key__c"
        ),
        Table("gone", "track", "Account", (Rule("AccountNumber", "number"),), (("AccountNumber",),), "delete"),
    ),
    (
        traits("group", number="1", company="Acme", phone="1"),
        traits("identify", email="p1@x.co", last="La", number="1"),
        properties("screen", key="k1", phone="3"),
        traits("group", number="2", company="Beta", phone="5"),
        properties("screen", key="k2", phone="4"),
        traits("identify", email="p2@x.co", last="Lb", number="2"),
        properties("track", number="2"),
        traits("group", number="1", company="Acme", phone="9"),
        properties("screen", key="K1", phone="8"),
    ),
    call_limit=0.4,
    bulk="always",
)
"""Everything is written by bulk jobs, several at once and one after the other."""

SLOW_JOB = ({"kind": "slow", "calls": "processBatch", "at": 2, "seconds": 2.0},)
TWO_JOBS = Trial(
    (
        Table("account", "group", "Account", ACCOUNT, (("AccountNumber",),)),
        Table(
            "seat", "screen", "Seat__c", (Rule("Key__c", "key"), Rule("Phone__c", "phone")), external_id="Key__c"
        ),
        Table("contact", "identify", "Contact", CONTACT, operation="create"),
        Table("gone", "track", "Contact", (Rule("Email", "email"),), BY_EMAIL, "delete"),
    ),
    (
        traits("group", number="1", company="Acme", phone="1"),
        properties("screen", key="k1", phone="2"),
        traits("identify", email="p1@x.co", last="La", number="1"),
        traits("identify", email="p2@x.co", last="Lb", number="1"),
    ),
    connections=1,
    batch_size=1,
    call_limit=0.4,
    bulk="always",
)
"""Two creates wait for the account's job and go by calls, one after the other, while the seat's job goes on."""


def test_the_stream_ends_as_the_model_says(the_stage: Stage) -> None:
    assert the_stage.play(TRIAL) == []


@pytest.mark.parametrize("part", mostly_soak(PARTS, quick=1))
@pytest.mark.parametrize(("window", "faults"), [(0, ()), (4, HOLD)], ids=["one window", "several, and held"])
@pytest.mark.parametrize("point", ["before transaction", "after transaction"])
def test_a_kill_at_any_transaction_changes_nothing(
    the_stage: Stage, point: str, window: int, faults: tuple[dict[str, object], ...], part: tuple[int, int]
) -> None:
    kill_at_each(the_stage, replace(TRIAL, window=window), point, part, faults)


@pytest.mark.parametrize("part", mostly_soak(PARTS, quick=1))
@pytest.mark.parametrize("point", ["before transaction", "after transaction"])
def test_nor_does_one_with_the_state_in_postgresql(shared_stage: Stage, point: str, part: tuple[int, int]) -> None:
    kill_at_each(shared_stage, replace(TRIAL, window=4), point, part, HOLD)


def kill_at_each(
    the_stage: Stage,
    undisturbed: Trial,
    point: str,
    part: tuple[int, int],
    faults: tuple[dict[str, object], ...] = (),
) -> None:
    killed, (number, distance) = 0, part
    while True:
        leg = Leg(plug=(point, number, signal.SIGKILL), faults=faults)
        trial = replace(undisturbed, legs=(leg,))
        before = the_stage.starts[str(-signal.SIGKILL)]
        wrong = the_stage.play(trial)
        assert not wrong, f"{point} {number}:\n" + "\n".join(wrong) + "\n\n" + story(trial)
        if the_stage.starts[str(-signal.SIGKILL)] == before:  # it had fewer such points
            break
        killed, number = killed + 1, number + distance
    assert killed


@pytest.mark.parametrize("part", mostly_soak(PARTS, quick=1))
@pytest.mark.parametrize(
    "point", ["before transaction", "after transaction", "before call", "in call", "after call"]
)
def test_nor_does_a_kill_at_any_step_of_bulk_jobs(the_stage: Stage, point: str, part: tuple[int, int]) -> None:
    kill_at_each(the_stage, replace(BULK, window=4), point, part)


@pytest.mark.soak
@pytest.mark.parametrize("call", range(18, 23))
def test_two_kills_create_no_held_record_twice_while_a_job_is_under_way(the_stage: Stage, call: int) -> None:
    first = Leg(plug=("before call", call, signal.SIGKILL), faults=SLOW_JOB)
    kills, number = 2, 0
    while kills == 2:
        number += 1
        second = Leg(plug=("after transaction", number, signal.SIGKILL))
        before = the_stage.starts[str(-signal.SIGKILL)]
        trial = replace(TWO_JOBS, legs=(first, second))
        wrong = the_stage.play(trial)
        assert not wrong, f"{call}, {number}:\n" + "\n".join(wrong) + "\n\n" + story(trial)
        kills = the_stage.starts[str(-signal.SIGKILL)] - before
    assert number > 3


def test_records_created_before_a_kill_are_not_created_again(the_stage: Stage) -> None:
    log = Table("log", "alias", "Log__c", (Rule("Text__c", "text"),), operation="create")
    event: Event = {**traits("alias", text="first"), "messageId": "m1"}
    trial = Trial((log,), (event,), connections=1, stream="all")  # with ids that are remembered
    killed, number = True, 0
    while killed:
        number += 1
        the_stage.reset()
        the_stage.project(trial)
        killed = the_stage.run(trial, Leg(plug=("after transaction", number, signal.SIGKILL))) == -signal.SIGKILL
        the_stage.run(trial, Leg(restart=True))
        assert len(the_stage.records()["Log__c"]) == 1, number
    assert number > 3
