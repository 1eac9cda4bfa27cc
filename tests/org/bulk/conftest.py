"""A local org with its SOAP and its bulk adapter, which share one sign-in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.engine.org.bulk.ingest_jobs import IngestJobs
from sfmap.engine.org.bulk_data import BulkData
from sfmap.engine.org.bulk_join import join
from sfmap.engine.org.bulk_port import JobLook, Load, RowOutcome
from sfmap.engine.org.bulk_rows import BulkRow, RowMaker, Unsendable
from sfmap.engine.org.port import RecordWrite, Value
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

from ...local_org.bulk import Bulk, token
from ...local_org.test_faults import wait_until

SCHEMA = """\
objects:
  Lead:
    fields:
      Key__c: {type: string, length: 80, external_id: true}
      Notes__c: {type: textarea, length: 32000}
      Score__c: {type: double, precision: 18, scale: 4}
      Vip__c: {type: boolean}
      Seen__c: {type: datetime}
      Born__c: {type: date}
      Ticket__c: {type: reference, to: Ticket__c}
  Ticket__c:
    fields:
      Key__c: {type: string, length: 20, external_id: true, required: true}
"""


@dataclass(frozen=True)
class Desk:
    """One org, and what the tests do with it."""

    local: LocalOrg
    soap: SoapOrg
    jobs: IngestJobs
    raw: Bulk
    """Requests of another client."""

    def row(self, load: Load, write: RecordWrite) -> BulkRow:
        made = RowMaker(load, self.soap.describe([load.object_name])[load.object_name]).row(write)
        assert not isinstance(made, Unsendable), made.reason
        return made

    def data(self, load: Load, writes: Sequence[RecordWrite]) -> BulkData:
        data = BulkData(load)
        maker = RowMaker(load, self.soap.describe([load.object_name])[load.object_name])
        for write in writes:
            made = maker.row(write)
            assert not isinstance(made, Unsendable), made.reason
            assert data.add(made)
        return data

    def ended(self, job_id: str) -> JobLook:
        def look() -> JobLook:
            found = self.jobs.look(job_id)
            assert found
            return found

        wait_until(lambda: look().has_ended)
        return look()

    def begun(self, load: Load, data: BulkData) -> str:
        """The id of a job with this data that the org processes."""
        job_id = self.jobs.open(load)
        self.jobs.upload(job_id, data)
        self.jobs.close(job_id)
        return job_id

    def outcomes(self, load: Load, data: BulkData, job: JobLook) -> dict[int, RowOutcome]:
        found: dict[int, RowOutcome] = {}
        for row, outcome in join(load, data.index, self.jobs.results(job, data.rows)):
            assert row not in found
            found[row] = outcome
        return found

    def run(self, load: Load, writes: Sequence[RecordWrite]) -> dict[int, RowOutcome]:
        with self.data(load, writes) as data:
            return self.outcomes(load, data, self.ended(self.begun(load, data)))

    def stored(self, *fields: str, where: str = "") -> list[tuple[object, ...]]:
        condition = f" WHERE {where}" if where else ""
        rows = self.raw.query(f"SELECT {', '.join(fields)} FROM Lead{condition}")
        return [tuple(row[name] for name in fields) for row in rows]


@pytest.fixture(scope="package")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    folder: Path = tmp_path_factory.mktemp("bulk")
    (folder / "schema.yaml").write_text(SCHEMA)
    with start_local_org(folder / "org.db", folder / "schema.yaml") as running:
        yield running


def desk_of(local: LocalOrg) -> Desk:
    login = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
    soap = SoapOrg(SoapSettings(local.url, login))
    return Desk(local, soap, IngestJobs(soap.access()), Bulk(local.url, token(local)))


@pytest.fixture(scope="package")
def desk(local: LocalOrg) -> Desk:
    return desk_of(local)


def lead(**fields: Value) -> RecordWrite:
    return RecordWrite({"LastName": "Lovelace", "Company": "Acme", **fields})


def written_ids(outcomes: Mapping[int, RowOutcome]) -> list[str]:
    return [getattr(outcomes[row], "id", "") for row in sorted(outcomes)]
