"""zeep with the WSDL that the local org serves, and sfmap with that WSDL."""

from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from lxml import etree

from sfmap.engine.local_org.process import LocalOrg
from sfmap.engine.org.port import RecordWrite, Reference, Refused, Written
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

SOBJECT = "urn:sobject.partner.soap.sforce.com"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
CLIENT = "zeep"
XSD = "{http://www.w3.org/2001/XMLSchema}"


def field(name: str, text: str) -> etree._Element:
    element = etree.Element(f"{{{SOBJECT}}}{name}")
    element.text = text
    return element


def record(kind: str, **fields: str) -> dict[str, Any]:
    record_id = fields.pop("Id", zeep.xsd.SkipValue)
    return {"type": kind, "Id": record_id, "_value_1": [field(name, text) for name, text in fields.items()]}


@pytest.fixture(scope="module")
def wsdl(local: LocalOrg) -> str:
    return f"{local.url}/services/Soap/u/64.0?wsdl"


def test_zeep_can_call_every_operation(local: LocalOrg, wsdl: str) -> None:
    client = zeep.Client(wsdl)
    login = client.service.login(local.username, local.password + local.security_token)
    service = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", login.serverUrl)
    head = {"_soapheaders": {"SessionHeader": {"sessionId": login.sessionId}}}
    assert login.userInfo.organizationId[:3] == "00D"
    assert service.getUserInfo(**head).body.result.userId == login.userId
    assert service.getServerTimestamp(**head).body.result.timestamp.year >= 2026
    lead = record("Lead", LastName="Lee", Company="Initech", Key__c="z1")
    created = service.create([lead, record("Lead", Company="x")], **head)
    assert [one.success for one in created.body.result] == [True, False]
    assert created.body.result[1].errors[0].statusCode == "REQUIRED_FIELD_MISSING"
    assert created.header.LimitInfoHeader.limitInfo[0].type == "API REQUESTS"
    lead_id = created.body.result[0].id
    assert service.update([record("Lead", Id=lead_id, Title="Clerk")], **head).body.result[0].success
    upserted = service.upsert("Key__c", [record("Lead", Key__c="z1", FirstName="Ann")], **head)
    assert upserted.body.result[0].created is False
    (row,) = service.query("SELECT Id, Owner.Name FROM Lead WHERE Key__c = 'z1'", **head).body.result.records
    assert row._value_1[-1].findtext("{*}Name") == "Local Developer"
    (row,) = service.query("SELECT Id, Name FROM Lead WHERE Key__c = 'z1'", **head).body.result.records
    assert [element.text for element in row._value_1][-1] == "Ann Lee"
    (again, gone) = service.retrieve("Id,Title", "Lead", [lead_id, "00Q000000000999AAA"], **head).body.result
    assert (again.type, gone.type) == ("Lead", None)
    assert "Lead" in [one.name for one in service.describeGlobal(**head).body.result.sobjects]
    described = service.describeSObject("Lead", **head).body.result
    assert {one.name: one.externalId for one in described.fields}["Key__c"]
    assert len(service.describeSObjects(["Lead", "Account"], **head).body.result) == 2
    assert service.delete([lead_id], **head).body.result[0].success
    assert service.query("SELECT Id FROM Lead WHERE Key__c = 'z1'", **head).body.result.size == 0
    assert service.queryAll("SELECT Id FROM Lead WHERE Key__c = 'z1'", **head).body.result.size == 1
    assert service.undelete([lead_id], **head).body.result[0].success
    with pytest.raises(zeep.exceptions.Fault, match="MALFORMED_QUERY") as malformed:
        service.query("SELECT FROM Lead", **head)
    detail = client.wsdl.types.deserialize(malformed.value.detail[0])
    assert (detail.exceptionCode, detail.row) == ("MALFORMED_QUERY", 1)
    service.logout(**head)
    with pytest.raises(zeep.exceptions.Fault, match="INVALID_SESSION_ID"):
        service.getUserInfo(**head)


def served_schema(wsdl: str, folder: Path) -> etree.XMLSchema:
    """The WSDL's schemas as files that import each other."""
    tree = etree.fromstring(requests.get(wsdl, timeout=10).content)
    schemas = list(tree.iter(f"{XSD}schema"))
    names = {str(schema.get("targetNamespace")): f"{place}.xsd" for place, schema in enumerate(schemas)}
    for schema in schemas:
        for imported in schema.iter(f"{XSD}import"):
            imported.set("schemaLocation", names[str(imported.get("namespace"))])
        (folder / names[str(schema.get("targetNamespace"))]).write_bytes(etree.tostring(schema))
    whole = f'<schema xmlns="{XSD[1:-1]}">' + "".join(
        f'<import namespace="{name}" schemaLocation="{file}"/>' for name, file in names.items()
    )
    (folder / "all.xsd").write_text(f"{whole}</schema>")
    return etree.XMLSchema(file=str(folder / "all.xsd"))


