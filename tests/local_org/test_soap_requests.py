"""Requests as clients write them: arguments by position, types as attributes, namespaces of all sorts."""

import re

import pytest

from sfmap.engine.local_org.process import LocalOrg
from sfmap.tests.local_org.conftest import Client, post

ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-'
    'instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:sforce="urn:partner.soap.sforce.com"'
    ' xmlns:sfons="urn:sobject.partner.soap.sforce.com"><s:Header><sforce:SessionHeader>'
    "<sforce:sessionId>{session}</sforce:sessionId></sforce:SessionHeader></s:Header><s:Body>{body}</s:Body>"
    "</s:Envelope>"
)
FIELDS = "<LastName>Lee</LastName><Company>Initech</Company>"


def call(client: Client, body: str) -> str:
    return post(client.url, ENVELOPE.format(session=client.session_id, body=body).encode()).text


CREATES = {
    "type as attribute": f'<sforce:create><sObjects xsi:type="sfons:Lead">{FIELDS}</sObjects></sforce:create>',
    "no namespaces": f"<create><sObjects><type>Lead</type>{FIELDS}</sObjects></create>",
    "type after the fields": f"<sforce:create><sObjects>{FIELDS}<type>Lead</type></sObjects></sforce:create>",
    "typed and untyped": "<sforce:create>"
    f'<sObjects xsi:type="sfons:sObject"><type>Lead</type>{FIELDS}</sObjects></sforce:create>',
    "typed values": '<sforce:create><x xsi:type="sfons:Lead"><LastName xsi:type="xsd:string">Lee</LastName>'
    '<Company xsi:type="xsd:string">Initech</Company></x></sforce:create>',
    "odd namespaces": '<o:create xmlns:o="urn:odd"><o:sObjects><o:type>'
    f"Lead</o:type>{FIELDS}</o:sObjects></o:create>",
}


@pytest.mark.parametrize("name", CREATES)
def test_a_record_is_created_however_it_is_written(client: Client, name: str) -> None:
    answer = call(client, CREATES[name])
    assert "<success>true</success>" in answer, answer
    (record_id,) = re.findall("<id>(.*)</id>", answer)
    # Beatbox and pyforce call the ids `id`.
    assert "<success>true</success>" in call(client, f"<sforce:delete><id>{record_id}</id></sforce:delete>")


def test_a_parent_may_be_typed_by_an_attribute(client: Client) -> None:
    parent = '<Owner xsi:type="sfons:User"><Username>developer@local.sfmap.test</Username></Owner>'
    body = f'<sforce:create><sObjects xsi:type="sfons:Lead">{FIELDS}{parent}</sObjects></sforce:create>'
    assert "<success>true</success>" in call(client, body)


BY_POSITION = {
    "query": ("<query><c-gensym3>SELECT Name FROM Organization</c-gensym3></query>", "<size>1</size>"),
    "retrieve": (
        "<retrieve><a>Username</a><b>User</b><c>005000000000001AAA</c></retrieve>",
        "<sf:Username>developer@local.sfmap.test",
    ),
    "retrieve, ids first": (
        "<retrieve><ids>005000000000001AAA</ids><fieldList>Username</fieldList><sObjectType>User</sObjectType></retrieve>",
        "<sf:Username>developer@local.sfmap.test",
    ),
    "describeSObjects": ("<describeSObjects><a>User</a><a>Lead</a></describeSObjects>", "<name>Lead</name>"),
    "an array": (
        "<describeSObjects><sObjectType><item>User</item><item>Lead</item></sObjectType></describeSObjects>",
        "<name>Lead</name>",
    ),
    "upsert": (
        "<upsert><name>Key__c</name><record><type>Issue__c</type><Key__c>p1</Key__c></record></upsert>",
        "<created>true</created>",
    ),
    "one by name, one by position": (
        "<upsert><record><type>Issue__c</type><Key__c>p2</Key__c></record>"
        "<externalIDFieldName>Key__c</externalIDFieldName></upsert>",
        "<created>true</created>",
    ),
}


@pytest.mark.parametrize("name", BY_POSITION)
def test_arguments_with_other_names_count_by_position(client: Client, name: str) -> None:
    body, words = BY_POSITION[name]
    assert words in call(client, body)


MISSING = {
    "<query/>": "queryString",
    "<queryMore/>": "queryLocator",
    "<describeSObject/>": "sObjectType",
    "<retrieve><fieldList>Id</fieldList></retrieve>": "sObjectType",
    "<upsert/>": "externalIDFieldName",
    "<login><username>x</username></login>": "password",
}


@pytest.mark.parametrize("body", MISSING)
def test_a_fault_names_the_missing_argument(client: Client, body: str) -> None:
    answer = call(client, body)
    assert "<sf:exceptionCode>MISSING_ARGUMENT</sf:exceptionCode>" in answer
    assert f"{MISSING[body]} is required" in answer


def test_a_record_without_an_object_is_a_fault(client: Client) -> None:
    answer = call(client, f"<create><sObjects>{FIELDS}</sObjects></create>")
    assert "INVALID_TYPE: Must send a concrete entity type." in answer


HEADERS = (
    "<CallOptions><client>x</client></CallOptions><AssignmentRuleHeader><useDefaultRule>true</useDefaultRule>"
    "</AssignmentRuleHeader><MruHeader><updateMru>true</updateMru></MruHeader><LocaleOptions><language>de</language>"
    "</LocaleOptions><EmailHeader><triggerUserEmail>false</triggerUserEmail></EmailHeader><OwnerChangeOptions><options>"
    "<type>TransferContacts</type><execute>true</execute></options></OwnerChangeOptions><DebuggingHeader><debugLevel>"
    "None</debugLevel></DebuggingHeader><PackageVersionHeader/><DisableFeedTrackingHeader><disableFeedTracking>true"
    "</disableFeedTracking></DisableFeedTrackingHeader><StreamingEnabledHeader/><UserTerritoryDeleteHeader/>"
)


def test_the_headers_of_the_real_api_are_accepted(local: LocalOrg, client: Client) -> None:
    assert "<size>1</size>" in client.call(
        "<query><queryString>SELECT Id FROM Organization</queryString></query>", HEADERS
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (
            "<query><queryString>SELECT Nope FROM Lead</queryString></query>",
            "<sf:row>1</sf:row><sf:column>8</sf:column>",
        ),
        ("<describeSObject><a>Nope</a></describeSObject>", "<sf:row>-1</sf:row><sf:column>-1</sf:column>"),
        ("<query><queryString>SELECT Id FROM Lead WHERE</queryString></query>", "<sf:row>1</sf:row>"),
        ("<nothing/>", "</sf:exceptionMessage></sf:UnexpectedErrorFault>"),
    ],
)
def test_the_detail_of_a_fault_has_the_members_of_its_type(client: Client, body: str, detail: str) -> None:
    answer = call(client, body)
    assert detail in answer
    assert re.search(r'<sf:(\w+) xsi:type="sf:\1">', answer)
    assert "extendedErrorDetails" not in answer
