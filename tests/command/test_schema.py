"""`sfmap schema`: the JSON Schema of mapping files."""

import orjson
from jsonschema import Draft7Validator

from ..folder import Folder


def test_the_schema_rejects_invalid_mappings(folder: Folder) -> None:
    schema = orjson.loads(folder.sfmap("schema").stdout)
    validator = Draft7Validator(schema)
    good = {
        "sfmap": 1,
        "event": "identify",
        "object": "Lead",
        "match": "Email",
        "fields": {"Email": "traits.email"},
    }
    assert validator.is_valid(good)
    for broken in BROKEN_FOR_THE_SCHEMA:
        assert not validator.is_valid({**good, **broken}), broken
    assert not validator.is_valid({"sfmap": 1})


BROKEN_FOR_THE_SCHEMA: list[dict[str, object]] = [
    {"sfmap": 2},
    {"feilds": {}},
    {"event": "identfy"},
    {"event": {"type": "track", "nmae": "x"}},
    {"operation": "destroy"},
    {"match": []},
    {"match": {"external": "Key__c"}},
    {"fields": {"Email": 5}},
    {"fields": {"bad name": "traits.a"}},
    {"fields": {"Email": {"from": "a", "max": 0}}},
    {"fields": {"Email": {"from": "a", "write": "sometimes"}}},
    {"fields": {"Account": {"object": "Account"}}},
    {"address": {"from": "traits"}},
    {"custom": {"from": "traits", "objects": "explode"}},
]
