"""Makes SOAP calls: content in, result elements out, and every failure an OrgError without secrets."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import urlsplit

import zeep
from lxml import etree

from sfmap.engine.org.soap.failures import FAILURES, FailedCall, error_from
from sfmap.engine.org.soap.org_settings import SoapSettings
from sfmap.engine.org.soap.result_elements import UnreadableAnswerError
from sfmap.engine.org.soap.sign_in import Secret
from sfmap.engine.org.soap.transport import HttpAnswer, Transport
from sfmap.engine.org.soap.write_elements import PREFIXES, RecordsXml
from sfmap.engine.org.soap.wsdl import Wsdl, load_wsdl

CallContent = Mapping[str, str | Secret | Sequence[str] | RecordsXml]
CallHeaders = Mapping[str, Mapping[str, object]]

_ENTITY = "records"
_PLACE = f"&{_ENTITY};".encode()
"""Where the records go: values contain no entities, since their ampersands are escaped."""
_BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"


@dataclass(frozen=True, slots=True)
class SoapAnswer:
    results: Sequence[etree._Element]
    limits: Sequence[etree._Element] = ()


class _ZeepClient(Protocol):
    """The part of zeep's client that is used, with the types that zeep leaves out."""

    transport: Any

    def set_ns_prefix(self, prefix: str, namespace: str) -> None: ...

    def create_service(self, binding_name: str, address: str) -> Any: ...


class Connection:
    """Calls one org with zeep. Thread-safe."""

    def __init__(self, settings: SoapSettings, transport: Transport) -> None:
        self._settings = settings
        self._wsdl = load_wsdl(settings.wsdl)
        self._transport = transport
        self._client = zeep_client(self._wsdl)

    def call(self, operation: str, url: str, content: CallContent, headers: CallHeaders) -> SoapAnswer:
        try:
            return self._send(operation, url, content, headers)
        except FAILURES as failure:
            error = error_from(failure, self.named(operation, url, headers))
        # Raised outside the handler, so that no frame with the envelope and its secrets is attached.
        raise error

    def named(self, operation: str, url: str, headers: CallHeaders) -> FailedCall:
        """The call as error messages describe it."""
        settings = self._settings
        session = (value for header in headers.values() for value in header.values() if isinstance(value, Secret))
        secrets = (*settings.sign_in.secrets, *session)
        return FailedCall(
            operation=operation, host=urlsplit(url).netloc, user=settings.sign_in.user, secrets=secrets
        )

    def _send(self, operation: str, url: str, content: CallContent, headers: CallHeaders) -> SoapAnswer:
        client = copy(self._client)
        client.transport = _WithRecords(self._transport, content)
        service = client.create_service(self._wsdl.binding, url)
        sent = {name: _revealed(header) for name, header in headers.items()}
        reply = service[operation](**_revealed(content), _soapheaders=sent)
        if operation == "login":
            return SoapAnswer(reply or ())
        header = reply.header and reply.header.LimitInfoHeader
        return SoapAnswer(reply.body._value_1 or (), (header and header._value_1) or ())


class _WithRecords:
    """A transport for zeep that puts the records of one call in the place that its envelope has for them."""

    def __init__(self, transport: Transport, content: CallContent) -> None:
        self._transport = transport
        self._records = [one.text.encode() for one in content.values() if isinstance(one, RecordsXml)]

    def post_xml(self, address: str, envelope: etree._Element, headers: dict[str, str]) -> HttpAnswer:
        body: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
        for records in self._records:
            body = body.replace(_PLACE, records)
        return self._transport.post_xml(address, etree.QName(envelope[-1][0]).localname, body, headers)


class _WholeAnswer:
    """A zeep plugin that rejects an envelope without a readable body."""

    def egress(
        self, envelope: etree._Element, headers: dict[str, str], _operation: object, _options: object
    ) -> tuple[etree._Element, dict[str, str]]:
        return envelope, headers

    def ingress(
        self, envelope: etree._Element, headers: dict[str, str], _operation: object
    ) -> tuple[etree._Element, dict[str, str]]:
        body = envelope.find(_BODY)
        if body is None or len(body) == 0:
            raise UnreadableAnswerError("no SOAP body")
        return envelope, headers


def zeep_client(wsdl: Wsdl) -> _ZeepClient:
    """A client of the partner API; without a transport it only builds messages."""
    client: _ZeepClient = zeep.Client(
        BytesIO(wsdl.content),
        plugins=[_WholeAnswer()],
        settings=zeep.Settings(forbid_dtd=True, forbid_external=True),
    )
    for prefix, namespace in PREFIXES.items():
        client.set_ns_prefix(prefix, namespace)
    return client


def _revealed(values: Mapping[str, object]) -> dict[str, object]:
    return {name: _as_zeep_takes_it(value) for name, value in values.items()}


def _as_zeep_takes_it(value: object) -> object:
    if isinstance(value, RecordsXml):
        return [etree.Entity(_ENTITY)]
    return value.text if isinstance(value, Secret) else value
