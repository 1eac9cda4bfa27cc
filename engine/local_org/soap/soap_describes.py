"""Describes objects and fields over SOAP."""

from collections.abc import Mapping
from xml.sax.saxutils import escape

from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.records.field_members import described_fields
from sfmap.engine.local_org.records.object_members import described_head, described_object
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall
from sfmap.engine.local_org.soap.soap_writes import MOST_RECORDS

_MOST_DESCRIBES = 100
_ADDRESS = "\0"
"""Stands for the org's address in a description that is kept."""
_NIL = frozenset(
    {
        "defaultImplementation", "implementedBy", "implementsInterfaces", "keyPrefix", "networkScopeFieldName",
        "urlDetail", "urlEdit", "urlNew",
    }
)  # fmt: skip
"""Members that are sent even without a value."""
_FLAGS_SENT_IF_TRUE = frozenset(
    {
        "cascadeDelete", "dependentPicklist", "displayLocationInDecimal", "encrypted", "externalId",
        "formulaTreatNullNumberAsZero", "highScaleNumber", "htmlFormatted", "namePointing", "restrictedDelete",
        "writeRequiresMasterRead",
    }
)  # fmt: skip


def describe_global(call: SoapCall) -> str:
    described = "".join(
        f"<sobjects>{_members(described_head(target, call.version))}</sobjects>"
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
    key = (target.name, call.version)
    if key not in call.descriptions:
        fields = described_fields(target, call.version)
        facts = described_object(target, call.schema, version=call.version, base_url=_ADDRESS, fields=fields)
        call.descriptions[key] = _members(facts)
    return call.descriptions[key].replace(_ADDRESS, escape(call.base_url))


def _members(facts: Mapping[str, object], within: str = "") -> str:
    return "".join(_member(name, value, within) for name, value in facts.items())


def _member(name: str, value: object, within: str) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{_members(value, name)}</{name}>"
    if isinstance(value, list):
        return "".join(_member(name, one, within) for one in value)
    is_of_field = within == "fields"
    if (value is None and name not in _NIL) or (is_of_field and value is False and name in _FLAGS_SENT_IF_TRUE):
        return ""
    text = element(name, value)
    if is_of_field and name == "defaultValue":
        kind = "boolean" if isinstance(value, bool) else "string"
        return text.replace(">", f' xsi:type="xsd:{kind}">', 1)
    return text
