"""Conversions, merges, replication and the rest of the SOAP operations, read by a strict client."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zeep
from lxml import etree

from sfmap.engine.local_org.process import start_local_org

SOBJECT = "urn:sobject.partner.soap.sforce.com"
CLOSED = "Closed - Converted"


@dataclass(frozen=True)
class Api:
    """zeep with the served WSDL: an answer whose members are missing or out of order fails."""

    service: Any
    head: dict[str, Any]

    def __call__(self, operation: str, *arguments: object, **named: object) -> Any:
        return getattr(self.service, operation)(*arguments, **named, **self.head).body.result

    def create(self, kind: str, **fields: str) -> str:
        (saved,) = self("create", [record(kind, **fields)])
        assert saved.success, saved
        return str(saved.id)

    def row(self, soql: str) -> dict[str, str | None]:
        (found,) = self("query", soql).records
        return {etree.QName(one).localname: one.text for one in found._value_1}


def record(kind: str, **fields: str) -> dict[str, Any]:
    elements = []
    for name, text in fields.items():
        if name != "Id":
            elements.append(etree.Element(f"{{{SOBJECT}}}{name}"))
            elements[-1].text = text
    return {"type": kind, "Id": fields.get("Id", zeep.xsd.SkipValue), "_value_1": elements}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with start_local_org(tmp_path_factory.mktemp("operations") / "org.db", None) as local:
        client = zeep.Client(f"{local.url}/services/Soap/u/64.0?wsdl")
        signed_in = client.service.login(local.username, local.password + local.security_token)
        service = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", signed_in.serverUrl)
        yield Api(service, {"_soapheaders": {"SessionHeader": {"sessionId": signed_in.sessionId}}})


def lead(api: Api, **fields: str) -> str:
    return api.create("Lead", LastName="Lee", FirstName="Ann", Company="Initech", **fields)


def wish(lead_id: str, **more: object) -> dict[str, object]:
    usual = {"convertedStatus": CLOSED, "doNotCreateOpportunity": False, "overwriteLeadSource": False}
    return {"leadId": lead_id, **usual, "sendNotificationEmail": False, **more}


def test_a_lead_becomes_three_records(api: Api) -> None:
    lead_id = lead(api, Email="ann@initech.example", City="Austin", LeadSource="Web", NumberOfEmployees="12")
    task = api.create("Task", Subject="Call", WhoId=lead_id)
    (made,) = api("convertLead", [wish(lead_id)])
    assert (made.success, made.leadId) == (True, lead_id)
    account = api.row(f"SELECT Name, BillingCity, NumberOfEmployees FROM Account WHERE Id = '{made.accountId}'")
    assert (account["Name"], account["BillingCity"], account["NumberOfEmployees"]) == ("Initech", "Austin", "12")
    contact = api.row(f"SELECT Email, AccountId, LeadSource FROM Contact WHERE Id = '{made.contactId}'")
    assert (contact["Email"], contact["AccountId"]) == ("ann@initech.example", made.accountId)
    opportunity = api.row(f"SELECT Name, AccountId, CloseDate FROM Opportunity WHERE Id = '{made.opportunityId}'")
    assert (opportunity["Name"], opportunity["AccountId"]) == ("Initech-", made.accountId)
    kept = api.row(
        "SELECT IsConverted, Status, ConvertedDate, ConvertedAccountId, ConvertedContactId, ConvertedOpportunityId"
        f" FROM Lead WHERE Id = '{lead_id}'"
    )
    assert list(kept.values())[:2] == ["true", CLOSED]
    assert list(kept.values())[3:] == [made.accountId, made.contactId, made.opportunityId]
    assert api.row(f"SELECT WhoId FROM Task WHERE Id = '{task}'")["WhoId"] == made.contactId


def test_a_lead_joins_an_account_and_a_contact(api: Api) -> None:
    account = api.create("Account", Name="Umbrella")
    contact = api.create("Contact", LastName="Wu", AccountId=account, LeadSource="Other")
    joined = lead(api, LeadSource="Web")
    into = {
        "accountId": account,
        "contactId": contact,
        "doNotCreateOpportunity": True,
        "overwriteLeadSource": True,
    }
    (made,) = api("convertLead", [wish(joined, **into)])
    assert (made.accountId, made.contactId, made.opportunityId) == (account, contact, None)
    row = api.row(f"SELECT LastName, LeadSource FROM Contact WHERE Id = '{contact}'")
    assert list(row.values()) == ["Wu", "Web"]


def test_the_opportunity_may_be_named(api: Api) -> None:
    (made,) = api("convertLead", [wish(lead(api), opportunityName="Big deal")])
    assert api.row(f"SELECT Name FROM Opportunity WHERE Id = '{made.opportunityId}'")["Name"] == "Big deal"


CONVERSIONS = {
    "no such lead": ({"leadId": "00Q000000000999AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    "another object": ({"leadId": "005000000000001AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    "a status that does not convert": ({"convertedStatus": "Open - Not Contacted"}, "INVALID_STATUS"),
    "no such account": ({"accountId": "001000000000999AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
    "no such owner": ({"ownerId": "005000000000999AAA"}, "INVALID_CROSS_REFERENCE_KEY"),
}


@pytest.mark.parametrize("name", CONVERSIONS)
def test_a_conversion_that_fails_leaves_nothing_behind(api: Api, name: str) -> None:
    more, code = CONVERSIONS[name]
    before = api("query", "SELECT Id FROM Account").size
    fine = lead(api)
    (made, other) = api("convertLead", [wish(lead(api)) | more, wish(fine)])
    assert (made.success, made.errors[0].statusCode, other.success) == (False, code, True)
    assert api("query", "SELECT Id FROM Account").size == before + 1


def test_a_lead_is_converted_once(api: Api) -> None:
    lead_id = lead(api)
    api("convertLead", [wish(lead_id)])
    (again,) = api("convertLead", [wish(lead_id)])
    assert again.errors[0].statusCode == "CANNOT_UPDATE_CONVERTED_LEAD"


def test_a_merge_moves_children_and_deletes_the_merged(api: Api) -> None:
    master, first, second = (api.create("Account", Name=name) for name in ("A", "B", "C"))
    contact = api.create("Contact", LastName="Wu", AccountId=second)
    request = {"masterRecord": record("Account", Id=master, Phone="555"), "recordToMergeIds": [first, second]}
    (merged,) = api("merge", [request])
    assert (merged.success, merged.id, merged.mergedRecordIds) == (True, master, [first, second])
    assert merged.updatedRelatedIds == [contact]
    assert api.row(f"SELECT AccountId FROM Contact WHERE Id = '{contact}'")["AccountId"] == master
    assert api.row(f"SELECT Phone FROM Account WHERE Id = '{master}'")["Phone"] == "555"
    gone = api("queryAll", f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{first}'").records[0]
    assert [one.text for one in gone._value_1] == ["true", master]


MERGES = {
    "three at once": ("Account", 3, "INVALID_OPERATION"),
    "an object without merges": ("Campaign", 1, "INVALID_TYPE_FOR_OPERATION"),
}


@pytest.mark.parametrize("name", MERGES)
def test_what_cannot_be_merged(api: Api, name: str) -> None:
    kind, victims, code = MERGES[name]
    master, *others = (api.create(kind, Name=f"{name} {number}") for number in range(victims + 1))
    (merged,) = api("merge", [{"masterRecord": record(kind, Id=master), "recordToMergeIds": others}])
    assert (merged.success, merged.errors[0].statusCode) == (False, code)
    assert api("query", f"SELECT Id FROM {kind} WHERE Name LIKE '{name}%'").size == victims + 1


def test_a_merge_with_a_record_that_is_gone_changes_nothing(api: Api) -> None:
    master, other = api.create("Account", Name="Stays"), api.create("Account", Name="Also stays")
    gone = [other, "001000000000999AAA"]
    (merged,) = api("merge", [{"masterRecord": record("Account", Id=master), "recordToMergeIds": gone}])
    assert merged.errors[0].statusCode == "INVALID_CROSS_REFERENCE_KEY"
    assert api.row(f"SELECT Name FROM Account WHERE Id = '{other}'")["Name"] == "Also stays"


def test_changes_are_found_by_time(api: Api) -> None:
    kept, gone = (api.create("Campaign", Name=name) for name in ("kept", "gone"))
    api("delete", [gone])
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(hours=1)
    updated = api("getUpdated", "Campaign", start, end)
    assert kept in updated.ids
    assert gone not in updated.ids
    deleted = api("getDeleted", "Campaign", start, end)
    assert [one.id for one in deleted.deletedRecords] == [gone]
    assert deleted.earliestDateAvailable < deleted.latestDateCovered
    assert api("getUpdated", "Campaign", start - timedelta(days=2), start).ids == []


PERIODS = [
    (timedelta(hours=1), timedelta(0)),
    (timedelta(0), timedelta(seconds=30)),
    (timedelta(days=-40), timedelta(0)),
]


@pytest.mark.parametrize(("start", "end"), PERIODS)
def test_a_wrong_period_is_a_fault(api: Api, start: timedelta, end: timedelta) -> None:
    now = datetime.now(UTC)
    with pytest.raises(zeep.exceptions.Fault, match="INVALID_REPLICATION_DATE"):
        api("getUpdated", "Lead", now + start, now + end)


def test_the_recycle_bin_is_emptied(api: Api) -> None:
    kept, gone = (api.create("Campaign", Name="bin") for _ in range(2))
    api("delete", [gone])
    assert [one.success for one in api("emptyRecycleBin", [gone, kept])] == [True, False]
    assert api("undelete", [gone])[0].success is False


def test_layouts_and_tabs_are_described(api: Api) -> None:
    described = api("describeLayout", "Lead", None)
    items = [row.layoutItems[0] for row in described.layouts[0].detailLayoutSections[0].layoutRows]
    assert "Last Name" in [one.label for one in items if one.required]
    assert described.recordTypeMappings[0].layoutId == described.layouts[0].id
    (app,) = api("describeTabs")
    assert "standard-Lead" in [one.name for one in app.tabs]


def test_passwords_are_fixed(api: Api) -> None:
    user = "005000000000001AAA"
    for operation, arguments in (("setPassword", (user, "secret")), ("resetPassword", (user,))):
        with pytest.raises(zeep.exceptions.Fault, match="The passwords of the local org are fixed"):
            api(operation, *arguments)


def test_sessions_are_ended_by_their_ids(api: Api) -> None:
    assert [one.success for one in api("invalidateSessions", ["00D000000000001!x"])] == [True]
