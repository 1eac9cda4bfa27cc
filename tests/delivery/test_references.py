"""References to other records: conditions, several objects, several records, and notes where none is found."""

from collections.abc import Sequence

import pytest

from ..folder import Event, Folder, track

RECORD_TYPE = """\
sfmap: 1
event: {type: track, name: Record Type}
object: RecordType
operation: create
fields:
  Name: properties.name
  DeveloperName: properties.name
  SobjectType: properties.object
  IsActive: {value: true}
"""
GROUP = """\
sfmap: 1
event: {type: track, name: Group}
object: Group
operation: create
fields: {Name: properties.name, DeveloperName: properties.name, Type: properties.type}
"""
SERVED = """\
sfmap: 1
event: {type: track, name: Served}
object: QueueSobject
operation: create
fields:
  QueueId: {object: Group, by: DeveloperName, where: Type = 'Queue', from: properties.queue}
  SobjectType: properties.object
"""
PERSON = """\
sfmap: 1
event: {type: track, name: Person}
for_each: properties.people
object: OBJECT
operation: create
fields: {Email: item, LastName: {value: Lee}OTHER}
"""
CONTACT = PERSON.replace("OBJECT", "Contact").replace("OTHER", "")
LEAD = PERSON.replace("OBJECT", "Lead").replace("OTHER", ", Company: {value: Initech}").replace("Person", "Lead")
ACCOUNT = """\
sfmap: 1
event: group
object: Account
match: AccountNumber
fields:
  AccountNumber: groupId
  Name: {value: Initech}
"""
CASE = """\
sfmap: 1
event: {type: track, name: Asked}
object: Case
operation: create
fields:
  Subject: {value: A question}
"""
TASK = """\
sfmap: 1
event: {type: track, name: Called}
object: Task
operation: create
fields:
  Subject: {value: A call}
  WhoId: {object: [Contact, Lead], by: Email, from: properties.email, type: email}
"""


def record_type(name: str, object_name: str) -> Event:
    return {"type": "track", "event": "Record Type", "properties": {"name": name, "object": object_name}}


def group(name: str, kind: str) -> Event:
    return {"type": "track", "event": "Group", "properties": {"name": name, "type": kind}}


def account(**traits: object) -> Event:
    return {"type": "group", "groupId": "813", "traits": traits}


def deliver(
    folder: Folder, mappings: dict[str, str], first: Sequence[Event], *events: Event, project: str = ""
) -> list[dict[str, object]]:
    """The outcomes of the events, once the first ones are delivered."""
    (folder.path / "mappings").mkdir()
    for name, text in mappings.items():
        (folder.path / "mappings" / f"{name}.yaml").write_text(text)
    (folder.path / "sfmap.yaml").write_text(f"mappings: mappings\n{project}")
    if first:
        done = folder.sfmap("run", folder.write("first.ndjson", first))
        assert done.returncode == 0, done.stderr
    arguments = ("--results", "results", "--report", "report.json")
    done = folder.sfmap("run", folder.write("events.ndjson", events), *arguments)
    assert done.returncode in (0, 1), done.stderr
    return folder.lines("results")


SUPPORT = [group("Support", "Regular"), group("Support", "Queue"), group("Support", "Regular")]
SUPPORT += [{"type": "track", "event": "Served", "properties": {"queue": "Support", "object": "Case"}}]
TYPES = [record_type("Partner", "Account"), record_type("Partner", "Case"), record_type("Partner", "Account")]


def reference(mapping: str, text: str) -> str:
    return f"{mapping}  {text}\n"


ACCOUNT_TYPE = (
    "RecordTypeId: {object: RecordType, by: DeveloperName, from: traits.kind, where: SobjectType = 'Account'"
)
QUEUE = "OwnerId: {object: Group, by: DeveloperName, where: Type = 'Queue'"


@pytest.mark.parametrize(
    ("more", "kind", "found", "note"),
    [
        ("}", "partner", 3, "RecordTypeId: 2 RecordType records match: the newest was taken"),
        (", on_many: oldest}", "Partner", 1, "RecordTypeId: 2 RecordType records match: the oldest was taken"),
        (", values: {vip: Partner}, else: Other, on_many: oldest}", "VIP", 1, "oldest was taken"),
        (", values: {vip: Partner}, else: Other}", "x", None, "'Other' where SobjectType = 'Account'"),
        (", values: {vip: Partner}}", "x", None, "RecordTypeId: left out: traits.kind is not an entry of values"),
    ],
)  # fmt: skip
def test_a_reference_is_looked_up_under_its_condition(
    folder: Folder, more: str, kind: str, found: int | None, note: str
) -> None:
    """Another object has a record type of that name, too."""
    mappings = {"type": RECORD_TYPE, "account": reference(ACCOUNT, ACCOUNT_TYPE + more)}
    (told,) = deliver(folder, mappings, TYPES, account(kind=kind))
    assert told["outcome"] == "created"
    (row,) = folder.rows("SELECT RecordTypeId FROM Account")
    ids = [None, *(one for (one,) in folder.rows("SELECT Id FROM RecordType ORDER BY Id"))]
    assert row[0] == ids[found or 0]
    assert note in str(told["notes"])


