"""Changed and deleted records over REST."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.tests.local_org.conftest import Client, record, sign_in

NOW = datetime.now(UTC)
AROUND = {"start": (NOW - timedelta(hours=12)).isoformat(), "end": (NOW + timedelta(hours=12)).isoformat()}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalOrg]:
    """An org in which no other test changes records."""
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as running:
        yield running


@pytest.fixture(scope="module")
def client(local: LocalOrg) -> Client:
    return sign_in(local)


def get(local: LocalOrg, client: Client, path: str, query: dict[str, str] | str) -> requests.Response:
    head = {"Authorization": f"Bearer {client.session_id}"}
    return requests.get(f"{local.url}/services/data/v64.0/sobjects/{path}", query, headers=head, timeout=30)


def test_changed_and_deleted_records_are_found(local: LocalOrg, client: Client) -> None:
    answer = client.call(f"<create>{record('Case', Subject='kept')}{record('Case', Subject='gone')}</create>")
    kept, gone = (part.partition("</id>")[0] for part in answer.split("<id>")[1:])
    client.call(f"<delete><ids>{gone}</ids></delete>")
    updated = get(local, client, "Case/updated", AROUND).json()
    assert updated["ids"] == [kept]
    assert updated["latestDateCovered"].endswith("+0000")
    (deleted,) = get(local, client, "Case/deleted", AROUND).json()["deletedRecords"]
    assert deleted["id"] == gone


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("start=2026-01-01", 400),
        (AROUND | {"end": AROUND["start"]}, 400),
        ({"start": "0001-01-01T00:00:00+14:00", "end": "9999-12-31T23:59:59-14:00"}, 400),
        (AROUND, 200),
        (f"start={AROUND['start']}&end={AROUND['end']}", 200),
    ],
    ids=["no end", "no length", "out of range", "a period", "a + that is not escaped"],
)
def test_a_period_is_checked(local: LocalOrg, client: Client, query: dict[str, str] | str, status: int) -> None:
    answer = get(local, client, "Lead/updated", query)
    assert answer.status_code == status, answer.text
