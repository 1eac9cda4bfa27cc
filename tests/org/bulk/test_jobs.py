"""Jobs end to end: opened, given their data, closed, watched, read, joined and removed."""

from datetime import UTC, datetime, timedelta

import pytest

from sfmap.engine.local_org.process import LocalOrg
from sfmap.engine.org.bulk_port import Load, Unprocessed
from sfmap.engine.org.port import CallRefused, RecordWrite, Reference, Refused, WriteOptions, Written

from .conftest import Desk, desk_of, lead, written_ids

CREATE = Load(operation="create", object_name="Lead")
UPDATE = Load(operation="update", object_name="Lead")
DELETE = Load(operation="delete", object_name="Lead")
UPSERT = Load(operation="upsert", object_name="Lead", external_id="Key__c")


def test_records_are_created_updated_and_deleted(desk: Desk) -> None:
    names = [f"Name {number}" for number in range(450)]
    created = desk.run(CREATE, [lead(LastName=name, Key__c=f"cud {name}") for name in names])
    ids = written_ids(created)

    assert desk.stored("Id", "LastName", where="Key__c LIKE 'cud %'") == list(zip(ids, names, strict=True))
    assert set(created.values()) == {Written(one) for one in ids}

    updated = desk.run(UPDATE, [RecordWrite({"Title": f"T {one}"}, id=one[:15]) for one in ids])
    assert written_ids(updated) == ids
    assert desk.stored("Title", where="Key__c LIKE 'cud %'") == [(f"T {one}",) for one in ids]

    deleted = desk.run(DELETE, [RecordWrite({}, id=one) for one in ids])
    assert written_ids(deleted) == ids
    assert desk.stored("Id", where="Key__c LIKE 'cud %'") == []


def test_an_upsert_tells_what_it_created(desk: Desk) -> None:
    first = desk.run(UPSERT, [lead(Key__c="Ups Ä"), lead(Key__c="ups b")])
    second = desk.run(UPSERT, [lead(Key__c="UPS ä"), lead(Key__c="ups c")])

    assert all(isinstance(one, Written) and one.created for one in first.values())
    assert second[0] == Written(written_ids(first)[0], created=False)
    assert isinstance(second[1], Written)
    assert second[1].created


def test_fields_are_emptied_and_others_left_as_they_are(desk: Desk) -> None:
    (record,) = written_ids(desk.run(CREATE, [lead(Title="CTO", Phone="1", Key__c="emptied")]))

    desk.run(UPDATE, [RecordWrite({"Phone": "2"}, clear=("Title",), id=record)])

    assert desk.stored("Title", "Phone", "Company", where="Key__c = 'emptied'") == [(None, "2", "Acme")]


def test_rows_of_different_fields_share_a_job(desk: Desk) -> None:
    """Columns that come later are empty in the rows before."""
    writes = [
        lead(Key__c="mixed 1"),
        lead(Key__c="mixed 2", Title="a, b"),
        lead(Key__c="mixed 3", Phone="1\n2"),
        lead(Key__c="mixed 4", Fax='"', Title="t"),
    ]
    assert all(isinstance(one, Written) for one in desk.run(CREATE, writes).values())
    assert sorted(desk.stored("Key__c", "Title", "Phone", "Fax", where="Key__c LIKE 'mixed %'"), key=str) == [
        ("mixed 1", None, None, None),
        ("mixed 2", "a, b", None, None),
        ("mixed 3", None, "1\n2", None),
        ("mixed 4", "t", None, '"'),
    ]


def test_equal_rows_stand_for_each_other(desk: Desk) -> None:
    created = desk.run(CREATE, [lead(Title="twin")] * 300 + [lead(Title="other")])
    ids = written_ids(created)
    assert len(set(ids)) == 301
    assert desk.stored("Id", where="Title = 'other'") == [(ids[-1],)]


def test_parents_are_found_by_their_external_ids(desk: Desk) -> None:
    ticket = Load(operation="create", object_name="Ticket__c")
    (known,) = written_ids(desk.run(ticket, [RecordWrite({"Key__c": "T-1"})]))
    owner = Reference("User", "Username", desk.local.username)
    writes = [
        RecordWrite(
            {"LastName": "x", "Company": "x", "Key__c": f"child {key}"},
            references={"Ticket__r": Reference("Ticket__c", "Key__c", key), "Owner": owner},
        )
        for key in ("T-1", "T-2")
    ]

    assert "User:Owner.Username" in desk.row(CREATE, writes[0]).cells
    outcomes = desk.run(CREATE, writes)

    assert isinstance(outcomes[0], Written)
    assert isinstance(outcomes[1], Refused)
    assert outcomes[1].code == "INVALID_FIELD"
    assert "T-2" in outcomes[1].message
    assert desk.stored("Ticket__c", where="Key__c LIKE 'child %'") == [(known,)]


def test_refused_rows_say_why(desk: Desk) -> None:
    outcomes = desk.run(CREATE, [lead(Title="fine"), RecordWrite({"Company": "nameless"}), lead(Score__c="12x")])
    assert isinstance(outcomes[0], Written)
    assert outcomes[1] == Refused(
        "REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", ("LastName",)
    )
    assert isinstance(outcomes[2], Refused)
    assert outcomes[2].fields == ("Score__c",)


