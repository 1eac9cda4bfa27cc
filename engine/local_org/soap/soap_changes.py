"""Tells over SOAP which records were changed or deleted in a time."""

from sfmap.engine.local_org.records.changed_records import EARLIEST, Period, deleted, period, updated
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall


def get_updated(call: SoapCall) -> str:
    target, within = _asked(call)
    ids = "".join(element("ids", one) for one in updated(call.store, target, within))
    return f"<result>{ids}{element('latestDateCovered', within.covered)}</result>"


def get_deleted(call: SoapCall) -> str:
    target, within = _asked(call)
    records = "".join(
        f"<deletedRecords>{element('deletedDate', at)}{element('id', record_id)}</deletedRecords>"
        for record_id, at in deleted(call.store, target, within)
    )
    earliest = element("earliestDateAvailable", EARLIEST)
    return f"<result>{records}{earliest}{element('latestDateCovered', within.covered)}</result>"


def _asked(call: SoapCall) -> tuple[ObjectSchema, Period]:
    text = call.request.text
    return call.object(text("sObjectType")), period(text("startDate"), text("endDate"))
