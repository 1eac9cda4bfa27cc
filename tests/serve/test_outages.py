"""The service while its org is unavailable, refuses it, or has no calls left."""

import re
import subprocess

import pytest

from sfmap.engine.local_org.calls import credentials

from ..folder import SFMAP, identify, wait_for
from ..service import KEY, PROJECT, Service
from .orgs import org_beside, set_password

BODY = {"writeKey": KEY, "integrations": {"Salesforce": True}}


REFUSED: dict[str, object] = {
    "kind": "fault",
    "calls": "describeSObjects",
    "code": "INVALID_TYPE",
    "message": "no such object",
}


def send(service: Service, email: str) -> None:
    assert service.ask("/v1/identify", {**BODY, "traits": {"email": email}}).status == 200


def leads(service: Service) -> list[tuple[object, ...]]:
    return service.folder.rows("SELECT Email FROM Lead ORDER BY Email")


def test_pauses_between_attempts_grow_and_the_session_is_kept(service: Service) -> None:
    """An org that signs in and then answers nothing else is not signed in to again and again."""
    with org_beside(service) as org:
        org.faults(REFUSED)
        service.start("--org", "beside")
        send(service, "a@b.co")
        assert service.wait_for(lambda: service.log().count("delivery starts again") == 3)
        assert "again in 1 s" in service.log()
        assert "again in 2 s" in service.log()
        assert "again in 4 s" in service.log()
        assert service.metric("sfmap_org_up") == 0
        assert org.calls()["login"] == 1
        org.faults()
        service.wait_until_delivered()
        assert service.metric("sfmap_org_up") == 1
        assert "Delivery continues." in service.log()
    assert leads(service) == [("a@b.co",)]


def test_bulk_jobs_of_a_run_that_was_killed_are_waited_for_and_told(service: Service) -> None:
    with org_beside(service) as org:
        org.faults({"kind": "slow", "calls": "processBatch", "seconds": 3})
        folder = service.folder
        events = folder.write("events.ndjson", [identify("a@b.co")])
        command = [str(SFMAP), "run", events, "--org", "beside", "--bulk", "always"]
        running = subprocess.Popen(command, cwd=folder.path, stderr=subprocess.PIPE, env=service.environment)
        wait_for(running, lambda: folder.rows("SELECT 1 FROM sfmap_bulk_jobs WHERE state = 'InProgress'"))
        running.kill()
        running.communicate()
        service.start("--org", "beside", "--linger", "0")
        send(service, "b@b.co")
        service.wait_until_delivered()
        assert service.log().count("Waiting for 1 bulk job that an earlier run has begun.") == 1
    assert leads(service) == [("a@b.co",), ("b@b.co",)]


def test_reserved_calls_are_not_used(service: Service) -> None:
    """Ten of twenty calls are reserved: the service stops before them, and does not ask on."""

    def is_at_rest() -> bool:
        return re.search("are reserved.* delivery starts again in 3600 s", service.log()) is not None

    with org_beside(service, more="reserve: 50%", daily_limit=20) as org:
        service.start("--org", "beside", "--linger", "0")
        for number in range(8):
            send(service, f"p{number}@b.co")
            assert service.wait_for(lambda: is_at_rest() or service.metric("sfmap_spool_events") == 0)
        assert service.wait_for(is_at_rest)
        spent = org.calls()
        assert sum(spent.values()) - spent["login"] == 10  # which is the one that the org does not count
        assert service.metric("sfmap_api_calls_left") == 10
        assert service.metric("sfmap_org_up") == 0


def test_single_events_wait_for_others_once_the_calls_of_the_day_would_not_last(service: Service) -> None:
    """Fifty calls may be made at any time. A full window does not wait."""
    people = [f"p{number}@b.co" for number in range(2_100)]
    with org_beside(service, daily_limit=80) as org:
        service.start("--org", "beside", "--linger", "0")
        sent = 0
        while org.calls().total() < 53:  # two of them before there were events
            send(service, people[sent])
            sent += 1
            service.wait_until_delivered()
        for email in people[sent : sent + 5]:
            send(service, email)
        assert service.metric("sfmap_spool_events") == 5
        full = people[sent : sent + 2_000]
        for first in range(5, len(full), 500):
            batch = [identify(email) for email in full[first : first + 500]]
            assert service.ask("/v1/batch", {"writeKey": KEY, "batch": batch}).status == 200
        service.wait_until_delivered()
    assert len(leads(service)) == sent + len(full)


def test_a_refused_sign_in_waits_for_a_new_configuration(service: Service) -> None:
    """The org would lock the user; once the password is corrected, the project is read again."""
    with org_beside(service, password="wrong") as org:
        service.start("--org", "beside")
        assert service.wait_for(lambda: "delivery starts again when the project is read again" in service.log())
        assert service.metric("sfmap_org_up") == 0
        send(service, "a@b.co")
        assert service.metric("sfmap_spool_events") == 1
        assert org.calls()["login"] == 1
        set_password(service, credentials.PASSWORD)
        service.hang_up()
        service.wait_until_delivered()
        assert org.calls()["login"] == 2
    assert leads(service) == [("a@b.co",)]


BESIDE = 'orgs: {beside: {username: u, password: "${ORG_PASSWORD}"}}\n'
BROKEN = [
    ("orgs: {}\n", 'names no org "beside"'),
    ("orgs: [\n", "The project has errors"),
    (None, "sfmap.yaml no longer exists"),
    (PROJECT.replace("SERVER_KEY", "NOWHERE") + BESIDE, "NOWHERE is not set"),
]


@pytest.mark.parametrize(("project", "words"), BROKEN)
def test_an_invalid_project_is_refused_on_reload(service: Service, project: str | None, words: str) -> None:
    with org_beside(service):
        service.start("--org", "beside")
        file = service.folder.path / "sfmap.yaml"
        if project is None:
            file.unlink()
        else:
            file.write_text(project)
        service.hang_up()
        assert service.wait_for(lambda: "The previous configuration stays" in service.log())
        assert words in service.log()
        send(service, "a@b.co")
        service.wait_until_delivered()
        assert service.ask("/healthz").status == 200
    assert leads(service) == [("a@b.co",)]


def test_a_removed_write_key_is_refused_after_a_reload(service: Service) -> None:
    service.start()
    send(service, "a@b.co")
    (service.folder.path / "sfmap.yaml").write_text(PROJECT.replace("    website: ", "    #"))
    service.hang_up()
    assert service.wait_for(lambda: "Reloaded the project" in service.log())
    assert service.ask("/v1/identify", BODY).status == 401


def test_a_requested_retry_is_done_after_an_outage(service: Service) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        bad = {**BODY, "traits": {"email": "a@b.co"}, "messageId": "a"}
        org.faults({"kind": "record_error", "calls": "upsert", "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION"})
        assert service.ask("/v1/identify", bad).status == 200
        assert service.wait_for(lambda: service.metric('sfmap_outcomes_total{outcome="failed"}') == 1)
        org.faults({"kind": "server_unavailable", "calls": "upsert"})
        service.retry_dead_letters()
        assert service.wait_for(lambda: "delivery starts again" in service.log())
        org.faults()
        assert service.wait_for(lambda: "Dead letters retried: 1, failed again: 0" in service.log())
        assert service.metric('sfmap_outcomes_total{outcome="created"}') == 1
    assert leads(service) == [("a@b.co",)]