def test_one_unknown_column_fails_a_whole_job_and_nothing_is_written(desk: Desk) -> None:
    job_id = desk.jobs.open(CREATE)
    desk.raw.upload(job_id, "LastName,Company,Nope__c\na,b,c\n")
    desk.jobs.close(job_id)
    job = desk.ended(job_id)
    assert job.state == "Failed"
    assert "Nope__c" in job.error_message
    assert [one.outcome for one in desk.jobs.results(job, 1)] == [Unprocessed()]


def test_a_job_that_is_removed_is_not_known_any_more(desk: Desk) -> None:
    with desk.data(CREATE, [lead()]) as data:
        job_id = desk.begun(CREATE, data)
        desk.ended(job_id)
    desk.jobs.delete(job_id)
    assert desk.jobs.look(job_id) is None
    assert desk.jobs.look("750000000zzzzzzEAA") is None


def test_an_aborted_job_has_processed_nothing(desk: Desk) -> None:
    with desk.data(CREATE, [lead(), lead(Title="2")]) as data:
        job_id = desk.jobs.open(CREATE)
        desk.jobs.upload(job_id, data)
        desk.jobs.abort(job_id)
        job = desk.ended(job_id)
        assert job.state == "Aborted"
        assert set(desk.outcomes(CREATE, data, job).values()) == {Unprocessed()}


def test_a_second_upload_and_a_second_close_are_refused(desk: Desk) -> None:
    with desk.data(CREATE, [lead()]) as data:
        job_id = desk.jobs.open(CREATE)
        desk.jobs.upload(job_id, data)
        with pytest.raises(CallRefused, match="only do 'PUT' once"):
            desk.jobs.upload(job_id, data)
        desk.jobs.abort(job_id)
        with pytest.raises(CallRefused) as twice:
            desk.jobs.close(job_id)
    assert twice.value.code == "INVALIDJOBSTATE"
    assert not twice.value.maybe_applied


def test_the_jobs_of_this_user_are_listed_oldest_first(desk: Desk) -> None:
    start = datetime.now(UTC) - timedelta(seconds=1)
    first, second = desk.jobs.open(CREATE), desk.jobs.open(UPSERT)
    desk.jobs.abort(first)
    listed = [job for job in desk.jobs.recent(start) if job.id in (first, second)]
    assert [(job.id, job.operation, job.object_name, job.state) for job in listed] == [
        (first, "insert", "Lead", "Aborted"),
        (second, "upsert", "Lead", "Open"),
    ]
    assert desk.jobs.recent(datetime.now(UTC) + timedelta(days=1)) == []


def test_one_sign_in_serves_both_apis_and_all_calls_are_counted(local: LocalOrg) -> None:
    desk = desk_of(local)
    desk.run(CREATE, [lead()])
    calls = dict(desk.soap.calls())
    looks = calls.pop("jobInfo")
    assert looks >= 2
    assert calls == {
        "login": 1,
        "describeSObjects": 1,
        "createJob": 1,
        "uploadJob": 1,
        "closeJob": 1,
        "jobResults": 1,
    }
    usage = desk.soap.usage()
    assert usage
    assert usage.used > 0


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (WriteOptions(), ""),
        (WriteOptions(all_or_none=False, truncate=False, allow_duplicates=False, send_emails=False), ""),
        (WriteOptions(assignment_rule="01Q000000000001"), ""),
        (WriteOptions(assignment_rule="default"), "assignment_rule: default"),
        (WriteOptions(assignment_rule="off"), "assignment_rule: off"),
        (WriteOptions(all_or_none=True), "all_or_none"),
        (WriteOptions(truncate=True), "truncate"),
        (WriteOptions(send_emails=True), "send_emails"),
        (WriteOptions(allow_duplicates=True), "allow_duplicates"),
        (WriteOptions(package_versions=(("acme", "1.2"),)), "package_versions"),
    ],
)
def test_headers_that_jobs_do_not_have_are_said(desk: Desk, options: WriteOptions, why: str) -> None:
    said = desk.jobs.why_not(Load(operation="create", object_name="Lead", options=options))
    assert said.startswith(why)
    assert bool(said) == bool(why)


def test_the_assignment_rule_is_that_of_the_load(desk: Desk) -> None:
    rule = "01Q000000000001AAA"
    job_id = desk.jobs.open(
        Load(operation="create", object_name="Lead", options=WriteOptions(assignment_rule=rule))
    )
    assert desk.raw.info(job_id)["assignmentRuleId"] == rule


def test_a_large_job_is_sent_in_pieces(desk: Desk) -> None:
    text = 'Dvořák \N{GRINNING FACE}, "q"\r\n' * 400
    writes = [lead(Notes__c=f"{number} {text}", Title="large") for number in range(300)]
    with desk.data(CREATE, writes) as data:
        assert len(data) > 2_000_000
        assert sum(map(len, data)) == len(data)
        outcomes = desk.outcomes(CREATE, data, desk.ended(desk.begun(CREATE, data)))
    assert desk.stored("Id", where="Title = 'large'") == [(one,) for one in written_ids(outcomes)]
