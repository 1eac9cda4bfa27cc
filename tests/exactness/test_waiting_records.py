"""Records that wait for others in a window: later records that they may affect wait as well."""

import pytest

from .harness import Stage
from .model import Event, Instead, Operation, Pointer, Rule, Table
from .test_cases import COMPANY, EMAIL, LAST, PHONE, PHONE_OF_SEAT, check, group, identify, track
from .trial import Leg, Trial

KEY, PLAN, EMAIL_OF_SEAT = Rule("Key__c", "key"), Rule("Plan__c", "plan"), Rule("Email__c", "email")
SEAT = Table(
    "seat", "identify", "Seat__c", (KEY, PLAN, EMAIL_OF_SEAT, PHONE_OF_SEAT), (("Key__c",),)
)  # fmt: skip
TITLE = Rule("Title", "title")
CONTACT = Table("contact", "identify", "Contact", (EMAIL, LAST, PHONE, TITLE), (("Email",),))
NO_CONTACT = Instead("Contact", "Email", "email")
LEAD = Table("lead", "track", "Lead", (EMAIL, LAST, COMPANY), (("Email",),), unless=(NO_CONTACT,))


def page(**properties: object) -> Event:
    return {"type": "page", "properties": properties}


def after(before: tuple[Event, ...], tables: tuple[Table, ...], *events: Event) -> Trial:
    """The events in one window, in an org that holds what others have become."""
    return Trial(tables, events, legs=(Leg(file="b"),), others=before)


TWO_SEATS = (identify(key="k1", email="a@x.co", plan="X"), identify(key="k2", email="b@x.co", plan="Y"))


def by_email_or_plan(operation: Operation) -> Table:
    rules = (EMAIL_OF_SEAT, PLAN, PHONE_OF_SEAT)
    return Table("either", "track", "Seat__c", rules, (("Email__c",), ("Plan__c",)), operation)


def test_an_update_waits_for_a_delete_that_will_find_its_record(the_stage: Stage) -> None:
    """By its first lookup it finds a record that the first event takes away from it."""
    trial = after(
        TWO_SEATS,
        (SEAT, by_email_or_plan("delete")),
        identify(key="k1", email="c@x.co"), track(email="a@x.co", plan="Y"), identify(key="k2", phone="1"),
    )  # fmt: skip
    seats = [{"Email__c": "c@x.co", "Key__c": "k1", "Plan__c": "X"}, {"Key__c": "k2", "Phone__c": "1"}]
    check(the_stage, trial, {"Seat__c": seats})


def test_an_update_waits_for_an_update_that_will_find_its_record(the_stage: Stage) -> None:
    trial = after(
        TWO_SEATS,
        (SEAT, by_email_or_plan("update")),
        identify(key="k1", email="c@x.co"),
        track(email="a@x.co", plan="Y", phone="earlier"),
        identify(key="k2", phone="later"),
    )
    seats = [
        {"Email__c": "c@x.co", "Key__c": "k1", "Plan__c": "X"},
        {"Email__c": "a@x.co", "Key__c": "k2", "Phone__c": "later", "Plan__c": "Y"},
    ]
    check(the_stage, trial, {"Seat__c": seats})


TWO_CONTACTS = (
    identify(email="a@x.co", last="La", phone="1"),
    identify(email="b@x.co", last="Lb", phone="2"),
)
PHONED = Table("phoned", "group", "Contact", (EMAIL, PHONE), (("Email",),), "update")
GONE = Table(
    "gone", "page", "Contact", (PHONE, Rule("LastName", "last")), (("Phone",), ("LastName",)), "delete"
)  # fmt: skip


def test_a_reference_waits_for_a_delete_that_will_find_its_record(the_stage: Stage) -> None:
    pointing = Table(
        "pointing", "track", "Seat__c", (KEY, Rule("Who__c", "boss", pointer=Pointer("Contact", "Email"))),
        (("Key__c",),),
    )  # fmt: skip
    trial = after(
        TWO_CONTACTS,
        (CONTACT, PHONED, GONE, pointing),
        group(email="a@x.co", phone="3"), page(phone="1", last="Lb"), track(key="k1", boss="b@x.co"),
    )  # fmt: skip
    contact = {"Email": "a@x.co", "LastName": "La", "Phone": "3"}
    check(the_stage, trial, {"Contact": [contact], "Seat__c": [{"Key__c": "k1"}]})


def test_unless_found_waits_for_a_delete_that_will_find_its_record(the_stage: Stage) -> None:
    trial = after(
        TWO_CONTACTS,
        (CONTACT, PHONED, GONE, LEAD),
        group(email="a@x.co", phone="3"), page(phone="1", last="Lb"), track(email="b@x.co", last="Lb"),
    )  # fmt: skip
    lead = {"Company": "n/a", "Email": "b@x.co", "LastName": "Lb"}
    contact = {"Email": "a@x.co", "LastName": "La", "Phone": "3"}
    check(the_stage, trial, {"Contact": [contact], "Lead": [lead]})


def test_unless_found_waits_for_a_delete_of_a_renamed_record(the_stage: Stage) -> None:
    named = Table("named", "group", "Contact", (PHONE, Rule("LastName", "last")), (("Phone",),), "update")
    deleted = Table("deleted", "page", "Contact", (Rule("LastName", "last"),), (("LastName",),), "delete")
    trial = after(
        (identify(email="a@x.co", last="La", phone="1"),),
        (CONTACT, named, deleted, LEAD),
        group(phone="1", last="Lb"), page(last="Lb"), track(email="a@x.co", last="La"),
    )  # fmt: skip
    check(the_stage, trial, {"Lead": [{"Company": "n/a", "Email": "a@x.co", "LastName": "La"}]})