def test_on_many_error_fails_an_ambiguous_reference(folder: Folder) -> None:
    mappings = {"type": RECORD_TYPE, "account": reference(ACCOUNT, ACCOUNT_TYPE + ", on_many: error}")}
    (told,) = deliver(folder, mappings, TYPES, account(kind="Partner"))
    assert (told["outcome"], told["reason"]) == (
        "failed", "RecordTypeId: 2 RecordType records match, and on_many is error",
    )  # fmt: skip
    assert folder.rows("SELECT count(*) FROM Account") == [(0,)]


@pytest.mark.parametrize("rule", [
    QUEUE + ", value: Support, on_many: error}",
    QUEUE + ", template: \"{{ 'SUP' }}{{ 'port' }}\", on_many: error}",
])  # fmt: skip
def test_a_queue_is_found_among_groups(folder: Folder, rule: str) -> None:
    (told,) = deliver(
        folder, {"group": GROUP, "served": SERVED, "case": reference(CASE, rule)}, SUPPORT, track("Asked")
    )
    assert (told["outcome"], told.get("notes")) == ("created", None)
    assert folder.rows('SELECT g.Type FROM "Case" JOIN "Group" g ON g.Id = "Case".OwnerId') == [("Queue",)]


def test_one_name_is_looked_up_under_each_condition(folder: Folder) -> None:
    """Two mappings look for the same name under different conditions; only a queue can own records."""
    other = CASE.replace("Asked", "Wondered")
    mappings = {
        "group": GROUP,
        "served": SERVED,
        "asked": reference(CASE, QUEUE + ", value: Support}"),
        "wondered": reference(other, QUEUE.replace("Queue", "Regular") + ", value: Support, on_many: oldest}"),
    }
    asked, wondered = deliver(folder, mappings, SUPPORT, track("Asked"), track("Wondered"))
    assert (asked["outcome"], wondered["outcome"]) == ("created", "failed")
    assert "Queue not associated with this SObject type" in str(wondered["reason"])
    assert folder.rows('SELECT g.Type FROM "Case" JOIN "Group" g ON g.Id = "Case".OwnerId') == [("Queue",)]


def test_the_first_object_with_a_record_is_referenced(folder: Folder) -> None:
    people = [
        track("Person", people=["both@x.co", "contact@x.co"]),
        track("Lead", people=["both@x.co", "lead@x.co"]),
    ]
    emails = ["both@x.co", "CONTACT@x.co", "lead@x.co", "nobody@x.co"]
    told = deliver(
        folder,
        {"contact": CONTACT, "lead": LEAD, "task": TASK},
        people,
        *(track("Called", email=email) for email in emails),
    )
    rows = folder.rows("SELECT substr(WhoId, 1, 3) FROM Task ORDER BY Id")
    assert rows == [("003",), ("003",), ("00Q",), (None,)]
    assert [one.get("notes") for one in told[:3]] == [None] * 3
    assert told[3]["notes"] == ["WhoId: left out: no Contact or Lead was found by Email"]
    calls = folder.report()["api_calls"]
    assert isinstance(calls, dict)
    assert calls["query"] == 2  # one for each object


def test_a_record_created_earlier_in_the_file_is_referenced(folder: Folder) -> None:
    """Of events in one file, the first points to the Lead, and the one behind the new Contact to that."""
    events = [track("Lead", people=["a@x.co"]), track("Called", email="a@x.co")]
    events += [track("Person", people=["a@x.co"]), track("Called", email="a@x.co")]
    deliver(folder, {"contact": CONTACT, "lead": LEAD, "task": TASK}, [], *events)
    assert folder.rows("SELECT substr(WhoId, 1, 3) FROM Task ORDER BY Id") == [("00Q",), ("003",)]


def test_a_record_may_refer_to_itself_once_it_is_there(folder: Folder) -> None:
    """The first event, which is delivered together with the second, names nobody."""
    contact = PERSON.replace("operation: create", "match: Email").replace("OBJECT", "Contact")
    contact = contact.replace("item", "item.email").replace(
        "OTHER", ", ReportsToId: {object: Contact, by: Email, from: item.boss}"
    )
    people = [{"email": "a@x.co"}, {"email": "a@x.co", "boss": "a@x.co"}]
    told = deliver(folder, {"contact": contact}, [], track("Person", people=people))
    assert [one["outcome"] for one in told] == ["created", "updated"]
    assert folder.rows("SELECT count(*) FROM Contact WHERE ReportsToId = Id") == [(1,)]


