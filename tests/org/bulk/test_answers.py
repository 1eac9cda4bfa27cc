"""Answers of servers other than the local org: lists in pages, other spellings, and what is not the API at all."""

import gzip
import json
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from syrupy.assertion import SnapshotAssertion

from sfmap.engine.org.bulk.ingest_jobs import IngestJobs
from sfmap.engine.org.bulk_port import JobLook, ListedJob, Load, NoBulkJobs
from sfmap.engine.org.port import (
    ApiUsage,
    CallRefused,
    LimitReached,
    OrgError,
    OrgOutOfReach,
    OrgUnavailable,
    Refused,
    SignInRefused,
    WriteOptions,
    Written,
)
from sfmap.engine.org.soap import Secret, SoapOrg, SoapSettings
from sfmap.engine.org.soap.sign_in import ReadySession

TOKEN = "00Dxx0000001gPL!AQcAQH.secret"
USER = "005xx000001Sv6EAAS"
LOAD = Load(operation="create", object_name="Lead")
JOB = "750xx00000001TYAAY"
ENDED = JobLook(id=JOB, operation="upsert", object_name="Lead", state="JobComplete", processed=3, failed=1)


class CannedRest:
    """Gives the answers put there, one for each request; the last one stays."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Method, path and headers, with the names of headers in small letters."""
        self.bodies: list[bytes] = []
        self.answers: deque[tuple[int, dict[str, str], bytes]] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def put(self, status: int, body: object = b"", **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        self.answers.append((status, {"Content-Type": "application/json", **named}, content))

    def error(self, status: int, code: str, message: str = "no") -> None:
        self.put(status, [{"errorCode": code, "message": message}])


def _handler(canned: CannedRest) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            canned.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
            headers = {name.lower(): text for name, text in self.headers.items()}
            canned.requests.append((self.command, self.path, headers))
            status, headers, content = canned.answers.popleft() if len(canned.answers) > 1 else canned.answers[0]
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name, text)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


@pytest.fixture
def canned() -> Iterator[CannedRest]:
    server = CannedRest()
    yield server
    server.close()


@pytest.fixture
def soap(canned: CannedRest) -> SoapOrg:
    return SoapOrg(SoapSettings(canned.url, ReadySession(Secret(TOKEN), canned.url), "66.0"))


@pytest.fixture
def jobs(soap: SoapOrg) -> IngestJobs:
    return IngestJobs(soap.access())


class Pieces:
    """The data of a job."""

    def __len__(self) -> int:
        return 12

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"LastName\n", b"a\n", b"b")


def test_requests_are_those_that_the_guide_describes(canned: CannedRest, jobs: IngestJobs) -> None:
    canned.put(200, {"id": JOB, "state": "Open"}, Sforce_Limit_Info="api-usage=18/15000")
    rule = WriteOptions(assignment_rule="01Qxx0000000001")
    jobs.open(Load(operation="upsert", object_name="Lead", external_id="Key__c", options=rule))
    canned.put(201)
    canned.answers.popleft()
    jobs.upload(JOB, Pieces())
    canned.put(200, {"id": JOB})
    canned.answers.popleft()
    jobs.close(JOB)
    jobs.abort(JOB)
    canned.put(204)
    canned.answers.popleft()
    jobs.delete(JOB)

    base = "/services/data/v66.0/jobs/ingest"
    assert [(method, path) for method, path, _ in canned.requests] == [
        ("POST", base),
        ("PUT", f"{base}/{JOB}/batches"),
        ("PATCH", f"{base}/{JOB}"),
        ("PATCH", f"{base}/{JOB}"),
        ("DELETE", f"{base}/{JOB}"),
    ]
    assert json.loads(canned.bodies[0]) == {
        "object": "Lead",
        "operation": "upsert",
        "externalIdFieldName": "Key__c",
        "assignmentRuleId": "01Qxx0000000001",
        "contentType": "CSV",
        "lineEnding": "LF",
        "columnDelimiter": "COMMA",
    }
    assert canned.bodies[1] == b"LastName\na\nb"
    assert [json.loads(body)["state"] for body in canned.bodies[2:4]] == ["UploadComplete", "Aborted"]
    assert all(headers["authorization"] == f"Bearer {TOKEN}" for _, _, headers in canned.requests)
    _, _, upload = canned.requests[1]
    assert upload["content-type"] == "text/csv; charset=UTF-8"
    assert (upload["content-length"], "transfer-encoding" in upload) == ("12", False)


