"""simple-salesforce, unmodified, works with the local org as with Salesforce."""

from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceMalformedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.login import SalesforceLogin

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg

CLIENT = "simple-salesforce"


class ToLoopback(HTTPAdapter):
    """The client only speaks https to salesforce.com: what it sends there goes to the local org."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, *arguments: Any, **named: Any) -> requests.Response:
        assert request.url
        request.url = self.url + "/" + request.url.split("/", 3)[3]
        return super().send(request, *arguments, **named)


def session(local: LocalOrg) -> requests.Session:
    made = requests.Session()
    made.mount("https://", ToLoopback(local.url))
    return made


@pytest.fixture
def salesforce(local: LocalOrg) -> Any:
    """Of any type: the client makes its objects up as they are named."""
    return Salesforce(
        username=local.username,
        password=local.password,
        security_token=local.security_token,
        session=session(local),
    )


def test_records_are_created_queried_updated_upserted_and_deleted(salesforce: Any) -> None:
    lead = salesforce.Lead.create({"LastName": "Lee", "Company": "Initech", "Key__c": "k1", "Score__c": 1.5})
    assert (lead["success"], lead["errors"], lead["id"][:3]) == (True, [], "00Q")
    assert salesforce.Lead.update(lead["id"], {"FirstName": "Ann", "Company": "Initrode"}) == 204
    assert salesforce.Lead.upsert("Key__c/k1", {"Title": "Clerk"}) in (200, 204)
    assert salesforce.Lead.upsert("Key__c/k2", {"LastName": "Ray", "Company": "Initech"}) == 201
    found = salesforce.query_all("SELECT Id, Name, Title, Score__c FROM Lead WHERE Key__c = 'k1'")
    assert found["totalSize"] == 1
    assert {key: found["records"][0][key] for key in ("Name", "Title", "Score__c")} == {
        "Name": "Ann Lee",
        "Title": "Clerk",
        "Score__c": 1.5,
    }
    assert salesforce.Lead.get(lead["id"])["Company"] == "Initrode"
    assert salesforce.Lead.get_by_custom_id("Key__c", "k1")["Id"] == lead["id"]
    assert salesforce.Lead.delete(lead["id"]) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Lead.get(lead["id"])


def test_query_all_returns_every_record(salesforce: Any) -> None:
    for number in range(3):
        salesforce.Account.create({"Name": f"Account {number}"})
    named = "FROM Account WHERE Name LIKE 'Account %'"
    assert len(salesforce.query_all(f"SELECT Id {named}")["records"]) == 3
    assert salesforce.query(f"SELECT COUNT() {named}")["totalSize"] == 3


def lead(key: str, **fields: str) -> dict[str, str]:
    return {"LastName": "Lee", "Company": "Initech", "Key__c": key, **fields}


def test_bulk_jobs_write_and_read(salesforce: Any) -> None:
    results = salesforce.bulk.Lead.insert([lead("v1"), lead("v2"), {**lead("v3"), "LastName": None}])
    assert [one["success"] for one in results] == [True, True, False]
    assert results[2]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    upserted = salesforce.bulk.Lead.upsert([lead("v2", Title="Clerk"), lead("v4")], "Key__c")
    assert [one["created"] for one in upserted] == [False, True]
    soql = "SELECT Id, Key__c, Title FROM Lead WHERE Key__c LIKE 'v%' ORDER BY Key__c"
    found = salesforce.bulk.Lead.query(soql, wait=1)
    assert [(one["Key__c"], one["Title"]) for one in found] == [("v1", None), ("v2", "Clerk"), ("v4", None)]
    deleted = salesforce.bulk.Lead.delete([{"Id": one["Id"]} for one in found])
    assert [one["success"] for one in deleted] == [True, True, True]


def test_bulk_2_jobs_write_and_read(salesforce: Any) -> None:
    jobs = salesforce.bulk2.Lead
    (made,) = jobs.insert(records=[lead("w1"), lead("w2"), lead("w3", LastName="")], wait=1)
    assert (made["numberRecordsProcessed"], made["numberRecordsFailed"]) == (3, 1)
    assert "REQUIRED_FIELD_MISSING:" in jobs.get_failed_records(made["job_id"])
    assert len(jobs.get_successful_records(made["job_id"]).splitlines()) == 3
    (kept,) = jobs.upsert(records=[lead("w2", Title="Clerk"), lead("w4")], external_id_field="Key__c", wait=1)
    assert kept["numberRecordsFailed"] == 0
    (page,) = jobs.query("SELECT Key__c, Title FROM Lead WHERE Key__c LIKE 'w%' ORDER BY Key__c", wait=1)
    assert page.replace('"', "").splitlines() == ["Key__c,Title", "w1,", "w2,Clerk", "w4,"]


def test_collections_and_composite_requests(salesforce: Any) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": f"Collected {place}"} for place in range(2)]
    made = salesforce.restful("composite/sobjects", method="POST", json={"records": records})
    assert [one["success"] for one in made] == [True, True]
    contacts = f"/services/data/v{salesforce.sf_version}/sobjects/Contact"
    steps = [
        {
            "method": "POST",
            "url": contacts,
            "referenceId": "made",
            "body": {"LastName": "Composed", "AccountId": made[0]["id"]},
        },
        {
            "method": "GET",
            "url": f"{contacts}/@{{made.id}}?fields=LastName,AccountId",
            "referenceId": "read",
        },
    ]
    answer = salesforce.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": steps})
    assert [one["httpStatusCode"] for one in answer["compositeResponse"]] == [201, 200]
    assert answer["compositeResponse"][1]["body"]["AccountId"] == made[0]["id"]


def test_objects_are_described(salesforce: Any) -> None:
    assert "Lead" in [one["name"] for one in salesforce.describe()["sobjects"]]
    fields = {field["name"]: field for field in salesforce.Lead.describe()["fields"]}
    assert fields["Key__c"]["externalId"]
    assert fields["LastName"]["length"] == 80


def content(error: SalesforceMalformedRequest) -> Any:
    """The client says that it is a number, and it is the answer's JSON."""
    return error.content


def test_errors_have_the_codes_of_salesforce(salesforce: Any) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        salesforce.Lead.create({"Company": "Initech"})
    assert content(refused.value)[0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    with pytest.raises(SalesforceMalformedRequest) as malformed:
        salesforce.query("SELECT FROM Lead")
    assert content(malformed.value)[0]["errorCode"] == "MALFORMED_QUERY"


def test_sign_in_with_client_credentials_gives_a_session(local: LocalOrg) -> None:
    session_id, host = SalesforceLogin(
        consumer_key=credentials.CLIENT_ID,
        consumer_secret=credentials.CLIENT_SECRET,
        domain="acme.my",
        session=session(local),
    )
    by_token: Any = Salesforce(session_id=session_id, instance=host, session=session(local))
    assert by_token.limits()["DailyApiRequests"]["Max"] == 100_000


def test_a_wrong_password_is_refused(local: LocalOrg) -> None:
    with pytest.raises(SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        Salesforce(username=local.username, password="wrong", security_token="x", session=session(local))


def test_an_unknown_session_has_expired(local: LocalOrg) -> None:
    with pytest.raises(SalesforceExpiredSession):
        Salesforce(session_id="00D!nothing", instance="x.my.salesforce.com", session=session(local)).describe()
