"""`sfmap plan`: what is looked up is as earlier events of the plan would leave it."""

from ..folder import Event, track
from ..scene import Scene, also

BY_EMAIL = """\
event: {type: track, name: Signed Up}
object: Lead
match: Email
fields:
  Email: properties.email
  LastName: {value: Lee}
  Company: {value: Acme}
  Rating: {value: Cold}
"""
BY_KEY = """\
sfmap: 1
event: {type: track, name: Moved}
object: Lead
operation: update
match: [{Key__c: properties.key}]
fields: {Company: properties.company, Email: properties.email, Rating: properties.rating}
"""
BY_NAME = """\
sfmap: 1
event: {type: track, name: Called}
object: Lead
match: [[LastName, Company]]
fields: {LastName: {value: Lee}, Company: properties.company, Phone: properties.phone}
"""
RATED = """\
sfmap: 1
event: {type: track, name: Rated}
object: Lead
operation: update
match: [{Email: properties.email}]
where: WHERE
fields: {Phone: {value: "1"}}
"""
KEYED = BY_EMAIL.replace("fields:\n", "fields:\n  Key__c: properties.key\n")


def planned(scene: Scene, *events: Event) -> list[str]:
    """What the plan says of each record: what happens to it, and the new values."""
    scene.sfmap("plan", scene.folder.write("e.ndjson", list(events)), "--out", "out.ndjson")
    lines = scene.folder.lines("out.ndjson")
    return [" ".join([str(line["change"]), *map(str, new_values(line["fields"]))]) for line in lines]


def new_values(fields: object) -> list[object]:
    assert isinstance(fields, dict)
    return sorted(each["new"] for each in fields.values())


def test_a_record_is_found_by_a_planned_value_beside_one_that_it_holds(scene: Scene) -> None:
    scene.mapping(KEYED)
    also(scene, "moved", BY_KEY)
    also(scene, "called", BY_NAME)
    scene.run(track("Signed Up", email="ann@b.co", key="a"))
    events = [track("Moved", key="a", company="Initech"), track("Called", company="Initech", phone="1")]
    assert planned(scene, *events) == ["changed 1 Initech"]
    scene.run(*events)
    assert scene.rows("SELECT Company, Phone FROM Lead") == [("Initech", "1")]


def test_a_record_is_found_once_it_would_meet_the_condition(scene: Scene) -> None:
    scene.mapping(KEYED)
    also(scene, "moved", BY_KEY)
    also(scene, "rated", RATED.replace("WHERE", "rating = 'hot'"))
    scene.run(track("Signed Up", email="ann@b.co", key="a"))
    events = [track("Moved", key="a", rating="Hot"), track("Rated", email="ann@b.co")]
    assert planned(scene, *events) == ["changed 1 Hot"]
    scene.run(*events)
    assert scene.rows("SELECT Rating, Phone FROM Lead") == [("Hot", "1")]


def test_a_record_is_not_found_once_it_would_fail_the_condition(scene: Scene) -> None:
    scene.mapping(KEYED)
    also(scene, "moved", BY_KEY)
    also(scene, "rated", RATED.replace("WHERE", "rating = 'Cold'"))
    scene.run(track("Signed Up", email="ann@b.co", key="a"))
    events = [track("Moved", key="a", rating="Hot"), track("Rated", email="ann@b.co")]
    assert planned(scene, *events) == ["changed Hot"]
    scene.run(*events)
    assert scene.rows("SELECT Rating, Phone FROM Lead") == [("Hot", None)]


def test_what_fails_a_condition_in_the_org_is_not_found_though_it_is_written(scene: Scene) -> None:
    """A condition that a plan cannot evaluate is the org's to decide."""
    scene.mapping(KEYED)
    also(scene, "rated", RATED.replace("WHERE", "CreatedDate < 2020-01-01T00:00:00Z"))
    scene.run(track("Signed Up", email="ann@b.co", key="a"))
    events = [track("Signed Up", email="ann@b.co", key="b"), track("Rated", email="ann@b.co")]
    assert planned(scene, *events) == ["changed b"]
    scene.run(*events)
    assert scene.rows("SELECT Key__c, Phone FROM Lead") == [("b", None)]


def test_a_plan_of_many_records_takes_as_many_calls_as_one_of_few(scene: Scene) -> None:
    scene.mapping(KEYED)
    also(scene, "campaign", CAMPAIGN)
    also(scene, "member", MEMBER)

    def calls(count: int) -> int:
        people = [f"p{number}" for number in range(count)]
        signed_up = [track("Signed Up", email=f"{one}@b.co", key=one) for one in people]
        before = scene.calls()
        planned(scene, *signed_up, *(track("Invited", key=one, campaign="Fair") for one in people))
        return (scene.calls() - before)["query"]

    scene.run(track("Campaign", campaign="Fair"))
    scene.run(*(track("Signed Up", email=f"p{number}@b.co", key=f"p{number}") for number in range(30)))
    assert calls(30) == calls(2)


CAMPAIGN = """\
sfmap: 1
event: {type: track, name: Campaign}
object: Campaign
match: Name
fields: {Name: properties.campaign}
"""
MEMBER = """\
sfmap: 1
event: {type: track, name: Invited}
object: CampaignMember
operation: create
fields:
  CampaignId: {object: Campaign, by: Name, from: properties.campaign}
  LeadId: {object: Lead, by: Key__c, from: properties.key, on_missing: reject}
"""
