"""`sfmap check --org`: what it reports about the fields of a mapping; each case is a mapping."""

from collections.abc import Mapping

import orjson
import pytest

from ..folder import Folder

SCHEMA = """\
objects:
  Thing__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true, required: true}
      Name__c: {type: string, length: 10, required: true}
      Day__c: {type: date}
      Due__c: {type: date, required: true}
      Mail__c: {type: email, required: true}
      Notes__c: {type: textarea, length: 32000}
      Rating__c: {type: picklist, values: [Hot, Cold]}
      Grade__c: {type: picklist, restricted: true, values: [{value: A, label: Best}, {value: Z, active: false}]}
      Tags__c: {type: multipicklist, restricted: true, values: [red, green, blue]}
      Free__c: {type: multipicklist, values: [red, green, blue]}
      Account__c: {type: reference, to: Account}
      Boss__c: {type: reference, to: User, required: true}
      Message__c: {type: string, length: 80, unique: true}
"""
GOOD = {
    "Key__c": "userId",
    "Name__c": "{value: x}",
    "Due__c": "{from: traits.due, type: date, required: true}",
    "Mail__c": "{from: traits.mail, type: email, max: 80, required: true}",
    "Boss__c": "{object: User, by: Username, from: traits.boss, on_missing: reject, required: true}",
}


def mapping(fields: Mapping[str, str], **keys: str) -> str:
    known = {"object": "Thing__c", "match": "Key__c", **keys}
    head = "".join(f"{key}: {value}\n" for key, value in known.items() if value)
    rules = {name: rule for name, rule in {**GOOD, **fields}.items() if rule}
    return f"sfmap: 1\nevent: identify\n{head}fields:\n" + "".join(f"  {n}: {r}\n" for n, r in rules.items())


