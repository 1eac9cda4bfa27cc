"""Creates, updates, upserts, deletes and undeletes records over SOAP."""

from collections.abc import Sequence

from sfmap.engine.local_org.calls.sessions import USER_ID
from sfmap.engine.local_org.faults.org_faults import Duplicate, Fault, RecordError, unexpected
from sfmap.engine.local_org.records.record_writer import SaveResult, SentRecord, Writer
from sfmap.engine.local_org.soap.envelope import element
from sfmap.engine.local_org.soap.sent_sobjects import sent_record
from sfmap.engine.local_org.soap.soap_call import SoapCall

MOST_RECORDS = 200


def create(call: SoapCall) -> str:
    return _results(call, writer(call).create(_sent_records(call), _all_or_none(call)))


def update(call: SoapCall) -> str:
    return _results(call, writer(call).update(_sent_records(call), _all_or_none(call)))


def upsert(call: SoapCall) -> str:
    key = call.request.text("externalIDFieldName").strip()
    saved = writer(call).upsert(key, _sent_records(call), _all_or_none(call))
    return "".join(map(_upserted, _answered(call, saved)))


def delete(call: SoapCall) -> str:
    return _results(call, writer(call).delete(_ids(call), _all_or_none(call)))


def undelete(call: SoapCall) -> str:
    return _results(call, writer(call).undelete(_ids(call), _all_or_none(call)))


def empty_recycle_bin(call: SoapCall) -> str:
    return _results(call, writer(call).empty_recycle_bin(_ids(call)))


def writer(call: SoapCall) -> Writer:
    return Writer(
        call.store,
        call.schema,
        USER_ID,
        cut_long=call.request.header("AllowFieldTruncationHeader", "allowFieldTruncation") == "true",
        allow_duplicates=call.request.header("DuplicateRuleHeader", "allowSave") == "true",
        injected=call.injected,
    )


def _sent_records(call: SoapCall) -> list[SentRecord]:
    sent = [sent_record(one) for one in call.request.elements("sObjects")]
    _check_number(len(sent))
    if not all(one.object_name for one in sent):
        raise Fault("INVALID_TYPE", "Must send a concrete entity type.", "InvalidSObjectFault")
    return sent


def _ids(call: SoapCall) -> list[str]:
    ids = call.request.texts("ids")
    _check_number(len(ids))
    return ids


def _check_number(records: int) -> None:
    if records > MOST_RECORDS:
        message = f"record limit reached. cannot submit more than {MOST_RECORDS} records into this call"
        raise unexpected("EXCEEDED_ID_LIMIT", message)


def _all_or_none(call: SoapCall) -> bool:
    return call.request.header("AllOrNoneHeader", "allOrNone") == "true"


def _answered(call: SoapCall, saved: Sequence[SaveResult]) -> Sequence[SaveResult]:
    return call.injected.results(saved) if call.injected else saved


def _results(call: SoapCall, saved: Sequence[SaveResult]) -> str:
    return "".join(f"<result>{_outcome(one)}</result>" for one in _answered(call, saved))


def _upserted(saved: SaveResult) -> str:
    return f"<result>{element('created', saved.created and not saved.errors)}{_outcome(saved)}</result>"


def _outcome(saved: SaveResult) -> str:
    return f"{error_elements(saved.errors)}{element('id', saved.id)}{element('success', not saved.errors)}"


def error_elements(errors: Sequence[RecordError]) -> str:
    return "".join(map(_error, errors))


def _error(error: RecordError) -> str:
    said = (
        f"{''.join(element('fields', name) for name in error.fields)}{element('message', error.message)}"
        f"{element('statusCode', error.code)}"
    )
    if error.duplicate is None:
        return f"<errors>{said}</errors>"
    return f'<errors xsi:type="DuplicateError">{said}{_duplicate_result(error.duplicate, error.message)}</errors>'


def _duplicate_result(duplicate: Duplicate, message: str) -> str:
    matches = "".join(
        '<matchRecords><matchConfidence>100.0</matchConfidence><record xsi:type="sf:sObject">'
        f"{element('sf:type', duplicate.object_name)}{element('sf:Id', record_id)}</record></matchRecords>"
        for record_id in duplicate.ids
    )
    found = (
        f"{element('entityType', duplicate.object_name)}<matchEngine>ExactMatchEngine</matchEngine>{matches}"
        f"{element('rule', duplicate.rule)}{element('size', len(duplicate.ids))}<success>true</success>"
    )
    return (
        f"<duplicateResult>{element('allowSave', duplicate.may_be_saved)}"
        f"{element('duplicateRule', duplicate.rule)}"
        f"{element('duplicateRuleEntityType', duplicate.object_name)}{element('errorMessage', message)}"
        f"<matchResults>{found}</matchResults></duplicateResult>"
    )
