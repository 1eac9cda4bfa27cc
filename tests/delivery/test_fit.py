"""Records fitted to what the org has: what is left out or cut, and what is noted (docs/behaviour.md, row 11)."""

from collections.abc import Mapping

import pytest

from sfmap.engine.delivery.fit import fit
from sfmap.engine.delivery.org_objects import DoesNotFit, OrgObjects
from sfmap.engine.language.model import CONVENTIONS, Conventions, Operation
from sfmap.engine.mapping.values.record import Record, RecordPlan, Value
from sfmap.engine.org.port import FieldDescription, ObjectDescription, PicklistEntry


def field(
    name: str,
    kind: str = "string",
    length: int = 0,
    createable: bool = True,
    updateable: bool = True,
    restricted_picklist: bool = False,
    precision: int = 0,
    scale: int = 0,
) -> FieldDescription:
    return FieldDescription(
        name=name,
        label=name,
        type=kind,
        length=length,
        createable=createable,
        updateable=updateable,
        nillable=True,
        defaulted_on_create=False,
        id_lookup=False,
        external_id=False,
        restricted_picklist=restricted_picklist,
        entries=(PicklistEntry("Hot"), PicklistEntry("Cold"), PicklistEntry("Old", active=False)),
        precision=precision,
        scale=scale,
    )


FIELDS = [
    field("Key__c", length=5),
    field("testProp__c", length=5),
    field("Visits__c", "double"),
    field("Share__c", "percent", precision=5, scale=2),
    field("Seats__c", "int", precision=8),
    field("Vip__c", "boolean"),
    field("Seen__c", "datetime"),
    field("Day__c", "date"),
    field("Opens__c", "time"),
    field("Mail__c", "email", 10),
    field("Rating", "picklist", 3, restricted_picklist=True),
    field("Tags__c", "multipicklist", 100, restricted_picklist=True),
    field("Formula__c", createable=False, updateable=False),
    field("Once__c", updateable=False),
    field("Later__c", createable=False),
    field("Body__c", "base64"),
]
DESCRIPTION = ObjectDescription(
    name="Thing__c",
    label="Thing",
    key_prefix="a00",
    createable=True,
    updateable=True,
    fields={one.name: one for one in FIELDS},
)
OBJECTS = OrgObjects({"Thing__c": DESCRIPTION})


def record(fields: Mapping[str, Value], match: Mapping[str, Value] | None = None) -> Record:
    return Record(
        plan=plan(),
        match=(match or {"Key__c": "k"},),
        fields=fields,
        create_only={},
        update_only={},
        if_empty={},
        origins={name: f"traits.{name.removesuffix('__c')}" for name in fields},
    )


def plan(operation: Operation = "upsert", conventions: Conventions = CONVENTIONS) -> RecordPlan:
    return RecordPlan(
        mapping="thing", object="Thing__c", operation=operation, on_many="newest", conventions=conventions
    )


KEPT: list[tuple[dict[str, Value], dict[str, Value]]] = [
    ({"Mail__c": "Ann@B.CO"}, {"Mail__c": "ann@b.co"}),  # as orgs store it
    ({"Mail__c": "\u0130\u0130@bc.com"}, {"Mail__c": "\u0130\u0130@bc.com"}),  # in small letters it would not fit
    ({"testProp__c": "abcde"}, {"testProp__c": "abcde"}),
    ({"testProp__c": 12}, {"testProp__c": "12"}),
    ({"Visits__c": "12"}, {"Visits__c": 12}),
    ({"Vip__c": "yes"}, {"Vip__c": True}),
    ({"Seen__c": "2026-11-23T10:00:00.123456Z"}, {"Seen__c": "2026-11-23T10:00:00.123Z"}),
    ({"Opens__c": "9:30 AM"}, {"Opens__c": "09:30:00.000Z"}),
    ({"Share__c": 999.999}, {"Share__c": 999.999}),
    ({"Seats__c": "-99999999"}, {"Seats__c": -99_999_999}),
    ({"Rating": "Warmish"}, {"Rating": "Warmish"}),
    ({"Body__c": "SGk="}, {"Body__c": "SGk="}),
    ({"Tags__c": "Hot; Cold;"}, {"Tags__c": "Hot; Cold;"}),
    ({"Tags__c": "Hot;Old"}, {"Tags__c": "Hot;Old"}),
]
DOUBTFUL = [{"Rating": "Warmish"}, {"Tags__c": "Hot;Old"}]


@pytest.mark.parametrize(("given", "kept"), KEPT)
def test_values_that_fit_are_kept_without_notes(given: dict[str, Value], kept: dict[str, Value]) -> None:
    fitted = fit(record(given), OBJECTS)
    assert fitted.on_create == fitted.on_update == kept
    assert fitted.notes == ()
    assert fitted.likely_refused == (given in DOUBTFUL)


