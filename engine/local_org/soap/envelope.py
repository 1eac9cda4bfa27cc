"""SOAP envelopes: parses requests and writes responses."""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from lxml import etree

from sfmap.engine.local_org.faults.org_faults import Fault, unexpected
from sfmap.engine.local_org.soap.soap_arguments import arguments

_XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    " {namespaces}"
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)
_ANSWERS = 'xmlns="urn:partner.soap.sforce.com" xmlns:sf="urn:sobject.partner.soap.sforce.com"'
# SOAP 1.1 requires the parts of a fault to have no namespace (section 4.4).
_FAULTS = 'xmlns:sf="urn:fault.partner.soap.sforce.com"'
_FAULTS_WITH_A_PLACE = ("InvalidFieldFault", "InvalidSObjectFault", "MalformedQueryFault", "MalformedSearchFault")
_CLOSE = "</soapenv:Body></soapenv:Envelope>"


@dataclass(frozen=True, slots=True)
class SoapRequest:
    operation: str
    arguments: dict[str, list[etree._Element]]
    """By name, what was sent for each argument of the operation."""
    headers: dict[str, dict[str, str]]
    """By header, the texts of its members by name."""

    def elements(self, name: str) -> list[etree._Element]:
        return self.arguments.get(name, [])

    def texts(self, name: str) -> list[str]:
        """The texts of a repeated argument, also where a client sends them as the items of an array."""
        sent = self.elements(name)
        return [text_of(item) for one in sent for item in (children(one) if len(one) else (one,))]

    def text(self, name: str) -> str:
        """The text of an argument. Raises `Fault` if it was not sent."""
        sent = self.texts(name)
        if not sent:
            raise unexpected("MISSING_ARGUMENT", f"{name} is required by {self.operation} and was not sent")
        return "".join(sent)

    def header(self, name: str, member: str) -> str:
        """One text of a header; empty if it was not sent."""
        return self.headers.get(name, {}).get(member, "")


def parse(data: bytes) -> SoapRequest:
    """The request, whatever its namespaces and the order of named arguments. Raises `Fault`."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _client_fault(f"The request is not well-formed XML: {error.msg}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _client_fault("A document type declaration is not allowed in a SOAP message.")
    parts = {local_name(child): child for child in children(root)}
    operations = list(children(parts["Body"])) if local_name(root) == "Envelope" and "Body" in parts else []
    if len(operations) != 1:
        raise _client_fault("The request is not a SOAP envelope with one operation in its body.")
    headers = children(parts["Header"]) if "Header" in parts else ()
    operation = local_name(operations[0])
    sent = [(local_name(child), child) for child in children(operations[0])]
    return SoapRequest(
        operation,
        arguments(operation, sent),
        {local_name(h): {local_name(member): text_of(member) for member in children(h)} for h in headers},
    )


def children(element: etree._Element) -> Iterator[etree._Element]:
    return (child for child in element if isinstance(child.tag, str))


def local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def text_of(element: etree._Element) -> str:
    return element.text or ""


def is_nil(element: etree._Element) -> bool:
    return element.get(_XSI_NIL) in ("true", "1")


def element(name: str, value: object) -> str:
    """`<name>value</name>`; a nil element for None, booleans in lower case."""
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    text = str(value).lower() if isinstance(value, bool) else escape(str(value), {"\r": "&#13;"})
    return f"<{name}>{text}</{name}>"


def answer(operation: str, results: str, usage: tuple[int, int] | None) -> bytes:
    """A successful response; `usage` gives the daily requests used and allowed, for the header."""
    header = ""
    if usage:
        info = f"{element('current', usage[0])}{element('limit', usage[1])}<type>API REQUESTS</type>"
        header = (
            f"<soapenv:Header><LimitInfoHeader><limitInfo>{info}</limitInfo></LimitInfoHeader></soapenv:Header>"
        )
    body = f"<{operation}Response>{results}</{operation}Response>"
    return f"{_OPEN.format(namespaces=_ANSWERS)}{header}<soapenv:Body>{body}{_CLOSE}".encode()


def fault_answer(fault: Fault) -> bytes:
    """A fault as a real org sends it: the code in the fault code, the text and the typed detail."""
    row, column = fault.place or (-1, -1)
    place = f"{element('sf:row', row)}{element('sf:column', column)}" if fault.kind in _FAULTS_WITH_A_PLACE else ""
    message = escape(fault.message)
    detail = (
        f'<sf:{fault.kind} xsi:type="sf:{fault.kind}"><sf:exceptionCode>{fault.code}</sf:exceptionCode>'
        f"<sf:exceptionMessage>{message}</sf:exceptionMessage>{place}</sf:{fault.kind}>"
    )
    body = (
        f"<soapenv:Fault><faultcode>sf:{fault.code}</faultcode><faultstring>{fault.code}: {message}</faultstring>"
        f"<detail>{detail}</detail></soapenv:Fault>"
    )
    return f"{_OPEN.format(namespaces=_FAULTS)}<soapenv:Body>{body}{_CLOSE}".encode()


def _client_fault(message: str) -> Fault:
    return unexpected("UNKNOWN_EXCEPTION", message)
