"""The pages of the local org in browsers: every state, and a walk by keyboard."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.org.port import RecordWrite
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings

from .browsers import BOTH_AT_LENGTH, Browser, Looks, browse, each_look

LONG = "Vereinigte Gesellschaft für Großhandel und Vertrieb technischer Güter mbH"


@dataclass(frozen=True)
class FilledOrg:
    url: str
    id: str


@pytest.fixture(name="org", scope="module")
def org_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledOrg]:
    with start_local_org(tmp_path_factory.mktemp("org") / "org.db") as local:
        sign_in = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
        org = SoapOrg(SoapSettings(local.url, sign_in))
        created = org.create("Lead", [lead(number) for number in range(120)])
        first = str(getattr(created[0], "id", ""))
        org.update("Lead", [RecordWrite({"Title": "CEO", "Phone": "570-690-4150"}, id=first)])
        org.create("Lead", [RecordWrite({"Company": "Without a name"})])
        yield FilledOrg(local.url, first)


def lead(number: int) -> RecordWrite:
    return RecordWrite(
        {
            "LastName": f"Lee {number}",
            "Company": LONG if number % 5 == 0 else "Initech",
            "Email": f"lead{number}@example.com",
            "Phone": "570-690-4150",
            "Title": "VP of Derp",
        }
    )


@each_look
def test_no_state_has_a_barrier(org: FilledOrg, looks: Looks) -> None:
    assert visit(org, "chrome", looks=looks) == {}


@pytest.mark.soak
def test_firefox_sees_no_barrier_either(org: FilledOrg) -> None:
    assert visit(org, "firefox", looks=[{1440: ["light"]}]) == {}


@pytest.mark.parametrize("browser", BOTH_AT_LENGTH)
def test_the_keyboard_goes_everywhere(org: FilledOrg, browser: Browser) -> None:
    walked = visit(org, browser, walks=True)
    assert [stop for stop in walked["stops"] if not (stop["isOutlined"] and stop["isInSight"])] == []
    assert walked["third"]["role"] == "a"
    assert walked["record"].startswith("Lee ")
    assert walked["found"] == ["Campaign", "CampaignMember", "CampaignMemberStatus"]


def visit(org: FilledOrg, browser: Browser, **given: object) -> Any:
    return browse("local_org.mjs", org.url, browser, object="Lead", empty="Campaign", id=org.id, call=4, **given)
