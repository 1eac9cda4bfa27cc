"""The first version of the Bulk API: jobs of batches, in CSV and JSON, with answers in XML and JSON."""

import json
import re

import pytest
import requests
from lxml import etree

from sfmap.engine.local_org.process import LocalOrg

from .bulk import Bulk, plan, token
from .test_faults import wait_until

JOB_INFO = '<?xml version="1.0" encoding="UTF-8"?><jobInfo xmlns="http://www.force.com/2009/06/asyncapi/dataload">{}</jobInfo>'
XML, CSV, JSON = "application/xml; charset=UTF-8", "text/csv; charset=UTF-8", "application/json"


@pytest.fixture(scope="module")
def session(org: LocalOrg) -> str:
    return token(org)


@pytest.fixture
def ask(org: LocalOrg, session: str) -> "Ask":
    return Ask(f"{org.url}/services/async/60.0", session)


class Ask:
    def __init__(self, url: str, session: str) -> None:
        self.url = url
        self.session = session

    def __call__(self, path: str, body: str | bytes | None = None, kind: str = XML) -> requests.Response:
        headers = {"X-SFDC-Session": self.session, "Content-Type": kind}
        data = body.encode() if isinstance(body, str) else body
        return requests.request("POST" if data else "GET", self.url + path, data=data, headers=headers, timeout=30)

    def created(self, operation: str, more: str = "<contentType>CSV</contentType>") -> str:
        body = f"<operation>{operation}</operation><object>Lead</object>{more}"
        answer = self("/job", JOB_INFO.format(body))
        assert answer.status_code == 201, answer.text
        return member(answer, "id")

    def added(self, job: str, data: str | bytes, kind: str = CSV) -> str:
        """The path of a batch that has ended."""
        answer = self(f"/job/{job}/batch", data, kind)
        assert answer.status_code == 201, answer.text
        batch = answer.json()["id"] if kind == JSON else member(answer, "id")
        path = f"/job/{job}/batch/{batch}"
        wait_until(lambda: bool(re.search(r"state\W+(Completed|Failed|NotProcessed)", self(path).text)))
        return path


def member(answer: requests.Response, name: str) -> str:
    found = re.search(f"<{name}>(.*?)</{name}>", answer.text)
    assert found, answer.text
    return found[1]


def test_a_job_of_batches_writes_records(ask: Ask) -> None:
    job = ask.created("insert")
    first = ask.added(job, "LastName,Company\r\nLee,x\r\nRay,\r\n")
    second = ask.added(job, 'LastName,Company\n"Ki""m",x')
    answer = ask(f"{first}/result")
    assert answer.headers["Content-Type"] == "text/csv"
    record_id = answer.text.split('"')[9]
    assert answer.text == (
        '"Id","Success","Created","Error"\n'
        f'"{record_id}","true","true",""\n'
        '"","false","false","REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --"\n'
    )
    closed = ask(f"/job/{job}", JOB_INFO.format("<state>Closed</state>"))
    counted = {name: member(closed, name) for name in ("state", "numberBatchesTotal", "numberRecordsProcessed")}
    assert counted == {"state": "Closed", "numberBatchesTotal": "2", "numberRecordsProcessed": "3"}
    assert member(ask(second), "numberRecordsFailed") == "0"
    assert ask(f"/job/{job}/batch").text.count("<batchInfo>") == 2
    assert "Ki" in ask(f"{second}/request").text


def test_json_batches_have_json_results(ask: Ask, org: LocalOrg, session: str) -> None:
    job = ask("/job", json.dumps({"operation": "insert", "object": "Lead", "contentType": "JSON"}), JSON).json()
    assert (job["state"], job["contentType"], job["apiVersion"]) == ("Open", "JSON", 60.0)
    sent = [
        {"LastName": "Lea", "Company": "x", "Vip__c": True, "Score__c": 1.5, "City": None},
        {"LastName": "Moe"},
    ]
    batch = ask.added(job["id"], json.dumps(sent), JSON)
    done, refused = ask(f"{batch}/result", kind=JSON).json()
    assert (done["success"], done["created"], done["errors"]) == (True, True, [])
    assert (refused["success"], refused["id"], refused["errors"][0]["fields"]) == (False, None, ["Company"])
    bulk = Bulk(org.url, session)
    assert bulk.query("SELECT Vip__c, Score__c FROM Lead WHERE LastName = 'Lea'") == [
        {"Vip__c": True, "Score__c": 1.5}
    ]


def test_batches_are_answered_in_the_form_of_the_job(ask: Ask) -> None:
    asked = {"operation": "queryAll", "object": "Lead", "contentType": "CSV"}
    job = ask("/job", json.dumps(asked), JSON).json()["id"]
    batch = ask.added(job, "SELECT Id FROM Lead", CSV)
    assert member(ask(batch, kind=JSON), "state") == "Completed"
    assert "<batchInfoList" in ask(f"/job/{job}/batch", kind=JSON).text
    assert "<result-list" in ask(f"{batch}/result", kind=JSON).text
    assert ask(f"/job/{job}", kind=JSON).json()["numberBatchesCompleted"] == 1


