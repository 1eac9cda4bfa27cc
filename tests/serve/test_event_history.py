"""The history of the service: whole after kills and retries, set aside when unreadable, and never in the way."""

import os
import signal
import sqlite3
from contextlib import closing

import orjson
import pytest

from sfmap.engine.journal.history import History, Wanted
from sfmap.engine.journal.history_file import read_history

from ..folder import SFMAP
from ..service import KEY, PROJECT, Service
from .orgs import org_beside

BODY = {"writeKey": KEY, "type": "identify", "integrations": {"Salesforce": True}}
REFUSAL: dict[str, object] = {
    "kind": "record_error",
    "calls": "upsert",
    "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
}


def send(service: Service, *emails: str, **more: object) -> None:
    batch = [{**BODY, "messageId": f"id-{email}", "traits": {"email": email}, **more} for email in emails]
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": batch}).status == 200


def history_of(service: Service) -> History:
    found = service.wait_for(lambda: read_history(service.folder.path / ".sfmap"))
    assert found, service.log()
    return found


def wait_for_fates(service: Service, org: str, **fates: int) -> History:
    history = history_of(service)

    def counts() -> dict[str, int]:
        return {fate: history.count(org, Wanted(fate=fate)) for fate in fates}

    assert service.wait_for(lambda: counts() == fates), (counts(), service.log())
    return history


def test_events_outcomes_and_answers_are_kept(service: Service) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        send(service, "a@b.co", "b@b.co")
        send(service, "skipped@b.co", integrations={})
        wait_for_fates(service, "beside", created=2, skipped=1)
        org.faults(REFUSAL)
        send(service, "c@b.co", "d@b.co")
        history = wait_for_fates(service, "beside", created=2, skipped=1, failed=2)
        first, second = history.outcomes("beside", Wanted(fate="failed"), 10)
        assert {first.event.title, second.event.title} == {"c@b.co", "d@b.co"}
        answer = orjson.loads(first.outcome.answer)
        assert (answer["code"], answer["verb"], answer["together"]) == (REFUSAL["code"], "upsert", 2)
        assert {orjson.loads(one.outcome.answer)["place"] for one in (first, second)} == {1, 2}
        (skipped,) = history.outcomes("beside", Wanted(fate="skipped"), 10)
        assert "not opted in" in skipped.outcome.reason
        (created,) = history.outcomes("beside", Wanted(text="id-a@b.co"), 10)
        assert created.outcome.record
        event = history.event(created.event.number)
        assert event
        assert orjson.loads(event.raw)["traits"] == {"email": "a@b.co"}
        org.faults()
        service.retry_dead_letters()
        wait_for_fates(service, "beside", created=4, failed=0)


def test_a_kill_leaves_a_history_that_goes_on(service: Service) -> None:
    service.program = (SFMAP,)
    service.start()
    send(service, *(f"{number}@b.co" for number in range(300)))
    assert service.process
    history_of(service)
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait()
    service.start()
    send(service, "after@b.co")
    service.wait_until_delivered()
    history = history_of(service)
    assert service.wait_for(lambda: history.count("local", Wanted(text="after@b.co")))
    listed = history.outcomes("local", Wanted(), 1_000)
    assert len({one.event.number for one in listed}) == len(listed)
    assert sum(one.outcomes for one in history.minutes("local", 0)) == len(listed)


@pytest.mark.parametrize("content", [b"no database" * 1_000, None], ids=["damaged", "of another version"])
def test_an_unreadable_history_is_set_aside_and_said(service: Service, content: bytes | None) -> None:
    file = service.folder.path / ".sfmap" / "history.db"
    file.parent.mkdir()
    if content is None:
        with closing(sqlite3.connect(file)) as database:
            database.execute("PRAGMA user_version = 99")
    else:
        file.write_bytes(content)
    service.start()
    send(service, "a@b.co")
    wait_for_fates(service, "local", created=1)
    assert "A new history begins, and the one before is now history.db.unreadable-1" in service.log()
    assert file.with_name("history.db.unreadable-1").exists()


def test_no_history_is_kept_when_it_is_off(service: Service) -> None:
    (service.folder.path / "sfmap.yaml").write_text(PROJECT.replace("serve:\n", "serve:\n  history: off\n"))
    service.start()
    send(service, "a@b.co")
    service.wait_until_delivered()
    assert service.stop() == 0
    assert not (service.folder.path / ".sfmap" / "history.db").exists()


def test_a_history_that_cannot_be_written_delays_nothing(service: Service) -> None:
    (service.folder.path / ".sfmap" / "history.db").mkdir(parents=True)
    service.start()
    send(service, "a@b.co")
    service.wait_until_delivered()
    assert service.metric('sfmap_outcomes_total{outcome="created"}') == 1
    assert "The history is not written, and delivery continues" in service.log()
    assert service.stop() == 0
