"""Bodies that nobody would send: each is answered in JSON, and none breaks the local org."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import Rest

ROOT = "/services/data/v66.0"
MEMBERS = (
    "Id", "LastName", "Company", "Vip__c", "Score__c", "Seen__c", "Owner", "OwnerId", "Tasks", "Nope__c",
)  # fmt: skip
KINDS = ("Lead", "lead", "Issue__c", "Nope__c", "", 7, None)
RECORD_PATHS = (
    "/sobjects/Lead", "/sobjects/Lead/Id", "/sobjects/Lead/00Q000000000001AAA", "/sobjects/Issue__c/Key__c",
    "/sobjects/Issue__c/Key__c/a", "/sobjects/Lead/Email/a@b.test",
)  # fmt: skip
COLLECTION_PATHS = ("/composite/sobjects", "/composite/sobjects/Issue__c/Key__c", "/composite/tree/Lead")
ODD_URLS = ("", "//", "http://[", "v66.0/limits", f"{ROOT}/sobjects/Lead/@{{a.id}}", f"{ROOT}/query?q=@{{a[0]}}")

scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=20)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
attributes = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS), "referenceId": st.sampled_from(("a", "b", ""))}
)
records = st.builds(
    lambda members, attributes: {**members, "attributes": attributes},
    st.dictionaries(st.sampled_from(MEMBERS), values, max_size=4),
    attributes | values,
)
collections = st.fixed_dictionaries(
    {"records": st.lists(records | values, max_size=4) | values, "allOrNone": values}
)
methods = st.sampled_from(("GET", "POST", "PATCH", "DELETE", "PUT", ""))
parts = st.fixed_dictionaries(
    {
        "method": methods | values,
        "url": st.sampled_from([*(f"{ROOT}{path}" for path in (*RECORD_PATHS, *COLLECTION_PATHS)), *ODD_URLS]),
        "referenceId": st.sampled_from(("a", "b", "c", "d")) | values,
        "body": records | collections | values,
        "richInput": records | values,
        "httpHeaders": values,
    }
)
several = st.lists(parts | values, min_size=1, max_size=4)
requests_in_one = st.one_of(
    st.tuples(st.just("/composite"), st.fixed_dictionaries({"compositeRequest": several})),
    st.tuples(st.just("/composite/batch"), st.fixed_dictionaries({"batchRequests": several})),
)
asked = st.one_of(
    st.tuples(st.sampled_from(RECORD_PATHS), records),
    st.tuples(st.sampled_from(COLLECTION_PATHS), collections),
    requests_in_one,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=asked, method=st.sampled_from(("POST", "PATCH")))
def test_any_body_is_answered(rest: Rest, asked: tuple[str, Any], method: str) -> None:
    path, body = asked
    answer = rest.send(method, path, json.dumps(body), **{"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text
    if answer.content:
        assert answer.json() is not None