CALLS = [
    "<getUserInfo/>",
    "<getServerTimestamp/>",
    "<describeGlobal/>",
    "<describeSObject><sObjectType>Lead</sObjectType></describeSObject>",
    "<describeSObjects><sObjectType>Account</sObjectType><sObjectType>Case</sObjectType></describeSObjects>",
    "<create><sObjects><type>Account</type><Name>A</Name></sObjects><sObjects><type>Lead</type></sObjects></create>",
    "<upsert><externalIDFieldName>Key__c</externalIDFieldName><sObjects><type>Lead</type><Key__c>x9</Key__c>"
    "<LastName>L</LastName><Company>C</Company></sObjects></upsert>",
    "<query><queryString>SELECT Id, Name, Key__c FROM Lead</queryString></query>",
    "<query><queryString>SELECT COUNT() FROM Lead</queryString></query>",
    "<query><queryString>SELECT Id, Owner.Name, Owner.Email FROM Lead</queryString></query>",
    "<query><queryString>SELECT Company, COUNT(Id) n FROM Lead GROUP BY Company</queryString></query>",
    "<queryAll><queryString>SELECT Name FROM Account</queryString></queryAll>",
    "<retrieve><fieldList>Id,Name</fieldList><sObjectType>Lead</sObjectType><ids>00Q000000000999AAA</ids></retrieve>",
    "<delete><ids>00Q000000000999AAA</ids></delete>",
    "<undelete><ids>00Q000000000999AAA</ids></undelete>",
    "<create><sObjects><type>Contact</type><LastName>L</LastName><FirstName>F</FirstName></sObjects><sObjects>"
    "<type>Contact</type><LastName>L</LastName><FirstName>F</FirstName></sObjects></create>",
    "<query><queryString>SELECT FROM</queryString></query>",
    "<nothing/>",
]


def test_replies_match_the_served_schema(local: LocalOrg, wsdl: str, tmp_path: Path) -> None:
    schema = served_schema(wsdl, tmp_path)
    url = wsdl.removesuffix("?wsdl")
    credentials = (
        f"<username>{local.username}</username><password>{local.password}{local.security_token}</password>"
    )
    login = answered(url, f"<login>{credentials}</login>", "")
    schema.assertValid(login)
    session = login.findtext(".//{*}sessionId")
    for call in CALLS:
        answer = answered(url, call, f"<SessionHeader><sessionId>{session}</sessionId></SessionHeader>")
        detail = answer.find("./detail/*")
        assert schema.validate(answer if detail is None else detail), (call, schema.error_log)


def answered(url: str, call: str, header: str) -> etree._Element:
    """What stands in the body of the answer."""
    envelope = (
        f'<e:Envelope xmlns:e="{ENVELOPE}" xmlns="urn:partner.soap.sforce.com"><e:Header>{header}</e:Header>'
        f"<e:Body>{call}</e:Body></e:Envelope>"
    )
    reply = requests.post(url, envelope, headers={"Content-Type": "text/xml", "SOAPAction": '""'}, timeout=10)
    body = etree.fromstring(reply.content).find(f"{{{ENVELOPE}}}Body")
    assert body is not None
    return body[0]


def test_login_is_refused_in_unsupported_api_versions(local: LocalOrg) -> None:
    client = zeep.Client(f"{local.url}/services/Soap/u/65.0?wsdl")
    with pytest.raises(zeep.exceptions.Fault, match="INVALID_OPERATION"):
        client.service.login(local.username, local.password + local.security_token)
    old = client.create_service("{urn:partner.soap.sforce.com}SoapBinding", f"{local.url}/services/Soap/u/20.0")
    with pytest.raises(zeep.exceptions.Fault, match="UNSUPPORTED_API_VERSION"):
        old.login(local.username, "x")


def test_sfmap_works_with_the_served_wsdl(local: LocalOrg, wsdl: str, tmp_path: Path) -> None:
    path = tmp_path / "partner.wsdl"
    path.write_bytes(requests.get(wsdl, timeout=10).content)
    sign_in = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
    org = SoapOrg(SoapSettings(local.url, sign_in, wsdl=path))
    assert "Lead" in org.object_names()
    assert org.describe(["Lead"])["Lead"].fields["Key__c"].external_id
    (one, other) = org.create(
        "Lead", [RecordWrite({"LastName": "Lee", "Company": "x", "Key__c": "w1"}), RecordWrite({"Company": "x"})]
    )
    assert isinstance(one, Written)
    assert isinstance(other, Refused)
    (upserted,) = org.upsert("Lead", "Key__c", [RecordWrite({"Key__c": "w1", "Score__c": 1.5}, ("FirstName",))])
    assert upserted == Written(one.id, created=False)
    assert [row.id for row in org.find("Lead", ("Key__c",), [("W1",)])] == [one.id]
    (contact,) = org.create(
        "Case", [RecordWrite({"Subject": "x"}, references={"Contact": Reference("Contact", "Email", "no@b.co")})]
    )
    assert isinstance(contact, Refused)
    assert [type(result) for result in org.delete("Lead", [one.id])] == [Written]
    assert org.usage() is not None
