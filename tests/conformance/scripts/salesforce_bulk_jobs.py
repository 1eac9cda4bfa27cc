"""salesforce-bulk, unmodified, in its own environment. The argument says what is tried."""

import os
import re
import sys

import requests
from salesforce_bulk import CsvDictsAdapter, SalesforceBulk

URL = os.environ["ORG_URL"]
TOKEN = requests.post(
    f"{URL}/services/oauth2/token",
    {"grant_type": "client_credentials", "client_id": "local-client", "client_secret": "local-client-secret"},
    timeout=30,
).json()["access_token"]
BULK = SalesforceBulk(sessionId=TOKEN, host=URL, API_version="60.0")


def inserts_and_queries() -> None:
    job = BULK.create_insert_job("Account", contentType="CSV")
    rows = [{"Name": "Bulk 1"}, {"Name": "Bulk 2"}, {"Name": ""}]
    batch = BULK.post_batch(job, CsvDictsAdapter(iter(rows)))
    BULK.wait_for_batch(job, batch, timeout=60, sleep_interval=1)
    BULK.close_job(job)
    results = BULK.get_batch_results(batch, job)
    assert [one.success for one in results] == ["true", "true", "false"], results
    assert re.match("REQUIRED_FIELD_MISSING:.*Name", results[2].error), results
    assert queried("SELECT Name FROM Account WHERE Name LIKE 'Bulk %' ORDER BY Name") == ["Bulk 1", "Bulk 2"]


def updates_upserts_and_deletes() -> None:
    assert loaded(BULK.create_upsert_job("Lead", "Key__c", contentType="CSV"), lead("k1"), lead("k2")) == 2
    assert loaded(BULK.create_upsert_job("Lead", "Key__c", contentType="CSV"), lead("k2"), lead("k3")) == 2
    ids = queried("SELECT Id FROM Lead WHERE Key__c LIKE 'k%' ORDER BY Key__c")
    assert (
        loaded(BULK.create_update_job("Lead", contentType="CSV"), *({"Id": i, "Title": "Clerk"} for i in ids)) == 3
    )
    assert queried("SELECT Title FROM Lead WHERE Key__c LIKE 'k%'") == ["Clerk"] * 3
    assert loaded(BULK.create_delete_job("Lead", contentType="CSV"), *({"Id": one} for one in ids)) == 3
    assert queried("SELECT Id FROM Lead WHERE Key__c LIKE 'k%'") == []


def aborted_jobs() -> None:
    job = BULK.create_insert_job("Account", contentType="CSV")
    BULK.abort_job(job)
    assert BULK.job_status(job)["state"] == "Aborted"


def lead(key: str) -> dict[str, str]:
    return {"LastName": "Lee", "Company": "Initech", "Key__c": key}


def loaded(job: str, *rows: dict[str, str]) -> int:
    """How many of the rows succeeded."""
    batch = BULK.post_batch(job, CsvDictsAdapter(iter(rows)))
    BULK.wait_for_batch(job, batch, timeout=60, sleep_interval=1)
    BULK.close_job(job)
    return sum(one.success == "true" for one in BULK.get_batch_results(batch, job))


def queried(soql: str) -> list[str]:
    """The first column of the result."""
    job = BULK.create_query_job(soql.split(" FROM ")[1].split()[0], contentType="CSV")
    batch = BULK.query(job, soql)
    BULK.close_job(job)
    BULK.wait_for_batch(job, batch, timeout=60, sleep_interval=1)
    lines = [line.decode() for results in BULK.get_all_results_for_query_batch(batch, job) for line in results]
    return [line.strip().strip('"') for line in lines[1:]]


TRIED = {
    "inserts and queries": inserts_and_queries,
    "updates, upserts and deletes": updates_upserts_and_deletes,
    "aborted jobs": aborted_jobs,
}
TRIED[sys.argv[1]]()
