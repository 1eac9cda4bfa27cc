"""Describes layouts and tabs over SOAP."""

from sfmap.engine.local_org.faults.org_faults import Fault
from sfmap.engine.local_org.records.layout_members import described_layouts
from sfmap.engine.local_org.records.record_types import record_type_infos
from sfmap.engine.local_org.records.tab_members import described_tab, with_tabs
from sfmap.engine.local_org.soap.envelope import text_of
from sfmap.engine.local_org.soap.member_elements import members
from sfmap.engine.local_org.soap.soap_call import SoapCall


def describe_layout(call: SoapCall) -> str:
    target = call.object(call.request.text("sObjectType"))
    name = "".join(map(text_of, call.request.elements("layoutName"))).strip()
    if name and name not in target.named_layouts:
        raise Fault("INVALID_TYPE", f"{target.name} has no layout named {name[:80]}", "InvalidSObjectFault")
    described = described_layouts(target, call.schema, record_type_infos(call.store, call.schema, target))
    facts = {
        "layouts": described.layouts,
        "recordTypeMappings": described.record_types,
        "recordTypeSelectorRequired": False,
    }
    return f"<result>{members(facts)}</result>"


def describe_tabs(call: SoapCall) -> str:
    app = {
        "description": "",
        "label": "Local org",
        "logoUrl": f"{call.base_url}/img/seasonLogos/local.png",
        "selected": True,
        "tabSetId": "02u000000000001AAA",
        "tabs": [described_tab(one, call.base_url) for one in with_tabs(call.schema)],
    }
    return f"<result>{members(app)}</result>"
