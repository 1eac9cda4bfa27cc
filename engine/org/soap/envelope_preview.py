"""Renders the SOAP envelope of a create as text, without an org."""

from typing import Any

from lxml import etree

from sfmap.engine.org.port import RecordWrite, Refused
from sfmap.engine.org.soap.connection import zeep_client
from sfmap.engine.org.soap.write_elements import PREFIXES, record_xml
from sfmap.engine.org.soap.wsdl import load_wsdl

_NOWHERE = "https://login.salesforce.com/services/Soap/u"


class Preview:
    """Renders envelopes as the adapter sends them, except for the session id."""

    def __init__(self) -> None:
        wsdl = load_wsdl(None)
        self._client: Any = zeep_client(wsdl)
        self._service = self._client.create_service(wsdl.binding, _NOWHERE)

    def create(self, object_name: str, write: RecordWrite) -> str:
        """The indented envelope of a create of one record, or the reason why SOAP cannot carry it."""
        record = record_xml(object_name, write)
        if isinstance(record, Refused):
            return f"<!-- {record.message} -->\n"
        headers = {"SessionHeader": {"sessionId": "..."}, "AllOrNoneHeader": {"allOrNone": False}}
        declared = " ".join(f'xmlns:{prefix}="{namespace}"' for prefix, namespace in PREFIXES.items())
        (element,) = etree.fromstring(f"<records {declared}>{record}</records>")
        envelope = self._client.create_message(self._service, "create", _value_1=[element], _soapheaders=headers)
        text: str = etree.tostring(envelope, encoding="unicode", pretty_print=True)
        return text
