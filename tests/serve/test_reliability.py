"""The service when it is killed, stopped, full, without its org, or given invalid mappings."""

import os
import signal
import socket
from base64 import b64encode
from pathlib import Path

import pytest

from ..folder import REPOSITORY, SFMAP
from ..service import KEY, PROJECT, Service
from .load import kill_under_load

BASIC = {"Authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"}


def lead(email: str) -> dict[str, object]:
    return {"traits": {"email": email}, "integrations": {"Salesforce": True}}


def test_kills_under_load_lose_and_duplicate_nothing(service: Service) -> None:
    kill_under_load(service, kills=2, seed=1)


def test_a_full_spool_is_answered_with_503_and_retry_after(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        away = f"http://127.0.0.1:{closed.getsockname()[1]}"
    org = f'orgs:\n  away: {{login_url: "{away}", username: u, password: "${{WEBSITE_KEY}}"}}\n'
    (service.folder.path / "sfmap.yaml").write_text(
        PROJECT.replace("serve:\n", "serve:\n  spool_megabytes: 0.01\n") + org
    )
    service.start("--org", "away")
    answers = [service.ask("/v1/identify", lead(f"p{count}@b.co"), **BASIC) for count in range(80)]
    statuses = [answer.status for answer in answers]
    accepted = statuses.count(200)
    assert statuses == [200] * accepted + [503] * (80 - accepted)
    assert 20 < accepted < 80
    assert answers[-1].headers["retry-after"] == "30"
    assert service.ask("/readyz").status == 503
    assert service.ask("/healthz").status == 200
    assert service.metric("sfmap_spool_events") == accepted
    assert service.wait_for(lambda: service.metric("sfmap_org_up") == 0)
    assert service.stop() == 0
    assert "Traceback" not in service.log()
    # The same events go to an org that is there, once the service is started with it.
    (service.folder.path / "sfmap.yaml").write_text(PROJECT)
    service.start()
    service.wait_until_delivered()
    assert service.folder.rows("SELECT count(*) FROM Lead") == [(accepted,)]


def test_mappings_are_reloaded_and_invalid_ones_refused(service: Service) -> None:
    mappings = service.folder.path / "mappings"
    mappings.mkdir()
    text = (REPOSITORY / "mappings" / "lead.yaml").read_text()
    (mappings / "lead.yaml").write_text(text)
    (service.folder.path / "sfmap.yaml").write_text(f"mappings: mappings\n{PROJECT}")
    service.start()
    assert service.process
    (mappings / "lead.yaml").write_text(text.replace("max: 40", "max: forty"))
    service.hang_up()
    assert service.wait_for(lambda: "The previous configuration stays" in service.log())
    service.ask("/v1/identify", lead("before@b.co"), **BASIC)
    service.wait_until_delivered()
    (mappings / "lead.yaml").write_text(text.replace("default: n/a, max: 80", "default: none, max: 80"))
    service.hang_up()
    assert service.wait_for(lambda: "Reloaded the project" in service.log())
    service.ask("/v1/identify", lead("after@b.co"), **BASIC)
    service.wait_until_delivered()
    assert service.folder.rows("SELECT Email, LastName FROM Lead ORDER BY Email") == [
        ("after@b.co", "none"),
        ("before@b.co", "n/a"),
    ]


def test_waiting_events_use_the_reloaded_mapping(service: Service) -> None:
    mappings = service.folder.path / "mappings"
    mappings.mkdir()
    text = (REPOSITORY / "mappings" / "lead.yaml").read_text()
    (mappings / "lead.yaml").write_text(text)
    (service.folder.path / "sfmap.yaml").write_text(f"mappings: mappings\n{PROJECT}")
    service.start("--linger", "3")
    service.ask("/v1/identify", lead("a@b.co"), **BASIC)
    (mappings / "lead.yaml").write_text(text.replace("default: n/a, max: 80", "default: none, max: 80"))
    service.hang_up()
    service.wait_until_delivered()
    assert service.folder.rows("SELECT LastName FROM Lead") == [("none",)]


def test_stopping_loses_no_event(service: Service) -> None:
    service.start("--linger", "60")
    service.ask("/v1/identify", lead("a@b.co"), **BASIC)
    assert service.stop() == 0
    assert "1 event waiting in the spool" in service.log()
    service.start()
    service.wait_until_delivered()
    assert service.folder.rows("SELECT Email FROM Lead") == [("a@b.co",)]


def test_a_new_spool_continues_the_numbers_of_the_old_one(service: Service) -> None:
    """Else what it accepts would be taken for what the journal says was delivered."""
    service.start()
    for email in ("a@b.co", "b@b.co"):
        service.ask("/v1/identify", lead(email), **BASIC)
    service.wait_until_delivered()
    service.stop()
    for file in (service.folder.path / ".sfmap").glob("spool.db*"):
        file.unlink()
    service.start()
    service.ask("/v1/identify", lead("c@b.co"), **BASIC)
    service.wait_until_delivered()
    assert service.folder.rows("SELECT count(*) FROM Lead") == [(3,)]


def test_delivery_continues_when_the_org_returns(service: Service) -> None:
    """The local org behind the service is killed, and another one takes its place."""
    service.program = (SFMAP,)
    service.start()
    service.ask("/v1/identify", lead("a@b.co"), **BASIC)
    service.wait_until_delivered()
    before = service.metric('sfmap_api_calls_total{operation="login"}')
    (child,) = local_orgs(service)
    os.kill(child, signal.SIGKILL)
    service.ask("/v1/identify", lead("b@b.co"), **BASIC)
    assert service.wait_for(lambda: service.metric("sfmap_spool_events") == 0, seconds=60), service.log()
    assert service.folder.rows("SELECT Email FROM Lead ORDER BY Email") == [("a@b.co",), ("b@b.co",)]
    assert service.metric("sfmap_org_up") == 1
    assert service.metric('sfmap_api_calls_total{operation="login"}') > before
    assert service.ask("/healthz").status == 200


def local_orgs(service: Service) -> list[int]:
    assert service.process
    children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text()
    tasks = Path(f"/proc/{service.process.pid}/task").glob("*/children")
    return sorted(
        {int(child) for text in (children, *(task.read_text() for task in tasks)) for child in text.split()}
    )


def test_an_event_sent_again_is_delivered_once(service: Service) -> None:
    service.start()
    for _ in range(3):
        service.ask("/v1/identify", {**lead("a@b.co"), "messageId": "once"}, **BASIC)
        service.wait_until_delivered()
    assert service.metric('sfmap_outcomes_total{outcome="created"}') == 1
    assert service.metric('sfmap_outcomes_total{outcome="skipped"}') == 2


def test_dead_letters_are_retried_from_the_page(service: Service) -> None:
    service.start()
    bad = {"type": "identify", "messageId": "bad", "integrations": {"Salesforce": True}}
    service.ask("/v1/identify", bad, **BASIC)
    service.wait_until_delivered()
    page = service.ask("/").body.decode()
    assert "Email is required" in page
    token = page.partition('name="token" value="')[2].partition('"')[0]
    assert service.ask("/retry", b"number=0&token=x").status == 403
    assert service.ask("/retry", f"number=0&token={token}".encode()).status == 200  # the page again
    assert service.wait_for(lambda: "Dead letters retried: 1, failed again: 1" in service.log())


def test_the_page_explains_an_event(running: Service) -> None:
    token = running.ask("/try").body.decode().partition('name="token" value="')[2].partition('"')[0]
    event = "%7B%22type%22:%22identify%22,%22traits%22:%7B%22email%22:%22ann@b.co%22%7D,"
    event += "%22integrations%22:%7B%22Salesforce%22:true%7D%7D"
    shown = running.ask("/try", f"token={token}&event={event}".encode()).body.decode()
    assert "traits.email" in shown
    assert "ann@b.co" in shown
    assert "<script" not in shown
    assert running.ask("/", Host="evil.example").status == 404


def test_slow_clients_do_not_block_others(running: Service) -> None:
    """One that never completes its headers costs others nothing, and one that is cut off does not either.

    Others are answered while it is waited for.
    """
    host, port = running.url.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(50)]
    for connection in slow:
        connection.sendall(b"POST /v1/identify HTTP/1.1\r\nContent-Length: 100\r\n")
    assert running.ask("/v1/identify", lead("quick@b.co"), **BASIC).status == 200
    for connection in slow:
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.close()
    assert running.ask("/healthz").status == 200
