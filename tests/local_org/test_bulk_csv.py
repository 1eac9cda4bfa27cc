"""What a bulk job reads in its data: dialects, quotes, nothing and null, parents, and what it refuses."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfmap.engine.local_org.process import LocalOrg

from ..examples import one_in
from .bulk import DELIMITERS, LINE_ENDINGS, Bulk, plan, token, written

SCHEMA = """\
objects:
  Lead:
    fields:
      Code__c: {type: string, length: 20, external_id: true, unique: true}
      Score__c: {type: double, precision: 5, scale: 2}
      Vip__c: {type: boolean}
      Seen__c: {type: datetime}
      Day__c: {type: date}
      At__c: {type: time}
  Account:
    fields:
      Ext__c: {type: string, length: 20, external_id: true, unique: true}
"""


@pytest.fixture(scope="module")
def bulk(org: LocalOrg) -> Bulk:
    bulk = Bulk(org.url, token(org))
    bulk.run("insert", "Name,Ext__c\nAcme,acme\n", "Account")
    bulk.run("insert", "LastName,Company,Email\nAnn,x,ann@x.org\n")
    return bulk


LEAD = {"LastName": "Lee", "Company": "x"}

VALUES = [
    ("Vip__c", "TRUE", True),
    ("Vip__c", "1", True),
    ("Vip__c", "false", False),
    ("Score__c", "1.2E2", 120.0),
    ("Day__c", "2026-01-31", "2026-01-31"),
    ("Seen__c", "2026-01-31T10:00:00.000+01:00", "2026-01-31T09:00:00.000"),
    ("Seen__c", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000"),
    ("At__c", "14:30:00.000Z", "14:30:00.000Z"),
    ("Title", 'a "b", c\nd', 'a "b", c\nd'),
    ("Title", "Grüße 👋", "Grüße 👋"),
    ("Title", "a\x01b\x00\uffffc", "abc"),
    ("Title", "\x1b", None),
    ("Score__c", "1\x025", 15.0),
    ("Title", "", None),
    ("Title", "#N/A", None),
]


@pytest.mark.parametrize(("field", "text", "value"), VALUES)
def test_values_are_stored(bulk: Bulk, field: str, text: str, value: object) -> None:
    row = {**LEAD, field: text}
    job = bulk.run("insert", written([list(row), list(row.values())]))
    (result,) = bulk.rows(job, "successfulResults")
    assert result[field] == text
    (record,) = bulk.query(f"SELECT {field} FROM Lead WHERE Id = '{result['sf__Id']}'")
    stored = record[field]
    assert (
        stored.split("+")[0].removesuffix("Z") if field == "Seen__c" and isinstance(stored, str) else stored
    ) == value


REFUSED = [
    ("Vip__c", "perhaps", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ("Score__c", "1000", "NUMBER_OUTSIDE_VALID_RANGE"),
    ("Day__c", "31.1.2026", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ("Email", "nobody", "INVALID_EMAIL_ADDRESS"),
    ("LastName", "#N/A", "REQUIRED_FIELD_MISSING"),
    ("Id", "00Q000000000001AAA", "INVALID_FIELD_FOR_INSERT_UPDATE"),
]


@pytest.mark.parametrize(("field", "text", "code"), REFUSED)
def test_a_row_with_a_wrong_value_fails_alone(bulk: Bulk, field: str, text: str, code: str) -> None:
    row = {**LEAD, field: text}
    job = bulk.run(
        "insert", written([list(row), list(row.values()), list((row | LEAD | {field: ""} | LEAD).values())])
    )
    (failed,) = bulk.rows(job, "failedResults")
    assert failed["sf__Error"].startswith(f"{code}:")
    assert failed["sf__Error"].endswith(f":{field} --")
    assert {name: failed[name] for name in row} == row
    assert len(bulk.rows(job, "successfulResults")) == 1


def test_an_update_keeps_what_is_empty_and_empties_what_is_null(bulk: Bulk) -> None:
    job = bulk.run("insert", "LastName,Company,Title,City,Phone\nLee,x,Clerk,Rome,1\n")
    record_id = bulk.rows(job, "successfulResults")[0]["sf__Id"]
    job = bulk.run("update", f"Id,Title,City,Phone\n{record_id},,#N/A,2\n")
    assert bulk.result(job, "successfulResults") == (
        f'"sf__Id","sf__Created",Id,Title,City,Phone\n"{record_id}","false","{record_id}","","#N/A","2"\n'
    )
    assert bulk.query(f"SELECT Title, City, Phone FROM Lead WHERE Id = '{record_id}'") == [
        {"Title": "Clerk", "City": None, "Phone": "2"}
    ]


def test_an_upsert_creates_or_updates_by_its_key(bulk: Bulk) -> None:
    more = {"externalIdFieldName": "Code__c"}
    bulk.run("upsert", "Code__c,LastName,Company\nu1,Lee,x\n", **more)
    job = bulk.run("upsert", "Code__c,LastName,Company\nu1,Ray,x\nu2,Kim,x\nu3,Moe,x\nu3,Moe,x\n,Noe,x\n", **more)
    assert {row["Code__c"]: row["sf__Created"] for row in bulk.rows(job, "successfulResults")} == {
        "u1": "false",
        "u2": "true",
    }
    errors = Counter(row["sf__Error"] for row in bulk.rows(job, "failedResults"))
    assert errors == {
        "DUPLICATE_VALUE:Duplicate external id specified: u3:Code__c --": 2,
        "MISSING_ARGUMENT:Code__c not specified:Code__c --": 1,
    }
    assert bulk.query("SELECT LastName FROM Lead WHERE Code__c = 'u1'") == [{"LastName": "Ray"}]


def test_failed_rows_name_their_record(bulk: Bulk) -> None:
    job = bulk.run("insert", "LastName,Company\nLee,x\n")
    record_id = bulk.rows(job, "successfulResults")[0]["sf__Id"]
    for version, named in (("66.0", record_id), ("52.0", "")):
        older = Bulk(bulk.url, bulk.token, version)
        job = older.run("update", f"Id,LastName\n{record_id},#N/A\n")
        assert older.rows(job, "failedResults")[0]["sf__Id"] == named


def test_records_are_deleted(bulk: Bulk) -> None:
    job = bulk.run("insert", "LastName,Company,City\nA,x,Gone\nB,x,Gone\n")
    first, second = (row["sf__Id"] for row in bulk.rows(job, "successfulResults"))
    job = bulk.run("delete", f"Id\n{first}\n{first}\nnothing\n")
    assert bulk.result(job, "successfulResults") == f'"sf__Id","sf__Created",Id\n"{first}","false","{first}"\n'
    assert len(bulk.rows(job, "failedResults")) == 2
    bulk.run("hardDelete", f"Id\n{second[:15]}\n")
    assert bulk.query("SELECT Id FROM Lead WHERE City = 'Gone'") == []
    bin_of = bulk.ask("GET", "/queryAll", params={"q": "SELECT Id FROM Lead WHERE City = 'Gone'"}).json()
    assert [record["Id"] for record in bin_of["records"]] == [first]


def test_parents_are_named_by_their_fields(bulk: Bulk) -> None:
    job = bulk.run("insert", "LastName,Account.Ext__c\nLee,acme\nRay,\nKim,nobody\n", "Contact")
    by_name = {row["LastName"]: row for row in bulk.rows(job, "successfulResults")}
    assert set(by_name) == {"Lee", "Ray"}
    (lee,) = bulk.query(f"SELECT Account.Name FROM Contact WHERE Id = '{by_name['Lee']['sf__Id']}'")
    assert dict(lee["Account"])["Name"] == "Acme"  # type: ignore[call-overload]
    (failed,) = bulk.rows(job, "failedResults")
    assert failed["sf__Error"].startswith(
        "INVALID_FIELD:Foreign key external ID: nobody not found for field Ext__c"
    )
    job = bulk.run("update", f"Id,Account.Ext__c\n{by_name['Lee']['sf__Id']},#N/A\n", "Contact")
    assert bulk.query(f"SELECT AccountId FROM Contact WHERE Id = '{by_name['Lee']['sf__Id']}'") == [
        {"AccountId": None}
    ]


def test_a_parent_of_several_kinds_is_named_with_its_object(bulk: Bulk) -> None:
    job = bulk.run(
        "insert", "Subject,Lead:Who.Email,Contact:Who.Email\nCall,ann@x.org,\nBoth,ann@x.org,a@b.org\n", "Task"
    )
    (done,) = bulk.rows(job, "successfulResults")
    assert done["Lead:Who.Email"] == "ann@x.org"
    (failed,) = bulk.rows(job, "failedResults")
    assert failed["Subject"] == "Both"


HEADERS = [
    ("insert", "Lead", "LastName,Foo", "InvalidBatch : Field name not found : Foo"),
    ("insert", "Lead", " LastName,Company", "InvalidBatch : Field name not found :  LastName"),
    ("insert", "Lead", "\ufeffLastName,Company", "InvalidBatch : Field name not found : \ufeffLastName"),
    ("insert", "Lead", "LastName,", "InvalidBatch : Field name not found : "),
    ("insert", "Lead", "LastName,Company,lastname", "more than once : LastName"),
    ("insert", "Contact", "LastName,Account.Parent.Ext__c", "not found : Account.Parent.Ext__c"),
    ("insert", "Contact", "LastName,Account:Account.Ext__c", "not found : Account:Account.Ext__c"),
    ("insert", "Contact", "LastName,Account.Industry", "not found : Account.Industry"),
    ("insert", "Task", "Subject,Who.Email", "not found : Who.Email"),
    ("insert", "Task", "Subject,Account:Who.Ext__c", "not found : Account:Who.Ext__c"),
    ("delete", "Lead", "Id,LastName", "Field name not found : LastName"),
    ("insert", "Lead", 'LastName, "Company"', "The header cannot be read"),
    ("insert", "Lead", "LastName," + "X" * 32_000, "The header cannot be read"),
]


@pytest.mark.parametrize(("operation", "object_name", "header", "message"), HEADERS)
def test_a_wrong_header_fails_the_job(
    bulk: Bulk, operation: str, object_name: str, header: str, message: str
) -> None:
    job = bulk.run(operation, f"{header}\na,b,c\n", object_name)
    info = bulk.info(job)
    assert (info["state"], info["numberRecordsProcessed"]) == ("Failed", 0)
    assert message in str(info["errorMessage"])
    assert bulk.rows(job, "successfulResults") == []


def test_names_may_have_any_casing_but_results_have_the_columns_spelled_as_the_org_does(bulk: Bulk) -> None:
    job = bulk.run("insert", "LASTNAME,Company,title\nLee,x,Clerk\n")
    assert bulk.result(job, "successfulResults").splitlines()[0] == '"sf__Id","sf__Created",Company'
    record_id = bulk.rows(job, "successfulResults")[0]["sf__Id"]
    assert bulk.query(f"SELECT LastName, Title FROM Lead WHERE Id = '{record_id}'") == [
        {"LastName": "Lee", "Title": "Clerk"}
    ]
    job = bulk.run("insert", "LastName,ACCOUNT.ext__C\nLee,acme\n", "Contact")
    (contact,) = bulk.rows(job, "successfulResults")
    assert contact.keys() == {"sf__Id", "sf__Created", "LastName"}
    assert bulk.info(bulk.run("delete", f"ID\n{contact['sf__Id']}\n", "Contact"))["numberRecordsFailed"] == 0


FILES = [
    (b"", "LF", "JobComplete"),
    (b"LastName,Company\n", "LF", "JobComplete"),
    (b"LastName,Company", "LF", "JobComplete"),
    (b"LastName,Company\nLee,x", "LF", "JobComplete"),
    (b"LastName,Company\r\nLee,x\r\n", "LF", "Failed"),
    (b"LastName,Company\nLee,x\n", "CRLF", "Failed"),
    (b"LastName,Company\nL\xe9e,x\n", "LF", "Failed"),
]


@pytest.mark.parametrize(("data", "line_ending", "state"), FILES)
def test_a_file_is_read_or_fails_its_job(bulk: Bulk, data: bytes, line_ending: str, state: str) -> None:
    job = bulk.run("insert", data, lineEnding=line_ending)
    info = bulk.info(job)
    assert info["state"] == state, info
    assert bool(info.get("errorMessage")) == (state == "Failed")
    assert len(bulk.rows(job, "successfulResults")) == data.count(b"Lee,x") * (state == "JobComplete")


def test_rows_that_cannot_be_read_fail_alone(bulk: Bulk) -> None:
    rows = [f"{'L' * 131_073},x", '"Lee",x', 'Ray, "x"', "Kim", "Moe,x,y", "", 'No"e,x', '"Una" ,x', "Ida,x"]
    job = bulk.run("insert", "LastName,Company\n" + "\n".join(rows) + "\n")
    assert {row["LastName"] for row in bulk.rows(job, "successfulResults")} == {"Lee", "Ida"}
    info = bulk.info(job)
    assert (info["numberRecordsProcessed"], info["numberRecordsFailed"]) == (8, 6)
    assert bulk.result(job, "failedResults").count('"INVALID_ROW:') == 6


CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from('",;|^`\t\r\n #N/A'), max_size=12
)
TABLES = st.integers(1, 3).flatmap(
    lambda wide: st.lists(st.lists(CELLS, min_size=wide, max_size=wide), max_size=30)
)
FIELDS = ["City", "Title", "Phone"]
CHUNK_FAULTS = st.sampled_from(["", "record_lock", "record_error", "governor_limit", "slow", "server_unavailable"])


@one_in(4)
@given(TABLES, st.sampled_from(list(DELIMITERS)), st.sampled_from(list(LINE_ENDINGS)), CHUNK_FAULTS)
def test_each_row_comes_back_once_as_it_was_sent(
    org: LocalOrg, bulk: Bulk, table: list[list[str]], delimiter: str, line_ending: str, fault: str
) -> None:
    if fault:
        rule = {"kind": fault, "calls": "processBatch", "share": 0.5, "seconds": 0.01, "times": 2}
        plan(org, rule | ({"records": 10} if fault == "governor_limit" else {}))
    width = len(table[0]) if table else 1
    data = written([FIELDS[:width], *table], DELIMITERS[delimiter], LINE_ENDINGS[line_ending])
    job = bulk.run("insert", data, columnDelimiter=delimiter, lineEnding=line_ending)
    info = bulk.info(job)
    assert (info["state"], info["numberRecordsProcessed"]) == ("JobComplete", len(table)), info
    returned: Counter[tuple[str, ...]] = Counter()
    for name in ("successfulResults", "failedResults"):
        text = io.StringIO(bulk.result(job, name), newline="")
        header, *rows = csv.reader(text, delimiter=DELIMITERS[delimiter], lineterminator=LINE_ENDINGS[line_ending])
        assert header[2:] == FIELDS[:width]
        returned.update(tuple(row[2:]) for row in rows)
    assert returned == Counter(map(tuple, table))