def test_a_record_without_its_only_reference_fails(folder: Folder) -> None:
    task = TASK.replace("  Subject: {value: A call}\n", "")
    (told,) = deliver(folder, {"task": task}, [], track("Called", email="a@x.co"))
    assert told["outcome"] == "failed"
    assert told["reason"] == (
        "nothing to write: no field has a value (WhoId: left out: no Contact or Lead was found by Email)"
    )
    assert folder.rows("SELECT count(*) FROM Task") == [(0,)]


@pytest.mark.parametrize(("rule", "note"), [
    ("WhoId: {object: [Contact, Account], by: Email, value: a@x.co}",
     "WhoId: not looked for everywhere: WhoId cannot point to Account; it points to Contact or Lead"),
    ("WhoId: {object: [Lead, Contact], by: Company, value: Initech}",
     "WhoId: not looked for everywhere: Contact has no field Company, or this user may not see it"),
    ("WhoId: {object: [Account, Case], by: Name, value: Initech}",
     "WhoId: left out: WhoId cannot point to Account; it points to Contact or Lead"),
])  # fmt: skip
def test_an_object_that_the_field_cannot_reference_is_noted(folder: Folder, rule: str, note: str) -> None:
    task = TASK[: TASK.index("  WhoId")] + f"  {rule}\n"
    people = [track("Person", people=["a@x.co"]), track("Lead", people=["a@x.co"])]
    (told,) = deliver(folder, {"contact": CONTACT, "lead": LEAD, "task": task}, people, track("Called"))
    assert note in str(told["notes"])
    assert folder.rows("SELECT count(WhoId) FROM Task") == [(int("left out" not in note),)]


@pytest.mark.parametrize(("origin", "named"), [
    ("value: nobody@x.co", " 'nobody@x.co'"),
    ("template: \"{{ 'nobody' }}@x.co\"", " 'nobody@x.co'"),
    ("from: properties.rank, values: {me@x.co: nobody@x.co}", " 'nobody@x.co'"),
    ("from: properties.rank, values: {second: other@x.co}, else: nobody@x.co", " 'nobody@x.co'"),
    ("from: properties.rank, values: {second: other@x.co}, else: keep", ""),
    ("from: properties.rank", ""),
    ("template: \"{{ properties.rank }}\"", ""),
])  # fmt: skip
def test_a_note_names_constants_but_no_values_of_the_event(folder: Folder, origin: str, named: str) -> None:
    """What the event says stays out of the notes."""
    task = TASK[: TASK.index("  WhoId")] + f"  WhoId: {{object: [Lead, Contact], by: Email, {origin}}}\n"
    (told,) = deliver(folder, {"task": task}, [], track("Called", rank="me@x.co"))
    assert told["notes"] == [f"WhoId: left out: no Lead or Contact was found by Email{named}"]


def test_a_conditional_reference_is_looked_up_before_an_upsert(folder: Folder) -> None:
    """An upsert names a parent by its external id alone, so delivery looks up what has a condition."""
    (folder.path / "schema.yaml").write_text(
        "objects:\n"
        "  Plan__c: {fields: {Code__c: {type: string, length: 9, external_id: true},"
        " Kind__c: {type: string, length: 9}}}\n"
        "  Seat__c: {fields: {Key__c: {type: string, length: 9, external_id: true, unique: true},"
        " Plan__c: {type: reference, to: Plan__c}}}\n"
    )
    plan = (
        "sfmap: 1\nevent: {type: track, name: Plan}\nobject: Plan__c\noperation: create\n"
        "fields: {Code__c: properties.code, Kind__c: properties.kind}\n"
    )
    seat = (
        "sfmap: 1\nevent: identify\nobject: Seat__c\nmatch: {external_id: Key__c}\nfields:\n  Key__c: userId\n"
        "  Plan__r: {object: Plan__c, by: Code__c, from: traits.plan, where: Kind__c = 'new',"
        " on_missing: reject}\n"
    )
    plans = [track("Plan", code="pro", kind=kind) for kind in ("new", "old")]
    told = deliver(
        folder,
        {"plan": plan, "seat": seat},
        [],
        *plans,
        {"type": "identify", "userId": "u1", "traits": {"plan": "pro"}},
        {"type": "identify", "userId": "u2", "traits": {"plan": "free"}},
        project="orgs: {local: {schema: schema.yaml}}\n",
    )
    assert [one["outcome"] for one in told] == ["created", "created", "created", "failed"], told
    assert told[3]["reason"] == "Plan__c: no Plan__c was found by Code__c 'free' where Kind__c = 'new'"
    assert folder.rows("SELECT Kind__c FROM Seat__c JOIN Plan__c p ON p.Id = Seat__c.Plan__c") == [("new",)]
