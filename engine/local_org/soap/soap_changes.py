"""Tells over SOAP which records were changed or deleted in a time."""

from sfmap.engine.local_org.records.changed_records import Period, deleted, period, updated
from sfmap.engine.local_org.records.object_schema import ObjectSchema
from sfmap.engine.local_org.records.store import now
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.soap_call import SoapCall

_EARLIEST = "2026-01-01T00:00:00.000Z"
"""From when on the org knows what was deleted."""


def get_updated(call: SoapCall) -> str:
    target, within = _asked(call)
    ids = "".join(element("ids", one) for one in updated(call.store, target, within))
    return f"<result>{ids}{element('latestDateCovered', _covered(within))}</result>"


def get_deleted(call: SoapCall) -> str:
    target, within = _asked(call)
    records = "".join(
        f"<deletedRecords>{element('deletedDate', at)}{element('id', record_id)}</deletedRecords>"
        for record_id, at in deleted(call.store, target, within)
    )
    earliest = element("earliestDateAvailable", _EARLIEST)
    return f"<result>{records}{earliest}{element('latestDateCovered', _covered(within))}</result>"


def _asked(call: SoapCall) -> tuple[ObjectSchema, Period]:
    text = call.request.text
    return call.object(text("sObjectType")), period(text("startDate"), text("endDate"))


def _covered(within: Period) -> str:
    return min(within.end, now())
