"""Converts and merges records over SOAP."""

from lxml import etree

from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import unexpected
from sfmap.engine.local_org.records.conversions import Conversions, Converted, SentConversion
from sfmap.engine.local_org.records.merges import Merged, Merges
from sfmap.engine.local_org.soap.envelope import children, element, is_nil, local_name, text_of
from sfmap.engine.local_org.soap.sent_sobjects import sent_record
from sfmap.engine.local_org.soap.soap_call import SoapCall
from sfmap.engine.local_org.soap.soap_writes import error_elements, writer

_MOST_CONVERSIONS = 100
_MOST_MERGES = 200
_PARTS = ("account", "contact", "opportunity")


def convert_lead(call: SoapCall) -> str:
    sent = call.request.elements("leadConverts")
    if len(sent) > _MOST_CONVERSIONS:
        message = f"lead convert limit reached. cannot convert more than {_MOST_CONVERSIONS} leads into this call"
        raise unexpected("EXCEEDED_LEAD_CONVERT_LIMIT", message)
    conversions = Conversions(call.store, call.schema, writer(call), USER_ID)
    return "".join(_converted(conversions.convert(_sent_conversion(one))) for one in sent)


def _sent_conversion(sent: etree._Element) -> SentConversion:
    said = {local_name(one): text_of(one).strip() for one in children(sent) if not is_nil(one)}
    return SentConversion(
        id=said.get("leadId", ""),
        status=said.get("convertedStatus", ""),
        owner_id=said.get("ownerId", ""),
        existing={part: said[f"{part}Id"] for part in _PARTS if said.get(f"{part}Id")},
        names={"opportunity": said.get("opportunityName", "")},
        left_out=frozenset({"opportunity"} if said.get("doNotCreateOpportunity") == "true" else ()),
        overwrites_source=said.get("overwriteLeadSource") == "true",
    )


def _converted(made: Converted) -> str:
    account, contact, opportunity = (element(f"{part}Id", made.ids.get(part)) for part in _PARTS)
    lead, success = element("leadId", made.id), element("success", not made.errors)
    return f"<result>{account}{contact}{error_elements(made.errors)}{lead}{opportunity}{success}</result>"


def merge(call: SoapCall) -> str:
    sent = call.request.elements("request")
    if len(sent) > _MOST_MERGES:
        raise unexpected("EXCEEDED_ID_LIMIT", f"cannot merge more than {_MOST_MERGES} times in one call")
    return "".join(_merged(call, one) for one in sent)


def _merged(call: SoapCall, sent: etree._Element) -> str:
    master = next((one for one in children(sent) if local_name(one) == "masterRecord"), None)
    if master is None:
        raise unexpected("MISSING_ARGUMENT", "masterRecord is required by merge and was not sent")
    ids = [text_of(one) for one in children(sent) if local_name(one) == "recordToMergeIds"]
    merged: Merged = Merges(call.store, call.schema, writer(call), USER_ID).merge(sent_record(master), ids)
    done = "".join(element("mergedRecordIds", one) for one in merged.merged)
    moved = "".join(element("updatedRelatedIds", one) for one in merged.moved)
    success = element("success", not merged.errors)
    return f"<result>{error_elements(merged.errors)}{element('id', merged.id)}{done}{success}{moved}</result>"