def test_usage_is_read_from_each_answer(canned: CannedRest, soap: SoapOrg, jobs: IngestJobs) -> None:
    canned.put(200, {"id": JOB}, Sforce_Limit_Info="api-usage=18/15000; per-app-api-usage=17/250(appName=a)")
    jobs.open(LOAD)
    assert soap.usage() == ApiUsage(18, 15_000)


ERRORS = [
    # status, code and message of the answer, the error, its code, and whether it may have been done
    (400, "EXCEEDEDQUOTA", "ExceededQuota : too many batches", NoBulkJobs, "EXCEEDEDQUOTA", False),
    (400, "ExceededQuota", "too many jobs", NoBulkJobs, "EXCEEDEDQUOTA", False),
    (400, "FEATURE_NOT_ENABLED", "Bulk API is not enabled", NoBulkJobs, "FEATURENOTENABLED", False),
    (403, "FUNCTIONALITY_NOT_ENABLED", "Bulk API is off", NoBulkJobs, "FUNCTIONALITYNOTENABLED", False),
    (403, "InvalidUser", "no access", NoBulkJobs, "INVALIDUSER", False),
    (400, "InvalidJobState", "Closing already Closed Job not allowed", CallRefused, "INVALIDJOBSTATE", False),
    (404, "NOT_FOUND", "The requested resource does not exist", CallRefused, "NOTFOUND", False),
    (
        403,
        "REQUEST_LIMIT_EXCEEDED",
        "TotalRequests Limit",
        LimitReached,
        "REQUEST_LIMIT_EXCEEDED",
        False,
    ),
    (403, "API_DISABLED_FOR_ORG", "not enabled", NoBulkJobs, "APIDISABLEDFORORG", False),
    (400, "API_ERROR", "try something else", CallRefused, "API_ERROR", False),
    (500, "UNKNOWN_EXCEPTION", "An unexpected error", OrgUnavailable, "UNKNOWN_EXCEPTION", True),
    (503, "SERVER_UNAVAILABLE", "busy", OrgUnavailable, "SERVER_UNAVAILABLE", False),
    (500, "API_ERROR", "internal", OrgUnavailable, "API_ERROR", True),
    (401, "INVALID_SESSION_ID", "Session expired or invalid", SignInRefused, "INVALID_SESSION_ID", False),
    (401, "INVALID_AUTH_HEADER", "INVALID_HEADER_TYPE", SignInRefused, "INVALID_SESSION_ID", False),
]