@pytest.mark.parametrize("kind", ["CSV", "JSON"])
def test_a_query_has_results_by_their_ids(ask: Ask, kind: str) -> None:
    ask.added(ask.created("insert"), f"LastName,Company,Seen__c\n{kind},x,2026-01-02T03:04:05Z\n")
    job = ask.created("query", f"<contentType>{kind}</contentType>")
    query = f"SELECT LastName, Seen__c, IsConverted FROM Lead WHERE LastName = '{kind}'"
    batch = ask.added(job, query, JSON if kind == "JSON" else CSV)
    listed = ask(f"{batch}/result")
    result = listed.json()[0] if kind == "JSON" else member(listed, "result")
    rows = ask(f"{batch}/result/{result}")
    if kind == "CSV":
        assert rows.text == '"LastName","Seen__c","IsConverted"\n"CSV","2026-01-02T03:04:05.000Z","false"\n'
    else:
        assert [{k: v for k, v in row.items() if k != "attributes"} for row in rows.json()] == [
            {"LastName": "JSON", "Seen__c": 1767323045000, "IsConverted": False}
        ]


def test_a_wrong_batch_fails_alone(ask: Ask) -> None:
    job = ask.created("insert")
    batch = ask(ask.added(job, "Nope\n1\n"))
    assert member(batch, "state") == "Failed"
    assert member(batch, "stateMessage") == "InvalidBatch : Field name not found : Nope"
    assert member(ask(ask.added(job, "LastName,Company\nUna,x\n")), "state") == "Completed"


UNREADABLE = [
    ("insert", "JSON", "[" * 200_000, "The data is not a JSON array of objects"),
    ("insert", "JSON", r'[{"LastName":"\ud800","Company":"x"}]', "The data is not a JSON array of objects"),
    ("insert", "JSON", '[{"LastName":"x","Company":%s}]' % ("[" * 900 + "]" * 900), "A value is a text"),
    ("insert", "JSON", '[{"LastName":"x","Company":%s}]' % ("9" * 5_000), ""),
    ("insert", "JSON", b'[{"LastName":"\xff"}]', "The data is not a JSON array of objects"),
    ("insert", "CSV", b"LastName,Company\n\xff,x\n", "The data is not valid UTF-8"),
    ("query", "CSV", b"SELECT Id FROM Lead WHERE LastName = '\xff'", "The data is not valid UTF-8"),
    ("query", "JSON", b"\xff", "The data is not valid UTF-8"),
    ("query", "CSV", "SELECT Id FROM Lead LIMIT " + "9" * 5_000, "unexpected token"),
]


@pytest.mark.parametrize(("operation", "kind", "data", "words"), UNREADABLE)
def test_a_batch_that_cannot_be_read_ends(
    ask: Ask, operation: str, kind: str, data: str | bytes, words: str
) -> None:
    job = ask.created(operation, f"<contentType>{kind}</contentType>")
    batch = ask(ask.added(job, data, JSON if kind == "JSON" else CSV), kind=JSON).text
    assert words in batch
    assert re.search(r"state\W+Failed", batch)


def test_an_aborted_job_does_not_process_its_batches(ask: Ask, org: LocalOrg) -> None:
    plan(org, {"kind": "slow", "calls": "processBatch", "seconds": 20})
    job = ask.created("insert")
    ask(f"/job/{job}/batch", "LastName,Company\nLate,x\n", CSV)
    assert member(ask(f"/job/{job}", JOB_INFO.format("<state>Aborted</state>")), "state") == "Aborted"
    plan(org)
    assert member(ask(f"/job/{job}/batch"), "state") == "NotProcessed"
    answer = ask(f"/job/{job}/batch", "LastName,Company\nLate,x\n", CSV)
    assert (answer.status_code, member(answer, "exceptionCode")) == (400, "InvalidJobState")


REFUSED = [
    ("/job", "<operation>insert</operation><object>Foo</object><contentType>CSV</contentType>", "InvalidEntity"),
    ("/job", "<operation>fly</operation><object>Lead</object><contentType>CSV</contentType>", "InvalidOperation"),
    ("/job", "<operation>upsert</operation><object>Lead</object><contentType>CSV</contentType>", "InvalidJob"),
    ("/job/750000000009999AAA", "<state>Closed</state>", "InvalidJob"),
    ("/job/750zzzzzzzzzzzz", "<state>Closed</state>", "InvalidJob"),
    ("/job/7%01", "<state>Closed</state>", "InvalidJob"),
    ("/job", "<operation>", "InvalidXML"),
]


@pytest.mark.parametrize(("path", "body", "code"), REFUSED)
def test_errors_are_xml(ask: Ask, path: str, body: str, code: str) -> None:
    answer = ask(path, JOB_INFO.format(body))
    assert (answer.status_code, member(answer, "exceptionCode")) == (400, code)
    etree.fromstring(answer.content)


@pytest.mark.parametrize("part", [1, 7, 14])
def test_a_batch_is_named_by_its_whole_id(ask: Ask, part: int) -> None:
    job = ask.created("insert")
    path, _, batch = ask.added(job, "LastName,Company\nLee,x\n").rpartition("/")
    assert ask(f"{path}/{batch[:15]}").status_code == 200
    assert member(ask(f"{path}/{batch[:part]}"), "exceptionCode") == "InvalidBatch"


def test_an_unknown_session_is_refused_in_the_form_of_the_request(ask: Ask) -> None:
    ask.session = "nobody"
    answer = ask("/job", JOB_INFO.format(""))
    assert (answer.status_code, member(answer, "exceptionCode")) == (400, "InvalidSessionId")
    assert ask("/job", "{}", JSON).json()["exceptionCode"] == "InvalidSessionId"


def test_a_batch_without_content_is_refused(ask: Ask) -> None:
    answer = ask(f"/job/{ask.created('insert')}/batch", " ", CSV)
    assert (answer.status_code, member(answer, "exceptionCode")) == (400, "ClientInputError")
