"""Describes over SOAP and REST: every member, read by a strict client at each version."""

from typing import Any

import pytest
import requests
import zeep

from sfmap.engine.local_org.process import LocalOrg
from sfmap.tests.local_org.conftest import Client


@pytest.mark.parametrize("version", ["31.0", "38.0", "48.0", "64.0"])
def test_a_strict_client_reads_the_describe_of_every_object(local: LocalOrg, version: str) -> None:
    client = zeep.Client(f"{local.url}/services/Soap/u/{version}?wsdl")
    signed_in = client.service.login(local.username, local.password + local.security_token)
    service = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", signed_in.serverUrl)
    head = {"_soapheaders": {"SessionHeader": {"sessionId": signed_in.sessionId}}}
    names = [one.name for one in service.describeGlobal(**head).body.result.sobjects]
    described = service.describeSObjects(names, **head).body.result
    assert [one.name for one in described] == names
    assert service.getUserInfo(**head).body.result.userName == local.username


FIELDS: dict[str, dict[str, object]] = {
    "Id": {"soapType": "tns:ID", "byteLength": 18, "groupable": True, "idLookup": True, "nameField": False},
    "Name": {"nameField": True, "extraTypeInfo": "personname", "createable": False},
    "LastName": {"compoundFieldName": "Name", "byteLength": 240, "sortable": True, "permissionable": False},
    "City": {"compoundFieldName": "Address", "permissionable": True},
    "Description": {"filterable": False, "sortable": False, "groupable": False, "extraTypeInfo": "plaintextarea"},
    "OwnerId": {"referenceTo": ["Group", "User"], "namePointing": True, "defaultedOnCreate": True},
    "IsConverted": {"defaultValue": False, "soapType": "xsd:boolean", "aggregatable": False, "groupable": True},
    "AnnualRevenue": {"soapType": "xsd:double", "type": "currency", "groupable": False, "aggregatable": True},
    "CreatedDate": {"soapType": "xsd:dateTime", "type": "datetime", "groupable": False},
    "Code__c": {"custom": True, "unique": True, "externalId": False, "defaultValue": None},
}


@pytest.fixture(scope="module")
def lead(local: LocalOrg, client: Client) -> dict[str, Any]:
    found: dict[str, Any] = _rest(local, client, "/sobjects/Lead/describe")
    return found


@pytest.mark.parametrize("name", FIELDS)
def test_what_a_describe_says_of_a_field(lead: dict[str, Any], name: str) -> None:
    (field,) = (one for one in lead["fields"] if one["name"] == name)
    assert {key: field[key] for key in FIELDS[name]} == FIELDS[name]


def test_both_apis_say_the_same_of_an_object(client: Client, lead: dict[str, Any]) -> None:
    said = client.call("<describeSObject><sObjectType>lead</sObjectType></describeSObject>")
    for name in ("mergeable", "undeletable", "layoutable", "custom", "searchable"):
        assert f"<{name}>{str(lead[name]).lower()}</{name}>" in said
    assert said.count("<fields>") == len(lead["fields"])
    assert f"<urlDetail>{lead['urlDetail']}</urlDetail>" in said
    assert lead["urls"]["uiDetailTemplate"] == lead["urlDetail"]


def test_an_object_tells_its_children_and_record_types(local: LocalOrg, client: Client) -> None:
    account = _rest(local, client, "/sobjects/Account/describe")
    contacts = next(one for one in account["childRelationships"] if one["relationshipName"] == "Contacts")
    assert (contacts["childSObject"], contacts["field"], contacts["cascadeDelete"]) == (
        "Contact",
        "AccountId",
        True,
    )
    master = account["recordTypeInfos"][-1]
    assert (master["name"], master["master"], master["recordTypeId"]) == ("Master", True, "012000000000000AAA")


def test_members_of_later_versions_are_not_sent(local: LocalOrg, client: Client) -> None:
    (old, new) = (_rest(local, client, "/sobjects/Lead/describe", version)["fields"][0] for version in (38, 48))
    assert set(new) - set(old) >= {"aiPredictionField", "polymorphicForeignKey"}


def _rest(local: LocalOrg, client: Client, path: str, version: int = 64) -> Any:
    head = {"Authorization": f"Bearer {client.session_id}"}
    answer = requests.get(f"{local.url}/services/data/v{version}.0{path}", headers=head, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()
