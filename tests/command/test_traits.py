"""`sfmap traits`: what arrives, and which rules read it."""

import orjson

from ..folder import Folder, Identify
from ..service import KEY, Service

MAPPING = """\
sfmap: 1
event: identify
object: Lead
match: Email
when: traits.type != 'internal'
fields:
  Email: traits.email
  LastName: {from: [traits.lastName, traits.name | last_name], default: n/a}
  Company: {template: "{{ traits.company.name }}, {{ traits.city }}"}
  Title: "traits.roles[*].title"
  Phone: "traits.phones[0]"
custom: {from: traits, suffix: __c, only: [plan]}
"""
LINES = """\
sfmap: 1
event: {type: track, name: Order *}
object: Order_Line__c
match: {external_id: Key__c}
for_each: properties.products
fields: {Key__c: item.sku, Price__c: {from: item.price, type: number}}
"""


def mapped(folder: Folder, **mappings: str) -> None:
    (folder.path / "mappings").mkdir()
    for name, text in mappings.items():
        (folder.path / "mappings" / f"{name}.yaml").write_text(text)
    (folder.path / "sfmap.yaml").write_text("mappings: mappings\n")


def inventory(folder: Folder, name: str, *more: str) -> dict[str, dict[str, object]]:
    """By path, what the command says of the only kind of events."""
    done = folder.sfmap("traits", "--json", name, *more)
    assert done.returncode == 0, done.stderr
    (kind,) = orjson.loads(done.stdout)["kinds"]
    return {seen["path"]: seen for seen in kind["paths"]}


def readers(seen: dict[str, object]) -> list[str]:
    read_by = seen["read_by"]
    assert isinstance(read_by, list)
    return [one.get("field", one["use"]) for one in read_by]


def test_each_path_is_shown_with_what_reads_it(folder: Folder, identify: Identify) -> None:
    mapped(folder, person=MAPPING)
    events = [
        {**identify("ann@b.example", name="Ann Lee", plan="pro"), "timestamp": "2026-11-02T10:00:00.000Z"},
        {**identify("bob@b.example", name="Bob", score=7), "timestamp": "2026-11-05T23:30:00-02:00"},
        {**identify("eve@b.example", name=None, score="high"), "timestamp": "2026-11-04T10:00:00Z"},
    ]
    done = folder.sfmap("traits", folder.write("e.ndjson", events))
    assert done.returncode == 0
    assert done.stdout.partition("          3  messageId")[0] == (
        "identify: 3 events, 2026-11-02 to 2026-11-06\n"
        "     filled  path                     type            reaches\n"
        "          3  traits.email             email           Email (person)\n"
        "             ann@b.example, bob@b.example, eve@b.example\n"
        "          2  traits.name              string/null     LastName (person)\n"
        "             Ann Lee, Bob\n"
        "          1  traits.plan              string          plan__c (person)\n"
        "             pro, until 2026-11-02\n"
        "          2  traits.score             integer/string  no rule reads it\n"
        "             7, high, since 2026-11-04\n"
    )
    assert done.stderr == "3 events, 7 paths; 1 trait or property that no rule reads.\n"


def test_rules_are_found_by_what_they_read(folder: Folder, identify: Identify) -> None:
    mapped(folder, person=MAPPING)
    event = identify(
        "a@b.co",
        **{"last name": "Lee", "type": "x", "city": "Rome", "company": {"name": "B", "size": 3}},
        roles=[{"title": "Clerk", "since": "2026-01-02"}],
        phones=["1", "2"],
        plan="pro",
        planet="Mars",
    )
    seen = inventory(folder, folder.write("e.ndjson", [event]))
    assert {path: readers(one) for path, one in seen.items() if path.startswith("traits")} == {
        "traits.email": ["Email"],
        "traits['last name']": ["LastName"],
        "traits.type": ["when"],
        "traits.city": ["Company"],
        "traits.company.name": ["Company"],
        "traits.company.size": [],
        "traits.roles[*].title": ["Title"],
        "traits.roles[*].since": [],
        "traits.phones[*]": ["Phone"],
        "traits.plan": ["plan__c"],
        "traits.planet": [],
    }
    assert seen["traits.email"]["read_by"] == [
        {
            "mapping": "person",
            "use": "field",
            "object": "Lead",
            "field": "Email",
            "file": "mappings/person.yaml",
            "line": 7,
        }
    ]


def test_items_of_a_list_are_read_by_the_rules_of_the_item(folder: Folder) -> None:
    mapped(folder, line=LINES)
    order = {
        "type": "track",
        "event": "Order Completed",
        "properties": {"products": [{"sku": "p1", "price": 2.5, "name": "Pen"}, {"sku": "p2", "price": 4}]},
    }
    seen = inventory(folder, folder.write("e.ndjson", [order]))
    assert {path: readers(one) for path, one in seen.items()} == {
        "properties.products[*].sku": ["Key__c", "for_each"],
        "properties.products[*].price": ["Price__c", "for_each"],
        "properties.products[*].name": ["for_each"],
    }
    assert (seen["properties.products[*].sku"]["filled"], seen["properties.products[*].price"]["types"]) == (
        1,
        {"number": 1, "integer": 1},
    )


def test_masked_examples_keep_their_shape(folder: Folder, identify: Identify) -> None:
    events = [identify("ann@b.example", phone="+39 06 1234", plan="pro", age=42, member=True)]
    name = folder.write("e.ndjson", events)
    seen = inventory(folder, name, "--mask")
    shown = {path: list(one["examples"]) for path, one in seen.items() if isinstance(one["examples"], dict)}
    assert shown["traits.email"] == ["xxx@x.xxxxxxx"]
    assert (shown["traits.phone"], shown["traits.age"]) == (["+99 99 9999"], ["99"])
    assert shown["traits.member"] == ["true"]
    assert "ann" not in folder.sfmap("traits", "--mask", name).stdout


def test_lines_that_are_no_events_are_reported(folder: Folder, identify: Identify) -> None:
    done = folder.sfmap("traits", folder.write("e.ndjson", [identify("a@b.co"), *["nonsense"] * 22]))
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert said[0].startswith("e.ndjson:2: not JSON")
    assert said[20:] == ["... and 2 more that cannot be read", said[-1]]


def test_no_line_is_longer_than_a_terminal(folder: Folder, identify: Identify) -> None:
    wide = {"a" * 90: "b" * 200, "traits": {"c" * 50: {"d" * 60: "e" * 100}}}
    done = folder.sfmap("traits", folder.write("e.ndjson", [identify("a@b.co", **wide)]))
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_what_a_service_has_accepted_is_shown_without_values(service: Service) -> None:
    refused = service.folder.sfmap("traits", "--from-service")
    assert (refused.returncode, "no service of this project has kept events" in refused.stderr) == (2, True)
    service.start()
    body = {"writeKey": KEY, "type": "identify", "integrations": {"Salesforce": True}}
    batch = [{**body, "traits": {"email": f"{name}@b.co", "plan": "pro"}} for name in ("ann", "bob")]
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": batch}).status == 200
    assert service.wait_for(lambda: "2 events" in service.folder.sfmap("traits", "--from-service").stderr)
    done = service.folder.sfmap("traits", "--from-service")
    assert "  2  traits.email " in done.stdout
    assert "@b.co" not in done.stdout
    assert "pro" not in service.folder.sfmap("traits", "--from-service", "--json").stdout.replace(
        '"properties', ""
    )
    assert "ann@b.co, bob@b.co" in service.folder.sfmap("traits", "--from-service", "--values").stdout
    assert service.folder.sfmap("traits", "--from-service", "x.ndjson").returncode == 2
