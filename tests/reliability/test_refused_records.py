"""Records that the org refuses: what is corrected, and what fails with which reason."""

import pytest

from ..scene import Scene, also
from .dead_letters import refuse_half
from .people import ACCOUNT, LEAD, PEOPLE, person


def test_a_refused_record_becomes_a_dead_letter(scene: Scene) -> None:
    refused = refuse_half(scene)
    failed = [reason for fate, reason in scene.outcomes() if fate == "failed"]
    assert 1 < refused < 12
    assert len(failed) == refused + 1
    assert scene.calls()["create"] == 1  # a refused record is not sent again
    assert len(scene.sfmap("dead-letters").splitlines()) == refused + 1


def test_an_unknown_field_is_left_out_and_the_call_repeated(scene: Scene) -> None:
    """A field that the org does not know after all is left out, and said; the rest is delivered."""
    scene.mapping(LEAD)
    words = "No such column 'City' on entity 'Lead'. If you are attempting to use a custom field, be sure"
    scene.faults({"kind": "fault", "calls": "create", "times": 1, "code": "INVALID_FIELD", "message": words})
    said = scene.run(*PEOPLE)
    assert "noted             12  City: left out: the org does not know this field" in said
    assert scene.rows("SELECT count(*), count(City) FROM Lead") == [(12, 0)]
    assert scene.calls()["create"] == 2


def test_a_record_deleted_before_its_update_is_created_again(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(person("a"), person("b"))
    scene.faults({"kind": "deleted_between", "calls": "update", "times": 1})
    scene.run(person("a", city="Rome"), person("b", city="Rome"), arguments=("--restart",))
    assert scene.rows("SELECT count(*) FROM Lead WHERE NOT IsDeleted AND City = 'Rome'") == [(2,)]
    assert [fate for fate, _ in scene.outcomes()] == ["created", "created"]


def test_a_record_created_by_another_program_is_updated(scene: Scene) -> None:
    """A unique field tells, and the record that is there is written."""
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "created_between", "calls": "create", "times": 1})
    scene.run(person("a", code="c1", city="Rome"))
    assert scene.rows("SELECT AccountNumber, BillingCity FROM Account") == [("a@b.co", "Rome")]
    assert scene.outcomes() == [("updated", None)]


def test_a_unique_value_of_another_record_fails_the_event(scene: Scene) -> None:
    scene.mapping(ACCOUNT)
    scene.run(person("a", code="c1"), person("b", code="c1"), code=1)
    assert [fate for fate, _ in scene.outcomes()] == ["created", "failed"]
    assert "DUPLICATE_VALUE" in str(scene.outcomes()[1][1])
    assert scene.calls()["create"] <= 4


DUPLICATES = [
    ("fail", [("ann@b.co", None)], "failed"),
    ("save", [("ann@b.co", None), ("bob@b.co", "Rome")], "created"),
    ("update", [("bob@b.co", "Rome")], "updated"),
]


@pytest.mark.parametrize(("choice", "left", "fate"), DUPLICATES)
def test_on_duplicate_fails_saves_or_updates(
    scene: Scene, choice: str, left: list[tuple[object, ...]], fate: str
) -> None:
    scene.mapping(f"{LEAD}on_duplicate: {choice}\n")
    scene.run(person("ann", phone="555"))
    scene.run(person("bob", phone="555", city="Rome"), code=choice == "fail", arguments=("--restart",))
    assert scene.rows("SELECT Email, City FROM Lead ORDER BY Email") == left
    assert [one for one, _ in scene.outcomes()] == [fate]


def test_an_unnamed_duplicate_fails_each_event(scene: Scene) -> None:
    """There is nothing to update then: each event of the person fails for itself."""
    scene.mapping(f"{LEAD}on_duplicate: update\n")
    reason = {"code": "DUPLICATES_DETECTED", "message": "Use one of these records?"}
    scene.faults({"kind": "record_error", "calls": "create", **reason})
    said = scene.run(person("ann"), person("ann", city="Rome"), person("bob"), code=1)
    assert scene.outcomes() == [("failed", "DUPLICATES_DETECTED: Use one of these records?")] * 3
    assert "wait until" not in said
    assert scene.calls()["create"] == 3


def test_an_ambiguous_upsert_updates_the_newest_record(scene: Scene) -> None:
    """The org cannot tell which one is meant, so they are looked up: by default the newest is written."""
    native = LEAD.replace("  LeadSource: {value: Web, write: create}\n", "")
    scene.mapping(native.replace("operation", "").replace("match: Email", "operation: create"))
    scene.run(*({**person("ann", city=city), "messageId": city} for city in ("One", "Two")))
    scene.mapping(native)
    scene.run(person("ann", city="Rome"), person("bob"), arguments=("--restart",))
    assert scene.rows("SELECT City FROM Lead WHERE Email = 'ann@b.co' ORDER BY Id") == [("One",), ("Rome",)]
    assert [fate for fate, _ in scene.outcomes()] == ["updated", "created"]
    calls = scene.calls()
    assert (calls["upsert"], calls["query"], calls["update"]) == (1, 1, 1)


def test_all_or_none_fails_only_the_record_at_fault(scene: Scene) -> None:
    """The record at fault fails, and those that went down with it go again."""
    scene.mapping(f"{LEAD.replace('default: n/a', 'on_invalid: drop')}headers: {{all_or_none: true}}\n")
    scene.run(person("a", last="A"), person("b"), person("c", last="C"), code=1)
    assert [fate for fate, _ in scene.outcomes()] == ["created", "failed", "created"]
    assert scene.rows("SELECT Email FROM Lead ORDER BY Id") == [("a@b.co",), ("c@b.co",)]


def test_a_converted_lead_fails_with_its_reason(scene: Scene) -> None:
    converted = "City: traits.city\n  IsConverted: {value: true, write: create}"
    scene.mapping(LEAD.replace("City: traits.city", converted))
    scene.run(person("ann"))
    scene.run(person("ann", city="Rome"), code=1, arguments=("--restart",))
    assert scene.outcomes() == [("failed", "CANNOT_UPDATE_CONVERTED_LEAD: cannot reference converted lead")]


def test_refused_lookups_are_dead_letters_even_if_the_run_then_ends(scene: Scene) -> None:
    """Otherwise each run with few calls would ask for the same ones again, and none would get further."""
    scene.mapping(LEAD)
    also(scene, "account", "sfmap: 1\n" + ACCOUNT.replace("identify", "group"))
    people = [person(f"p{number}") for number in range(4)]
    groups = [{**person(f"g{number}"), "type": "group"} for number in range(4)]
    scene.faults({"kind": "fault", "calls": "query", "code": "INVALID_FIELD", "message": "no such column"})
    scene.run(*people, *groups, code=3, arguments=("--max-calls", "6"))
    assert [fate for fate, _ in scene.outcomes()] == ["failed"] * 4
    scene.again(code=1, arguments=("--max-calls", "6"))
    assert [fate for fate, _ in scene.outcomes()] == ["failed"] * 8
