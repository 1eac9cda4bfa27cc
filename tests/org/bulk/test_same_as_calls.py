"""Whatever a job can carry is stored as if a call had written it, and refused in the same words."""

import datetime as dt
from collections.abc import Sequence
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from sfmap.engine.org.bulk_port import Load, RowOutcome
from sfmap.engine.org.bulk_rows import BulkRow, RowMaker
from sfmap.engine.org.port import RecordWrite, Reference, Refused, Value, WriteResult, Written

from .conftest import Desk

READ = ("Title", "Notes__c", "Score__c", "Vip__c", "Seen__c", "Born__c", "Ticket__c", "NumberOfEmployees", "Email")
UPSERT = Load(operation="upsert", object_name="Lead", external_id="Key__c")
_numbers = count()

TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\",\r\n\t '#N/A;"), max_size=40)
MOMENTS = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2100, 1, 1)).map(
    lambda moment: moment.isoformat(timespec="milliseconds") + "Z"
)
VALUES: dict[str, st.SearchStrategy[Value]] = {
    "Title": TEXTS,
    "Notes__c": TEXTS,
    "Score__c": st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False, width=32),
    "Vip__c": st.booleans(),
    "Seen__c": MOMENTS | st.just("soon"),
    "Born__c": st.dates().map(str),
    "NumberOfEmployees": st.integers(-5, 10**6) | st.just("many"),
    "Email": st.emails() | st.just("nobody"),
}
PARENTS = st.sampled_from(["T-1", "T-2", "t-1", ""])
WRITES = st.builds(
    lambda fields, clear, parent: RecordWrite(
        fields,
        clear=tuple(name for name in clear if name not in fields),
        references={"Ticket__r": Reference("Ticket__c", "Key__c", parent)} if parent else {},
    ),
    st.fixed_dictionaries({}, optional=VALUES),
    st.sets(st.sampled_from(["Title", "Score__c", "Born__c"])),
    PARENTS,
)


def keyed(write: RecordWrite, key: str) -> RecordWrite:
    fields = {"LastName": "x", "Company": "x", **write.fields, "Key__c": key}
    return RecordWrite(fields, clear=write.clear, references=write.references)


def told(outcomes: Sequence[RowOutcome | WriteResult]) -> list[object]:
    """Whether a record was created, or why not; several errors of one record come in the order of its columns."""

    def one_told(one: RowOutcome | WriteResult) -> object:
        if isinstance(one, Refused):
            messages = one.message.split("; ")
            return one.code if len(messages) == 1 else "", sorted(messages), sorted(one.fields)
        return one.created if isinstance(one, Written) else one

    return [one_told(one) for one in outcomes]


@given(st.lists(WRITES, min_size=1, max_size=12), st.lists(WRITES, max_size=12))
@settings(max_examples=25)
def test_jobs_store_what_calls_store(desk: Desk, first: list[RecordWrite], second: list[RecordWrite]) -> None:
    number = next(_numbers)
    desk.soap.upsert("Ticket__c", "Key__c", [RecordWrite({"Key__c": "T-1"})])
    maker = RowMaker(UPSERT, desk.soap.describe(["Lead"])["Lead"])
    for writes in (first, second):
        sendable = [
            (place, write)
            for place, write in enumerate(writes)
            if isinstance(maker.row(keyed(write, "k")), BulkRow)
        ]
        calls, jobs = (
            [keyed(write, f"same {number} {place} {api}") for place, write in sendable] for api in ("call", "job")
        )
        if not sendable:
            continue
        by_call = desk.soap.upsert("Lead", "Key__c", calls)
        by_job: dict[int, RowOutcome] = {}
        for group in {desk.row(UPSERT, write).group for write in jobs}:
            places = [place for place, write in enumerate(jobs) if desk.row(UPSERT, write).group == group]
            outcomes = desk.run(UPSERT, [jobs[place] for place in places])
            by_job |= {places[row]: outcome for row, outcome in outcomes.items()}
        assert told([by_job[place] for place in sorted(by_job)]) == told(by_call)
        stored = desk.stored("Key__c", *READ, where=f"Key__c LIKE 'same {number} %'")
        of_calls, of_jobs = (
            sorted(str((str(key).removesuffix(api), *rest)) for key, *rest in stored if str(key).endswith(api))
            for api in ("call", "job")
        )
        assert of_jobs == of_calls
