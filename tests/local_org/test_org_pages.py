"""The pages of the local org over HTTP: addresses, what is kept of calls, and faults as switches."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org

from .conftest import Client, record, sign_in


@dataclass(frozen=True)
class Pages:
    local: LocalOrg
    client: Client
    folder: Path

    def get(self, path: str, status: int = 200, **headers: str) -> str:
        answer = requests.get(f"{self.local.url}{path}", headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        answer.encoding = "utf-8"
        return answer.text

    def post(self, path: str, **form: str) -> requests.Response:
        return requests.post(f"{self.local.url}{path}", data=form, timeout=30, allow_redirects=False)

    def create(self, **fields: str) -> str:
        answer = self.client.call(f"<create>{record('Lead', **fields)}</create>")
        found = re.search(r"<id>(\w+)</id>", answer)
        assert found, answer
        return found[1]

    def last_call(self) -> int:
        found = re.search(r'href="/calls/(\d+)', self.get("/calls"))
        assert found
        return int(found[1])


@pytest.fixture(name="pages")
def pages_fixture(tmp_path: Path) -> Iterator[Pages]:
    with start_local_org(tmp_path / "org.db") as local:
        yield Pages(local, sign_in(local), tmp_path)


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_a_list_is_searched_sorted_and_has_the_chosen_columns(pages: Pages) -> None:
    for name in ("Xann", "Xbob", "Xcara"):
        pages.create(LastName=name, Company="Initech", Title="Chief")
    usual = pages.get("/objects/Lead")
    assert "Company" in usual
    address = "/objects/Lead?q=initech&sort=LastName&desc=1&columns=LastName,Title,Nonsense"
    chosen = text_of(pages.get(address))
    assert chosen.index("Xcara") < chosen.index("Xbob") < chosen.index("Xann")
    rows = list(csv.reader(io.StringIO(pages.get(address.replace("/objects/", "/csv/")))))
    assert rows == [["LastName", "Title"], ["Xcara", "Chief"], ["Xbob", "Chief"], ["Xann", "Chief"]]
    assert "No record has “nobody”." in text_of(pages.get("/objects/Lead?q=nobody"))
    assert "No Campaign records yet." in text_of(pages.get("/objects/Campaign"))


def test_a_record_has_its_history_of_changes_with_their_calls(pages: Pages) -> None:
    lead = pages.create(LastName="Ann", Company="Initech")
    pages.client.call(f"<update>{record('Lead', Id=lead, LastName='Ann', Company='Initrode')}</update>")
    number = pages.last_call()
    page = pages.get(f"/objects/Lead/{lead}")
    told = text_of(page)
    assert "Initech Initrode" in told
    assert "1 written with the value it had" in told
    assert f'href="/calls/{number}"' in page
    assert '"Company":"Initrode"' in pages.get(f"/json/Lead/{lead}").replace(" ", "")
    assert lead in pages.get(f"/calls/{number}?part=records")
    assert 'href="/objects/User/' in page  # the owner


def test_a_call_shows_its_request_and_response_without_secrets(pages: Pages) -> None:
    signed_in = pages.get("/calls/1") + pages.get("/calls/1?part=response")
    assert "login" in signed_in
    assert pages.local.password not in signed_in
    pages.create(LastName="Ann", Company="Initech")
    number = pages.last_call()
    page = pages.get(f"/calls/{number}")
    assert "LastName" in page
    assert "&lt;sessionId&gt;...&lt;/sessionId&gt;" in page
    assert "&lt;/sessionId&gt;..." not in page
    assert "curl " in page
    both = page + pages.get(f"/calls/{number}?part=response")
    assert pages.client.session_id not in both
    written = b"".join(path.read_bytes() for path in pages.folder.iterdir())
    assert b"LastName" in written
    assert pages.client.session_id.encode() not in written


def test_rest_calls_are_kept_too(pages: Pages) -> None:
    answer = requests.post(
        f"{pages.local.url}/services/data/v60.0/sobjects/Lead",
        json={"LastName": "Ann", "Company": "Initech"},
        headers={"Authorization": f"Bearer {pages.client.session_id}"},
        timeout=30,
    )
    assert answer.status_code == 201, answer.text
    number = pages.last_call()
    page = pages.get(f"/calls/{number}")
    assert "&#34;LastName&#34;: &#34;Ann&#34;" in page
    assert answer.json()["id"] in pages.get(f"/calls/{number}?part=response")
    assert pages.client.session_id not in page


def test_the_last_200_exchanges_are_kept(pages: Pages) -> None:
    for _ in range(202):
        pages.client.call("<getServerTimestamp/>")
    last = pages.last_call()
    assert "&lt;getServerTimestamp" in pages.get(f"/calls/{last - 199}")
    assert "not kept any more" in pages.get(f"/calls/{last - 200}")


def test_a_large_request_is_kept_in_part(pages: Pages) -> None:
    one = record("Lead", LastName="L" * 80, Company="C" * 255, Description="D" * 5_000)
    many = one * 50
    pages.client.call(f"<create>{many}</create>")
    assert "Only the first 128 kB are kept." in pages.get(f"/calls/{pages.last_call()}")


def test_faults_are_switched_on_and_off(pages: Pages) -> None:
    assert pages.get("/faults") == '{"faults":[]}'
    token = re.search(r'name="token" value="([^"]+)"', pages.get("/faults/switches"))
    assert token
    on = pages.post("/faults/switches", token=token[1], fault="lock_row", on="1")
    assert (on.status_code, on.headers["location"]) == (303, "/faults/switches")
    assert "UNABLE_TO_LOCK_ROW" in pages.client.call("<getServerTimestamp/>")
    page = pages.get("/faults/switches")
    assert "1 of 1" in text_of(page)
    assert "1 on" in text_of(page)
    assert "lock_row" in pages.get("/calls?faults=1")
    assert pages.post("/faults/switches", token=token[1], fault="0", on="").status_code == 303
    assert "UNABLE_TO_LOCK_ROW" not in pages.client.call("<getServerTimestamp/>")
    assert pages.get("/faults") == '{"faults":[{"kind":"lock_row","calls":1,"struck":1}]}'


def test_faults_are_only_switched_by_the_own_form(pages: Pages) -> None:
    assert pages.post("/faults/switches", fault="lock_row", on="1").status_code == 403
    assert pages.post("/faults/switches", token="wrong", fault="lock_row", on="1").status_code == 403
    token = re.search(r'name="token" value="([^"]+)"', pages.get("/faults/switches"))
    assert token
    for fault in ("nonsense", "7", "-1", "", "9" * 30):
        assert pages.post("/faults/switches", token=token[1], fault=fault, on="1").status_code == 404
    assert pages.get("/faults") == '{"faults":[]}'


@pytest.mark.parametrize(
    "path",
    [
        "/objects/Nope",
        "/objects/Lead/nope",
        "/csv/Nope",
        "/json/Lead/nope",
        "/calls/999999",
        "/calls/x",
        "/nothing",
    ],
)
def test_what_is_not_there_is_said(pages: Pages, path: str) -> None:
    assert "<" not in pages.get(path, status=404)


def test_values_never_become_markup(pages: Pages) -> None:
    evil = "&lt;img src=x onerror=alert(1)&gt;\"'"
    lead = pages.create(LastName=evil, Company=evil)
    number = pages.last_call()
    for path in (
        "/objects/Lead",
        f"/objects/Lead/{lead}",
        f"/calls/{number}",
        f"/calls/{number}?part=response",
        "/objects/Lead?q=%3Cimg&sort=%3Cimg&columns=%3Cimg",
        "/calls?q=%3Cimg%20src=x",
    ):
        assert "<img" not in pages.get(path)