def test_unless_found_waits_for_an_upsert_that_may_change_its_condition(the_stage: Stage) -> None:
    titled = Table("contact", "identify", "Contact", (EMAIL, Rule("LastName", "last"), TITLE), (("Email",),))
    boss = Instead("Contact", "Email", "email", ("Title", "=", "Boss"))
    lead = Table("lead", "track", "Lead", (EMAIL, LAST, COMPANY), (("Email",),), unless=(boss,))
    trial = after(
        (identify(email="a@x.co", last="La", title="Boss"),),
        (titled, lead),
        identify(email="a@x.co", last="La", title="Clerk"), track(email="a@x.co", last="La"),
    )  # fmt: skip
    contact = {"Email": "a@x.co", "LastName": "La", "Title": "Clerk"}
    found = {"Contact": [contact], "Lead": [{"Company": "n/a", "Email": "a@x.co", "LastName": "La"}]}
    check(the_stage, trial, found)


@pytest.mark.parametrize("window", [0, 1])
def test_a_lookup_waits_for_values_added_to_its_field(the_stage: Stage, window: int) -> None:
    added = Table("added", "identify", "Seat__c", (KEY, Rule("Tags__c", "tags", add=True)), (("Key__c",),))
    tagged = Table("tagged", "track", "Seat__c", (Rule("Tags__c", "tags"), PHONE_OF_SEAT), (("Tags__c",),))
    events = (
        identify(key="k1", tags="red"),
        identify(key="k1", tags="blue"),
        track(tags="red;blue", phone="1"),
    )
    trial = Trial((added, tagged), events, window=window)
    check(the_stage, trial, {"Seat__c": [{"Key__c": "k1", "Phone__c": "1", "Tags__c": "red;blue"}]})


def slow(call: str, seconds: float) -> dict[str, object]:
    return {"kind": "slow", "calls": call, "at": 1, "seconds": seconds}


FOUND_TOO_SOON = Leg(faults=(slow("create", 0.3), slow("upsert", 1.5)))
"""The third event waits for the update of the second, and has asked before the first one has created its record.
The fourth comes when that is there.
"""


@pytest.mark.parametrize("keys", ["each tries both", "each has its own"])
def test_an_update_waits_for_one_that_will_find_a_record_made_since(the_stage: Stage, keys: str) -> None:
    who = Rule("Who__c", "boss", pointer=Pointer("Contact", "Email"))
    both = (("Plan__c",), ("Email__c",))
    seats = (KEY, EMAIL_OF_SEAT, PLAN, who)
    by_plan = Table("planned", "group", "Seat__c", seats, both if keys == "each tries both" else both[:1])
    by_email = Table("mailed", "track", "Seat__c", seats, both if keys == "each tries both" else both[1:])
    events = (
        track(key="k1", email="a@x.co", plan="X"),
        identify(email="b@x.co", last="La", phone="1"),
        group(plan="X", email="c@x.co", boss="b@x.co"),
        track(plan="Y", email="a@x.co"),
    )
    there = (identify(email="b@x.co", last="La"),)
    trial = Trial(
        (CONTACT, by_plan, by_email), events, (Leg(file="b"), FOUND_TOO_SOON), others=there, window=1
    )  # fmt: skip
    contact = {"Email": "b@x.co", "LastName": "La", "Phone": "1"}
    first = {"Email__c": "c@x.co", "Key__c": "k1", "Plan__c": "X", "Who__c": contact}
    second = {"Email__c": "a@x.co", "Plan__c": "Y"}
    check(the_stage, trial, {"Contact": [contact], "Seat__c": [first, second]})


def test_an_update_waits_for_a_reference_to_a_record_made_since(the_stage: Stage) -> None:
    named = Table("named", "group", "Lead", (EMAIL, LAST, COMPANY), (("Email",),))
    who = Rule("Who__c", "last", pointer=Pointer("Lead", "LastName"))
    seat = Table("seat", "track", "Seat__c", (KEY, who, PHONE_OF_SEAT), (("Key__c",),))
    events = (
        group(email="a@x.co", last="La"),
        track(key="k1", phone="1"),
        track(key="k1", last="La"),
        group(email="a@x.co", last="Lb"),
    )
    there = (track(key="k1"),)
    trial = Trial((named, seat), events, (Leg(file="b"), FOUND_TOO_SOON), others=there, window=1)
    lead = {"Company": "n/a", "Email": "a@x.co", "LastName": "Lb"}
    check(the_stage, trial, {"Lead": [lead], "Seat__c": [{"Key__c": "k1", "Phone__c": "1", "Who__c": lead}]})


def test_a_write_waits_for_unless_found_of_a_record_made_since(the_stage: Stage) -> None:
    """There is a Contact when the third event's turn comes; the fourth changes its address."""
    phoned = Table("phoned", "group", "Contact", (EMAIL, Rule("LastName", "last"), PHONE), (("Phone",),))
    events = (
        group(phone="1", email="a@x.co", last="La"),
        track(email="b@x.co", last="Lb"),
        track(email="b@x.co", old="a@x.co", last="Lb"),
        group(phone="1", email="c@x.co"),
    )
    lead = Table(
        "lead", "track", "Lead", (EMAIL, LAST, COMPANY), (("Email",),),
        unless=(Instead("Contact", "Email", "old"),),
    )  # fmt: skip
    there = (track(email="b@x.co", last="La"),)
    trial = Trial((phoned, lead), events, (Leg(file="b"), FOUND_TOO_SOON), others=there, window=1)
    found = {
        "Contact": [{"Email": "c@x.co", "LastName": "La", "Phone": "1"}],
        "Lead": [{"Company": "n/a", "Email": "b@x.co", "LastName": "Lb"}],
    }
    check(the_stage, trial, found)
