"""Bulk jobs over plain HTTP, as a client of the API sends them."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg

from .test_faults import wait_until

DELIMITERS = {"COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}
ENDED = ("JobComplete", "Failed", "Aborted")


def token(local: LocalOrg) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.CLIENT_ID,
        "client_secret": credentials.CLIENT_SECRET,
    }
    answer = requests.post(f"{local.url}/services/oauth2/token", data=form, timeout=30)
    return str(answer.json()["access_token"])


@dataclass(frozen=True)
class Bulk:
    """One session of REST."""

    url: str
    token: str
    version: str = "66.0"

    def ask(self, method: str, path: str, **sent: object) -> requests.Response:
        """A request for a resource of the version."""
        headers = {"Authorization": f"Bearer {self.token}", **dict(sent.pop("headers", {}))}  # type: ignore[call-overload]
        url = f"{self.url}/services/data/v{self.version}{path}"
        return requests.request(method, url, headers=headers, timeout=30, **sent)  # type: ignore[arg-type]

    def create(self, operation: str, object_name: str = "Lead", **more: str) -> str:
        answer = self.ask("POST", "/jobs/ingest", json={"object": object_name, "operation": operation, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def upload(self, job: str, data: str | bytes) -> requests.Response:
        content = data.encode() if isinstance(data, str) else data
        return self.ask("PUT", f"/jobs/ingest/{job}/batches", data=content, headers={"Content-Type": "text/csv"})

    def change(self, job: str, state: str) -> requests.Response:
        return self.ask("PATCH", f"/jobs/ingest/{job}", json={"state": state})

    def info(self, job: str) -> dict[str, object]:
        return dict(self.ask("GET", f"/jobs/ingest/{job}").json())

    def ended(self, job: str) -> dict[str, object]:
        """What is known of the job when it has ended."""
        wait_until(lambda: self.info(job)["state"] in ENDED)
        return self.info(job)

    def run(self, operation: str, data: str | bytes, object_name: str = "Lead", **more: str) -> str:
        """The id of a job with this data that has ended."""
        job = self.create(operation, object_name, **more)
        assert self.upload(job, data).status_code == 201
        assert self.change(job, "UploadComplete").status_code == 200
        self.ended(job)
        return job

    def result(self, job: str, name: str) -> str:
        answer = self.ask("GET", f"/jobs/ingest/{job}/{name}")
        assert answer.status_code == 200, answer.text
        return answer.content.decode()

    def rows(self, job: str, name: str, dialect: str = "COMMA") -> list[dict[str, str]]:
        text = io.StringIO(self.result(job, name), newline="")
        return list(csv.DictReader(text, delimiter=DELIMITERS[dialect]))

    def query(self, soql: str) -> list[dict[str, object]]:
        answer = self.ask("GET", "/query", params={"q": soql})
        assert answer.status_code == 200, answer.text
        return [
            {name: value for name, value in record.items() if name != "attributes"}
            for record in answer.json()["records"]
        ]


def written(rows: Iterable[Sequence[str]], delimiter: str = ",", line_ending: str = "\n") -> str:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_ending).writerows(rows)
    return text.getvalue()


def plan(local: LocalOrg, *faults: Mapping[str, object], seed: int = 1) -> None:
    answer = requests.put(f"{local.url}/faults", json={"seed": seed, "faults": list(faults)}, timeout=10)
    assert answer.status_code == 200, answer.text
