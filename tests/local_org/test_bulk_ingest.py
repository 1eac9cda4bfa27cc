"""Ingest jobs of Bulk API 2.0: their states, what they write, and their results."""

import pytest

from sfmap.engine.local_org.process import LocalOrg

from .bulk import Bulk, token, written


@pytest.fixture(scope="module")
def bulk(org: LocalOrg) -> Bulk:
    return Bulk(org.url, token(org))


def test_a_job_inserts_the_rows_of_its_upload(bulk: Bulk) -> None:
    created = bulk.ask("POST", "/jobs/ingest", json={"object": "Lead", "operation": "insert"}).json()
    assert (created["id"][:3], created["state"], created["apiVersion"]) == ("750", "Open", 66.0)
    assert created["contentUrl"] == f"services/data/v66.0/jobs/ingest/{created['id']}/batches"
    job = created["id"]
    data = written([["LastName", "Company", "Code__c"], ["Ann", "Acme, Inc", "a1"], ["Bob", "", "a2"]])
    assert bulk.upload(job, data).status_code == 201
    closed = bulk.change(job, "UploadComplete")
    assert (closed.status_code, closed.json()["state"]) == (200, "UploadComplete")
    ended = bulk.ended(job)
    assert ended["state"] == "JobComplete"
    assert (ended["numberRecordsProcessed"], ended["numberRecordsFailed"]) == (2, 1)
    (ann,) = bulk.rows(job, "successfulResults")
    assert bulk.query("SELECT Id, LastName, Company FROM Lead WHERE Code__c LIKE 'a%'") == [
        {"Id": ann["sf__Id"], "LastName": "Ann", "Company": "Acme, Inc"}
    ]
    assert ann == {
        "sf__Id": ann["sf__Id"],
        "sf__Created": "true",
        "LastName": "Ann",
        "Company": "Acme, Inc",
        "Code__c": "a1",
    }
    assert bulk.result(job, "failedResults/") == (
        '"sf__Id","sf__Error",LastName,Company,Code__c\n'
        '"","REQUIRED_FIELD_MISSING:Required fields are missing: [Company]:Company --","Bob","","a2"\n'
    )
    assert bulk.result(job, "unprocessedRecords") == "LastName,Company,Code__c\n"