@pytest.mark.parametrize(("status", "said", "message", "error", "code", "lost"), ERRORS)
def test_errors_of_the_api_have_the_meaning_that_they_have_for_calls(
    canned: CannedRest,
    jobs: IngestJobs,
    snapshot: SnapshotAssertion,
    status: int,
    said: str,
    message: str,
    error: type[OrgError],
    code: str,
    lost: bool,
) -> None:
    canned.error(status, said, message)
    with pytest.raises(OrgError) as raised:
        jobs.close(JOB)
    assert type(raised.value) is error
    assert (raised.value.code, raised.value.maybe_applied) == (code, lost)
    assert str(raised.value).replace(canned.url.removeprefix("http://"), "HOST") == snapshot


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"<html>Maintenance</html>", OrgUnavailable),
        (200, b"", OrgUnavailable),
        (200, b"[]", OrgUnavailable),
        (200, b'{"state": "Open"}', OrgUnavailable),
        (200, b'{"id": 12}', OrgUnavailable),
        (302, b"", OrgOutOfReach),
        (403, b"<html>Forbidden</html>", OrgOutOfReach),
        (404, b"", OrgOutOfReach),
        (413, b"", CallRefused),
        (429, b"[]", OrgUnavailable),
        (500, b'[{"errorCode": 5}]', OrgUnavailable),
        (502, b"", OrgUnavailable),
        (400, b"\xff\xfe", OrgUnavailable),
    ],
)
def test_answers_that_are_not_the_api_are_told_apart(
    canned: CannedRest, jobs: IngestJobs, status: int, body: bytes, error: type[OrgError]
) -> None:
    canned.put(status, body, Location="http://elsewhere.example/")
    with pytest.raises(OrgError) as raised:
        jobs.open(LOAD)
    assert type(raised.value) is error
    assert TOKEN not in str(raised.value)


def test_a_message_that_quotes_the_token_is_not_repeated(canned: CannedRest, jobs: IngestJobs) -> None:
    canned.error(400, "API_ERROR", f"bad token {TOKEN} !")
    with pytest.raises(CallRefused, match=r"bad token \*\*\* !"):
        jobs.open(LOAD)


def test_an_upload_that_a_proxy_answered_is_not_done(canned: CannedRest, jobs: IngestJobs) -> None:
    canned.put(200, b"<html>OK</html>")
    with pytest.raises(OrgUnavailable) as raised:
        jobs.upload(JOB, Pieces())
    assert raised.value.maybe_applied


FILES = (
    b'"sf__Id","sf__Created",Key__c,Name\n"001xx0000000001AAA","true","e-1","Init\r\nech"\n'
    b'"001xx0000000002AAA","false","e-2",""\n',
    b'"sf__Id","sf__Error",Key__c,Name\n"","STRING_TOO_LONG:Name: too long:name --","e-3","\xc3\x84"\n',
)


def test_results_that_do_not_fit_on_this_machine_stay_in_the_org(
    canned: CannedRest, soap: SoapOrg, tmp_path: Path
) -> None:
    canned.put(200, FILES[0])
    jobs = IngestJobs(soap.access(), tmp_path / "missing")
    with pytest.raises(OrgUnavailable, match="cannot be kept on this machine: No such file or directory"):
        list(jobs.results(ENDED, 2))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_results_are_read_as_the_guide_shows_them(
    canned: CannedRest, jobs: IngestJobs, packed: bool, line_end: bytes
) -> None:
    for file in FILES:
        text = file.replace(b'"\n', b'"' + line_end).replace(b"Name\n", b"Name" + line_end)
        headers = {"Content_Encoding": "gzip"} if packed else {}
        canned.put(200, gzip.compress(text) if packed else text, Content_Type="text/csv", **headers)
    found = [(row.outcome, dict(row.cells)) for row in jobs.results(ENDED, 3)]
    assert found == [
        (Written("001xx0000000001AAA", created=True), {"Key__c": "e-1", "Name": "Init\r\nech"}),
        (Written("001xx0000000002AAA", created=False), {"Key__c": "e-2"}),
        (Refused("STRING_TOO_LONG", "Name: too long", ("Name",)), {"Key__c": "e-3", "Name": "Ä"}),
    ]
    assert all(headers["accept-encoding"].startswith("gzip") for _, _, headers in canned.requests)


@pytest.mark.parametrize("empty", [(204, b""), (200, b""), (200, b'"sf__Id","sf__Error",Key__c\n')])
def test_a_file_without_rows_may_be_empty(canned: CannedRest, jobs: IngestJobs, empty: tuple[int, bytes]) -> None:
    status, content = empty
    canned.put(status, content)
    canned.put(200, b"sf__Id,sf__Error,Key__c\n,UNKNOWN_EXCEPTION:x:--,e\n")
    (row,) = jobs.results(ENDED, 1)
    assert row.outcome == Refused("UNKNOWN_EXCEPTION", "x")