NOTED: list[tuple[dict[str, Value], str]] = [
    (
        {"testprop__c": "x"},
        "Thing__c has no field testprop__c for traits.testprop; it has testProp__c, and the casing",
    ),
    ({"testPorp__c": "x"}, 'no field testPorp__c for traits.testPorp; did you mean "testProp__c"?'),
    ({"zzz__c": "x"}, "no field zzz__c for traits.zzz; create it in Setup, or give the user access to it"),
    ({"Visits__c": "many"}, "traits.Visits is not a number (Visits__c is of type double)"),
    ({"Vip__c": "perhaps"}, "traits.Vip is not true or false (Vip__c is of type boolean)"),
    ({"Visits__c": 10**18}, "traits.Visits has more digits than a number field can hold"),
    ({"Visits__c": 123456789012345678}, "traits.Visits has more digits than a number field keeps"),
    ({"Share__c": 1000}, "traits.Share has more than 3 digits before the point (Share__c is of type percent)"),
    ({"Seats__c": 123_456_789}, "traits.Seats has more than 8 digits before the point (Seats__c is of type int)"),
    ({"Seen__c": "soon"}, "traits.Seen is not a date and time (ISO 8601) (Seen__c is of type datetime)"),
    ({"Seen__c": "0001-01-01T00:00:00Z"}, "is out of the range of a date field (1700-01-01 to 4000-12-31)"),
    ({"Day__c": "0001-01-01"}, "is out of the range of a date field (1700-01-01 to 4000-12-31)"),
    ({"Opens__c": "25:00:00"}, "traits.Opens is not a time of day (HH:MM or HH:MM:SS) (Opens__c is of type time)"),
    (
        {"Mail__c": "long@example.com"},
        "traits.Mail is longer than 10 characters, and an e-mail address is never cut",
    ),
    ({"Body__c": "Hi!"}, "traits.Body is not base64 (Body__c is of type base64)"),
    ({"Formula__c": "x"}, "Thing__c.Formula__c is read-only for this user"),
]


@pytest.mark.parametrize(("given", "words"), NOTED)
def test_values_that_do_not_fit_are_left_out_and_noted(given: dict[str, Value], words: str) -> None:
    fitted = fit(record({**given, "Key__c": "k"}), OBJECTS)
    assert fitted.on_create == fitted.on_update == {"Key__c": "k"}
    (note,) = map(str, fitted.notes)
    assert note.startswith(f"{next(iter(given))}: left out: ")
    assert words in note


def test_suggestions_for_unknown_fields_are_limited() -> None:
    """To find the nearest name takes long; the first hundreds get it, the others a note without."""
    objects = OrgObjects({"Thing__c": DESCRIPTION})
    notes = [str(fit(record({f"testPorp{number}__c": "x"}), objects).notes[0]) for number in range(1_000)]
    meant = ['did you mean "testProp__c"?' in note for note in notes]
    assert meant == [True] * 500 + [False] * 500
    assert "create it in Setup" in notes[-1]
    (casing,) = fit(record({"testprop__c": "x"}), objects).notes
    assert "it has testProp__c, and the casing must agree" in casing.what


def test_long_text_is_cut_in_fields_and_lookups() -> None:
    fitted = fit(record({"Key__c": "abcdefg"}, {"Key__c": "abcdefg"}), OBJECTS)
    assert fitted.on_create == {"Key__c": "abcde"}
    assert fitted.match == ({"Key__c": "abcde"},)
    assert [str(note) for note in fitted.notes] == ["Key__c: cut to 5 characters, the field's length in the org"]


def test_a_field_is_written_only_by_the_operations_that_it_allows() -> None:
    fitted = fit(record({"Once__c": "a", "Later__c": "b"}), OBJECTS)
    assert (fitted.on_create, fitted.on_update) == ({"Once__c": "a"}, {"Later__c": "b"})


UNFIT: list[tuple[dict[str, Value], str]] = [
    ({"Nope__c": "x"}, "cannot look up by Nope__c: Thing__c has no field Nope__c"),
    ({"Visits__c": "many"}, "cannot look up by Visits__c: its default is not a number"),
]


@pytest.mark.parametrize(("match", "words"), UNFIT)
def test_a_match_value_that_does_not_fit_is_refused(match: dict[str, Value], words: str) -> None:
    with pytest.raises(DoesNotFit) as raised:
        fit(record({}, match), OBJECTS)
    assert words in str(raised.value)


def test_texts_are_read_by_the_conventions_of_their_mapping() -> None:
    given = record({"Day__c": "1990-05-11T22:00:00Z", "Visits__c": "1.200,5"})
    fitted = fit(given._replace(plan=plan(conventions=Conventions("Europe/Berlin", "comma"))), OBJECTS)
    assert fitted.on_create == {"Day__c": "1990-05-12", "Visits__c": 1200.5}


def test_a_create_without_fields_is_refused() -> None:
    given = record({"Visits__c": "many", "Formula__c": "x"})
    with pytest.raises(DoesNotFit) as refused:
        fit(given._replace(plan=plan("create"), match=()), OBJECTS)
    assert str(refused.value) == (
        "nothing to write: no field has a value (Visits__c: left out: traits.Visits is not a number"
        " (Visits__c is of type double); Formula__c: left out: Thing__c.Formula__c is read-only for this user)"
    )
