"""Bodies that nobody would send: each is answered in JSON, and none breaks the local org."""

import json
from typing import Any

import pytest
from hypothesis import given
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


@given(asked=asked, method=st.sampled_from(("POST", "PATCH")))
def test_any_body_is_answered(rest: Rest, asked: tuple[str, Any], method: str) -> None:
    path, body = asked
    answer = rest.send(method, path, json.dumps(body), **{"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text
    if answer.content:
        assert answer.json() is not None


LONG = "9" * 5_000
DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]
ODD = {
    "/sobjects/Lead/listviews/AllLeads/results?limit={}&offset={}": None,
    "/query?q=SELECT+Id+FROM+Lead+LIMIT+{}": None,
    "/query?q=SELECT+Id+FROM+Lead+OFFSET+{}": None,
    "/query?q=SELECT+Id+FROM+Lead+WHERE+CreatedDate=LAST_N_DAYS:{}": None,
    "/query?q=SELECT+Id+FROM+Lead+WHERE+Score__c={}": None,
    "/query/01g000000000001AAA-{}": None,
    "/recent?limit={}": None,
    "/search?q=FIND+{{abc}}+LIMIT+{}": None,
    "/parameterizedSearch?q=abc&sobject=Lead&Lead.limit={}&overallLimit={}": None,
    "/sobjects/Lead/updated?start={}&end={}": None,
    "/sobjects/Lead/{}": None,
    "/composite/sobjects/Lead?ids={}&fields={}": None,
    "/limits/recordCount?sObjects={}": None,
    "/parameterizedSearch": {"q": "abc", "sobjects": None, "fields": None},
    "/parameterizedSearch?": {"q": "abc", "sobjects": [{"name": "Lead", "fields": 5}]},
    "/parameterizedSearch?&": {"q": "abc", "sobjects": 5},
    "/composite/batch": {
        "batchRequests": [{"method": "POST", "url": "v66.0/sobjects/Lead", "richInput": {"LastName": DEEP}}]
    },
    "/composite/batch?": {
        "batchRequests": [{"method": "GET", "url": "v66.0/limits", "richInput": 2**80}, {"x": DEEP}]
    },
    "/composite": {
        "compositeRequest": [
            {"method": "GET", "url": f"{ROOT}/sobjects", "referenceId": "a"},
            {"method": "GET", "url": f"{ROOT}/sobjects/@{{a.sobjects[{LONG}].name}}", "referenceId": "b"},
        ]
    },
    "/sobjects/Lead": {"LastName": DEEP, "Company": DEEP},
    "/composite/sobjects": {"records": [{"attributes": {"type": "Lead"}, "LastName": DEEP}, DEEP]},
    "/composite/tree/Account": {"records": [{"attributes": DEEP, "Contacts": DEEP}, DEEP]},
}


@pytest.mark.parametrize("path", ODD)
def test_odd_values_are_answered(rest: Rest, path: str) -> None:
    body = ODD[path]
    for value in (LONG, str(2**70), "-5", "²", "%00", "%ED%A0%80", "'", "1e999"):
        sent = path.replace("{}", value).replace("{{", "{").replace("}}", "}")
        answer = rest.post(path, body) if body else rest.get(sent)
        assert answer.status_code < 500, (value[:20], answer.text)
        assert answer.json() is not None


@pytest.mark.parametrize(
    "since", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 31 Dec 9999 23:00:00 -2300", "x", "Mon, 01"]
)
def test_odd_conditions_are_not_met(rest: Rest, since: str) -> None:
    assert rest.get("/sobjects/Lead/describe", **{"If-Modified-Since": since}).status_code in (200, 304)