@pytest.mark.parametrize(
    "content",
    [
        b'"sf__Id","sf__Created",Key__c\n"001xx0000000001AAA","true","e',
        b'"sf__Id","sf__Created",Key__c\n"001xx0000000001AAA","true"\n',
        b'"sf__Id","sf__Created",Key__c\n"001xx0000000001AAA","true","\xff"\n',
        b'"sf__Id","sf__Created",Key__c\n"","true","e"\n',
        b'"sf__Id","sf__Created",Key__c\n"001xx0000000001AAA","true","e"\n"001xx0000000002AAA","true","e"\n',
        b"<html>Maintenance</html>\n",
    ],
)
def test_results_that_cannot_be_right_are_asked_for_again(
    canned: CannedRest, jobs: IngestJobs, content: bytes
) -> None:
    canned.put(200, content)
    with pytest.raises(OrgUnavailable, match="jobResults call with"):
        list(jobs.results(ENDED, 1))


def test_jobs_are_listed_from_all_pages(canned: CannedRest, jobs: IngestJobs, soap: SoapOrg) -> None:
    def listed(number: int, user: str = USER) -> dict[str, object]:
        return {
            "id": f"750xx000000000{number}AAA",
            "operation": "insert",
            "object": "Lead",
            "createdById": user,
            "createdDate": f"2026-01-0{number}T21:33:43.000+0000",
            "state": "Open",
            "apiVersion": 66.0,
        }

    more = "/services/data/v66.0/jobs/ingest?jobType=V2Ingest&queryLocator=1000"
    user_info = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns="urn:partner.soap.sforce.com"><soapenv:Body><getUserInfoResponse><result>'
        f"<userId>{USER}</userId></result></getUserInfoResponse></soapenv:Body></soapenv:Envelope>"
    )
    canned.put(200, user_info.encode(), Content_Type="text/xml")
    canned.put(200, {"done": False, "records": [listed(3), listed(1)], "nextRecordsUrl": more})
    canned.put(
        200, {"done": True, "records": [listed(4, "005xx000001Sv7EAAS"), listed(2)], "nextRecordsUrl": None}
    )

    found = jobs.recent(datetime(2026, 1, 2, tzinfo=UTC))

    assert found == [
        ListedJob(
            id=f"750xx000000000{number}AAA",
            operation="insert",
            object_name="Lead",
            state="Open",
            created=datetime(2026, 1, number, 21, 33, 43, tzinfo=UTC),
        )
        for number in (2, 3)
    ]
    assert [path for _, path, _ in canned.requests[1:]] == [
        "/services/data/v66.0/jobs/ingest?jobType=V2Ingest",
        more,
    ]


def test_old_versions_of_the_api_have_no_jobs(canned: CannedRest) -> None:
    soap = SoapOrg(SoapSettings(canned.url, ReadySession(Secret(TOKEN), canned.url), "56.0"))
    assert IngestJobs(soap.access()).why_not(LOAD) == "bulk jobs need API version 57.0, and this is 56.0"


WHOLE = b'"sf__Id","sf__Created",Key__c\n"001xx0000000001AAA","true","e-1"\n'


@pytest.mark.parametrize("rest", [b"", b'"001xx0000000002AAA","true","e-', b'"001xx0000000002AAA","true",e-2'])
def test_of_results_that_may_lack_rows_only_whole_lines_count(
    canned: CannedRest, jobs: IngestJobs, rest: bytes
) -> None:
    canned.put(200, WHOLE + rest)
    canned.put(200, b'"sf__Id","sf__Error",Key__c\n')
    (row,) = jobs.results(ENDED, 3, may_lack=True)
    assert (row.outcome, dict(row.cells)) == (Written("001xx0000000001AAA", created=True), {"Key__c": "e-1"})