NO_RULE = ""
OF_TYPE = "the field is of type reference"
SAID = {
    "nothing": (mapping({}), []),
    "an object that is not there": (
        mapping({}, object="Thang__c"),
        ['error: the org has no object Thang__c, or this user may not see it | did you mean "Thing__c"?'],
    ),
    "a constant that is no id": (
        mapping({"OwnerId": "{value: abc}"}),
        ["error: the value of OwnerId is not a record id (15 or 18 letters and digits) | " + OF_TYPE],
    ),
    "a constant that is too long": (
        mapping({"Name__c": "{value: a long name of it}"}),
        ["warning: the value of Name__c is cut to 10 characters, the field's length"],
    ),
    "a lookup by a date": (
        mapping({"Day__c": "{from: traits.day, type: date}"}, match="Day__c"),
        [
            "error: Thing__c cannot be looked up by Day__c | it is of type date, which lookups do not support",
            "warning: a new Thing__c needs Key__c, which stays empty if an event has no value for it"
            " | write required: true, or a default",
        ],
    ),
    "a lookup by a long text": (
        mapping({"Notes__c": "traits.notes"}, match="[Key__c, Notes__c]"),
        [
            "error: Thing__c cannot be looked up by Notes__c"
            " | the org cannot filter by it (textarea of 32,000 characters)",
            "warning: a new Thing__c needs Key__c, which stays empty if an event has no value for it"
            " | write required: true, or a default",
        ],
    ),
    "a condition with fields that are not there": (
        mapping({}, where="\"Owner.Nme = 'x' AND (Naem = 'Notes__c = 5' OR NOT notes__c LIKE 'a%')\""),
        [
            'error: Thing__c has no field Naem to compare | did you mean "Name"?',
            "error: Thing__c cannot be looked up by Notes__c"
            " | the org cannot filter by it (textarea of 32,000 characters)",
        ],
    ),
    "a reference whose condition has a field that is not there": (
        mapping({"Account__c": "{object: Account, by: Name, value: x, where: Tyep = 'y', on_missing: reject}"}),
        ['error: Account has no field Tyep to compare | did you mean "Type"?'],
    ),
    "a reference to several objects": (
        mapping({"OwnerId": "{object: [Group, User, Account], by: Username, value: x}"}),
        [
            'error: Group has no field Username | did you mean "Name"?',
            "error: OwnerId cannot point to Account | it points to Group or User",
        ],
    ),
    "a create that is done again with each run": (
        mapping({"Key__c": "{value: x}"}, operation="create", match=""),
        [
            "warning: running a file twice creates each Thing__c twice if its events have no messageId"
            " | upsert by a unique external id, or write silence: [SF052] in sfmap.yaml if its events have one",
        ],
    ),
    "a create with a value that no two records have": (
        mapping({"Key__c": "{value: x}", "Message__c": "messageId"}, operation="create", match=""),
        [],
    ),
    "a value outside an open picklist": (
        mapping({"Rating__c": "{value: Hott}"}),
        ['warning: "Hott" is not a value of the picklist Rating__c | did you mean "Hot"?'],
    ),
    "a value outside a restricted picklist": (
        mapping({"Grade__c": "{value: Z}"}),
        ['error: "Z" is not a value of the picklist Grade__c'],
    ),
    "several values of a multi-select picklist": (mapping({"Tags__c": "{value: red;blue}"}), []),
    "one that is none of several": (
        mapping({"Tags__c": "{value: red;bleu}", "Free__c": "{default: red; pink}"}),
        [
            'error: "bleu" is not a value of the picklist Tags__c | did you mean "blue"?',
            'warning: "pink" is not a value of the picklist Free__c',
        ],
    ),
    "a required field without a rule": (
        mapping({"Name__c": NO_RULE}),
        ["error: a new Thing__c needs Name__c, which no rule provides"],
    ),
    "a required field that a custom trait may fill": (
        mapping({"Name__c": "", "custom": ""}) + "custom: {from: traits}\n",
        [
            "warning: a new Thing__c needs Name__c, which only a trait of that name fills"
            " | give it a rule with required: true"
        ],
    ),
    "a required field behind a condition": (
        mapping({"Name__c": "{value: x, when: traits.plan}"}),
        ["warning: a new Thing__c needs Name__c, which stays empty if its condition is false | leave out when"],
    ),
    "a required field of an update alone": (
        mapping({"Name__c": "{value: x, write: update}"}),
        ["error: a new Thing__c needs Name__c, which no rule provides"],
    ),
    "a required field with a default for updates": (
        mapping({"Name__c": "{from: traits.name, default: {value: x, write: update}}"}),
        [
            "warning: a new Thing__c needs Name__c, which stays empty if an event has no value for it"
            " | write required: true, or a default"
        ],
    ),
    "a required date without a type": (
        mapping({"Due__c": "{from: traits.due, required: true}"}),
        ["warning: a new Thing__c needs Due__c, which stays empty if a value does not fit | write type: date"],
    ),
    "a required date that is cut": (
        mapping({"Due__c": "{from: traits.due, type: date, required: true, max: 9}"}),
        [
            "warning: a new Thing__c needs Due__c, which stays empty if a value does not fit"
            " | write type: date and no max"
        ],
    ),
    "a required e-mail address that may be too long": (
        mapping({"Mail__c": "{from: traits.mail, type: email, required: true}"}),
        [
            "warning: a new Thing__c needs Mail__c, which stays empty if a value does not fit"
            " | write type: email, max: 80"
        ],
    ),
    "a required reference to a record that may be missing": (
        mapping({"Boss__c": "{object: User, by: Username, from: traits.boss, required: true}"}),
        [
            "warning: a new Thing__c needs Boss__c, which stays empty if no record is found"
            " | write on_missing: reject"
        ],
    ),
    "a required field where nothing is created": (
        mapping({"Name__c": NO_RULE}, operation="update"),
        [],
    ),
    "a reference by what cannot be looked up": (
        mapping({"Account__c": "{object: Account, by: Description, from: traits.account}"}),
        [
            "error: Account cannot be looked up by Description"
            " | the org cannot filter by it (textarea of 32,000 characters)"
        ],
    ),
    "a reference to another object": (
        mapping({"Account__c": "{object: User, by: Username, from: traits.account}"}),
        ["error: Account__c cannot point to User | it points to Account"],
    ),
    "a reference by a constant that does not fit": (
        mapping({"Account__c": "{object: Account, by: NumberOfEmployees, value: many}"}),
        ["error: the value of NumberOfEmployees is not a whole number | the field is of type int"],
    ),
    "a field that the user cannot write": (
        mapping({"CreatedDate": "traits.since"}),
        ["error: Thing__c.CreatedDate is read-only: it is never written"],
    ),
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """By case, what is said of its mapping: severity, message and help."""
    folder = Folder(tmp_path_factory.mktemp("check"))
    (folder.path / "ours").mkdir()
    for number, (text, _) in enumerate(SAID.values()):
        (folder.path / "ours" / f"m{number}.yaml").write_text(text)
    (folder.path / "schema.yaml").write_text(SCHEMA)
    (folder.path / "sfmap.yaml").write_text("mappings: ours\norgs: {local: {schema: schema.yaml}}\n")
    found: dict[str, list[str]] = {case: [] for case in SAID}
    for one in orjson.loads(folder.sfmap("check", "--org", "local", "--json").stdout)["diagnostics"]:
        case = list(SAID)[int(one["file"].removeprefix("ours/m").removesuffix(".yaml"))]
        help_ = f" | {one['help']}" if one["help"] else ""
        found[case].append(f"{one['severity']}: {one['message']}{help_}")
    return found


@pytest.mark.parametrize("case", SAID)
def test_fields_are_checked_against_the_org(said: dict[str, list[str]], case: str) -> None:
    assert sorted(said[case]) == sorted(SAID[case][1])


def test_an_unknown_object_is_no_error_without_an_org(folder: Folder) -> None:
    (folder.path / "ours").mkdir()
    (folder.path / "ours" / "m.yaml").write_text(
        "sfmap: 1\nevent: identify\nobject: Quote\nmatch: Name\nfields: {Name: userId}\n"
    )
    (folder.path / "sfmap.yaml").write_text("mappings: ours\n")
    done = folder.sfmap("check")
    assert done.returncode == 0
    assert "Quote is not among the objects that sfmap knows without asking an org" in done.stderr
    assert "sfmap check --org NAME asks the org" in done.stderr
