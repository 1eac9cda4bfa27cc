"""The served WSDL against a table of Salesforce's types: names, order, and what may be absent."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from lxml import etree

from sfmap.engine import local_org
from sfmap.engine.local_org.process import LocalOrg

TABLE = (Path(__file__).parent / "partner_types.txt").read_text("utf-8")
ROWS = [line.partition(": ") for line in TABLE.splitlines() if line and not line.startswith("#")]
XSD = "{http://www.w3.org/2001/XMLSchema}"
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
ENUMS = {
    "fieldType": "string picklist multipicklist combobox reference base64 boolean currency textarea int double"
    " percent phone id date datetime time url email encryptedstring datacategorygroupreference location address"
    " anyType complexvalue",
    "soapType": "tns:ID xsd:base64Binary xsd:boolean xsd:double xsd:int xsd:string xsd:date xsd:dateTime xsd:time"
    " tns:location tns:address xsd:anyType urn:RelationshipReferenceTo urn:JunctionIdListNames"
    " urn:SearchLayoutFieldsDisplayed urn:SearchLayoutField urn:SearchLayoutButtonsDisplayed"
    " urn:SearchLayoutButton urn:RecordTypesSupported",
}


@pytest.mark.parametrize("version", [38, 48, 64])
def test_the_types_are_salesforces(local: LocalOrg, version: int) -> None:
    served = dict(_types(_wsdl(local, version)))
    expected = {
        name.rstrip(":"): [_unversioned(one) for one in members.split() if _since(one) <= version]
        for name, _, members in ROWS
        if not name.startswith("operation ")
    }
    assert served == expected


def test_the_headers_and_faults_of_operations_are_salesforces(local: LocalOrg) -> None:
    served = dict(_operations(_wsdl(local, 64)))
    expected = {name.removeprefix("operation "): said for name, _, said in ROWS if name.startswith("operation ")}
    assert {name: said.split() for name, said in served.items()} == {
        n: said.split() for n, said in expected.items()
    }


def test_the_address_is_escaped(local: LocalOrg) -> None:
    served = requests.get(f"{local.url}/services/Soap/u/64.0/%22%3E%3Cx%26?wsdl", timeout=30)
    address = etree.fromstring(served.content).find(f".//{SOAP}address")
    assert address is not None
    assert address.get("location", "").startswith(f"{local.url}/services/Soap/u/64.0")


@pytest.mark.parametrize("name", ENUMS)
def test_the_enums_are_those_of_version_38(local: LocalOrg, name: str) -> None:
    found = _wsdl(local, 38).iterfind(f".//{XSD}simpleType[@name='{name}']//{XSD}enumeration")
    assert [one.get("value") for one in found] == ENUMS[name].split()


@pytest.mark.parametrize("enum", ["StatusCode", "ExceptionCode"])
def test_the_codes_are_sorted_and_unique(local: LocalOrg, enum: str) -> None:
    found = _wsdl(local, 64).iterfind(f".//{XSD}simpleType[@name='{enum}']//{XSD}enumeration")
    codes = [str(one.get("value")) for one in found]
    assert codes == sorted(set(codes))
    assert "UNKNOWN_EXCEPTION" in codes


ENGINE = Path(local_org.__file__).parent
SAID = {
    "StatusCode": re.compile(r'(?:RecordError|_?refused)\(\s*(?:[\w.]+,\s*)?"([A-Z_]{5,})"'),
    "ExceptionCode": re.compile(r'(?:Fault|unexpected)\(\s*"([A-Z_]{5,})"'),
}


@pytest.mark.parametrize("enum", SAID)
def test_every_code_of_an_answer_is_in_the_wsdl(local: LocalOrg, enum: str) -> None:
    rooms = ("faults", "records", "soql", "calls", "soap")
    sources = [path.read_text("utf-8") for room in rooms for path in (ENGINE / room).glob("*.py")]
    said = {code for text in sources for code in SAID[enum].findall(text)}
    found = _wsdl(local, 38).iterfind(f".//{XSD}simpleType[@name='{enum}']//{XSD}enumeration")
    assert len(said) > 5
    assert said <= {str(one.get("value")) for one in found}


def test_an_unknown_version_has_no_wsdl(local: LocalOrg) -> None:
    answer = requests.get(f"{local.url}/services/Soap/u/99.0?wsdl", timeout=30)
    assert (answer.status_code, "UNSUPPORTED_API_VERSION" in answer.text) == (500, True)


def _wsdl(local: LocalOrg, version: int) -> etree._Element:
    return etree.fromstring(requests.get(f"{local.url}/services/Soap/u/{version}.0?wsdl", timeout=30).content)


def _types(wsdl: etree._Element) -> Iterator[tuple[str, list[str]]]:
    for kind in wsdl.iter(f"{XSD}complexType"):
        base = next((str(one.get("base")).partition(":")[2] for one in kind.iter(f"{XSD}extension")), "")
        parent = kind.getparent()
        assert parent is not None
        name = f"type {kind.get('name')}" if kind.get("name") else f"element {parent.get('name')}"
        members = [_said(one) for one in kind.iter(f"{XSD}element", f"{XSD}any")]
        yield f"{name} extends {base}" if base else name, members


def _said(member: etree._Element) -> str:
    if member.tag == f"{XSD}any":
        return "any"
    marks = (
        ("?", member.get("minOccurs") == "0"),
        ("*", "maxOccurs" in member.attrib),
        ("~", "nillable" in member.attrib),
    )
    most = str(member.get("maxOccurs", "")).replace("unbounded", "")
    kind = str(member.get("type")).partition(":")[2]
    found = {mark for mark, is_so in marks if is_so}
    text = "".join(mark + (most if mark == "*" else "") for mark in "?*~" if mark in found)
    return f"{member.get('name')}:{kind}{text}"


def _operations(wsdl: etree._Element) -> Iterator[tuple[str, str]]:
    faults = {
        one.get("name"): [str(fault.get("name")) for fault in one.iterfind(f"{WSDL}fault")]
        for one in wsdl.iterfind(f"{WSDL}portType/{WSDL}operation")
    }
    for one in wsdl.iterfind(f"{WSDL}binding/{WSDL}operation"):
        sent, answered = (
            " ".join(str(header.get("part")) for header in one.iterfind(f"{WSDL}{way}/{SOAP}header"))
            for way in ("input", "output")
        )
        yield str(one.get("name")), f"{sent} -> {answered} ! {' '.join(faults[one.get('name')])}"


def _since(member: str) -> int:
    return int(member.partition("@")[2] or 0)


def _unversioned(member: str) -> str:
    return re.sub(r"@\d+$", "", member)
