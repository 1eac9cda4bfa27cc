"""Describes objects and fields over SOAP."""

from xml.sax.saxutils import escape

from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.records.field_members import described_fields
from sfmap.engine.local_org.records.object_members import described_head, described_object
from sfmap.engine.local_org.records.record_types import record_type_infos
from sfmap.engine.local_org.soap.member_elements import members
from sfmap.engine.local_org.soap.soap_call import SoapCall
from sfmap.engine.local_org.soap.soap_writes import MOST_RECORDS

_MOST_DESCRIBES = 100
_ADDRESS = "\0"
"""Stands for the org's address in a description that is kept."""


def describe_global(call: SoapCall) -> str:
    described = "".join(
        f"<sobjects>{members(described_head(target, call.version))}</sobjects>"
        for target in call.schema.objects.values()
    )
    return f"<result><encoding>UTF-8</encoding><maxBatchSize>{MOST_RECORDS}</maxBatchSize>{described}</result>"


def describe_object(call: SoapCall) -> str:
    return f"<result>{_described(call, call.request.text('sObjectType'))}</result>"


def describe_objects(call: SoapCall) -> str:
    names = call.request.texts("sObjectType")
    if len(names) > _MOST_DESCRIBES:
        raise unexpected(
            "EXCEEDED_ID_LIMIT", f"describe limit reached. cannot describe more than {_MOST_DESCRIBES}"
        )
    return "".join(f"<result>{_described(call, name)}</result>" for name in names)


def _described(call: SoapCall, name: str) -> str:
    target = call.object(name)
    record_types = record_type_infos(call.store, call.schema, target)
    key = (target.name, call.version, record_types)
    if key not in call.descriptions:
        facts = described_object(
            target,
            call.schema,
            version=call.version,
            base_url=_ADDRESS,
            fields=described_fields(target, call.version),
            record_types=record_types,
        )
        call.descriptions[key] = members(facts)
    return call.descriptions[key].replace(_ADDRESS, escape(call.base_url))
