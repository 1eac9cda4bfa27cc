"""What can be done on the operations page without scripts, and that it never says more than is known."""

import html
import re
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from ..service import KEY, Service
from .orgs import Beside, org_beside

REFUSED = "FIELD_CUSTOM_VALIDATION_EXCEPTION"


def identify(email: str, **more: object) -> dict[str, object]:
    traits = {"email": email, "name": "Ann Lee"}
    opted_in = {"Salesforce": True}
    return {"type": "identify", "messageId": f"id-{email}", "traits": traits, "integrations": opted_in, **more}


def send(service: Service, *events: dict[str, object]) -> None:
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": list(events)}).status == 200


def page(service: Service, path: str = "/") -> str:
    answer = service.ask(path)
    assert answer.status == 200
    return html.unescape(answer.body.decode())


def post(service: Service, path: str, **form: object) -> str:
    token = re.search(r'name="token" value="([^"]+)"', page(service, "/try"))
    assert token
    answer = service.ask(path, urlencode({"token": token[1], **form}).encode())
    assert answer.status == 200
    return html.unescape(answer.body.decode())


def wait_for(service: Service, words: str, path: str = "/") -> str:
    assert service.wait_for(lambda: words in page(service, path)), page(service, path)
    return page(service, path)


def fail(
    service: Service, org: Beside, *emails: str, code: str = REFUSED, message: str = "not for this one"
) -> None:
    org.faults({"kind": "record_error", "calls": "upsert", "code": code, "message": message})
    send(service, *map(identify, emails))
    service.wait_until_delivered()
    org.faults()


def links(service: Service, key: str, path: str = "/") -> list[str]:
    """The addresses of the links whose key begins so."""
    found = re.findall(rf'<a [^>]*href="([^"]+)"[^>]*data-key="{key}', service.ask(path).body.decode())
    return [html.unescape(href) for href in found]


def test_an_event_is_found_and_shown_with_its_record_and_source(service: Service) -> None:
    service.start()
    send(service, identify("ann@b.co"), identify("bob@b.co"), identify("skipped@b.co", integrations={}))
    wait_for(service, "3 outcomes", "/?tab=events")
    assert "bob@b.co" not in page(service, "/?q=ANN@b")
    (row,) = links(service, "row-", "/?q=ann%40b")
    shown = page(service, row)
    for words in (
        "traits.name | first_name",
        "Open in the local org",
        "upsert Lead by Email",
        '"email": "ann@b.co"',
    ):
        assert words in shown
    record = re.search(r'<a class="button" href="(http://127[^"]+)"', shown)
    assert record
    with urlopen(record[1]) as found:
        assert b"ann@b.co" in found.read()
    assert "not opted in" in page(service, links(service, "row-", "/?outcome=skipped")[0])


def test_failures_of_one_reason_are_one_line_and_are_retried_together(service: Service) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        fail(service, org, "a@b.co", "b@b.co", "c@b.co", message="record 00Q000000000001EAA of a@b.co is locked 7")
        fail(service, org, "d@b.co", code="STRING_TOO_LONG")
        shown = wait_for(service, "Retry all 4")
        assert "Retry 3" in shown
        assert "Retry 1" in shown
        (group,) = re.findall(r'name="group" value="(\w+)"><button[^>]*>Retry 3', shown)
        listed = page(service, links(service, f"group-{group}")[0])
        assert "upsert Lead, record" in listed
        assert "tried once" in listed
        assert "d@b.co" not in listed.partition('data-region="events"')[2].partition('data-region="detail"')[0]
        before = org.calls()
        post(service, "/retry", group=group)
        wait_for(service, "Retry all 1")
        assert "Dead letters retried: 3, failed again: 0" in service.log()
        assert org.calls()["upsert"] == before["upsert"] + 1
        post(service, "/retry", number=0)
        wait_for(service, "Nothing failed.")


def test_a_discard_can_be_undone_until_it_happens(service: Service) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        fail(service, org, "a@b.co", "b@b.co")
        wait_for(service, "Retry all 2")
        assert "The dead letter 1 is discarded in 10 seconds." in post(service, "/discard", number=1)
        assert "being discarded" in page(service, "/?letter=1")
        assert "in 10 seconds" not in post(service, "/undo", number=1)
        assert "being discarded" not in page(service, "/?letter=1")
        post(service, "/discard", number=2)
        assert service.stop() == 0  # does what was asked for, and does not wait
        service.start("--org", "beside")
        wait_for(service, "Retry all 1")
        assert "It was too late" in post(service, "/undo", number=2)
        assert "1 outcome" in wait_for(service, "b@b.co", "/?outcome=discarded")
    left = service.folder.sfmap(
        "dead-letters", "--org", "beside", environment={"ORG_PASSWORD": "x", "ORG_TOKEN": "x"}
    )
    assert len(left.stdout.splitlines()) == 1


def test_it_never_says_that_nothing_failed_while_that_is_not_known(service: Service) -> None:
    with org_beside(service, password="wrong") as org:
        service.start("--org", "beside")
        send(service, identify("a@b.co"))
        shown = wait_for(service, "Events wait.")
        assert "Nothing failed" not in shown
        assert "What failed is not known now." in shown
        assert "Delivering to" not in shown
        assert "a@b.co" in page(service, "/?outcome=waiting")
        assert org.calls()["login"] == 1


def test_it_says_that_events_wait_while_the_org_is_away(service: Service) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        send(service, identify("a@b.co"))
        wait_for(service, "Nothing failed.")
        org.faults({"kind": "server_unavailable", "calls": "upsert"})
        send(service, identify("b@b.co"))
        shown = wait_for(service, "Events wait.")
        assert "Nothing failed" not in shown
        assert "Nothing is delivered at the moment" in shown
        org.faults()
        wait_for(service, "Nothing failed.")


def test_commands_on_the_page_and_in_the_log_name_the_org(service: Service) -> None:
    with org_beside(service) as org:
        service.start("--org", "beside")
        fail(service, org, "a@b.co")
        assert service.wait_for(lambda: "dead-letters --org beside\n" in service.log())
    service.stop()
    service.start()
    bad: dict[str, object] = {"type": "identify", "integrations": {"Salesforce": True}}
    send(service, bad)
    service.wait_until_delivered()
    assert service.wait_for(lambda: "dead-letters\n" in service.log())


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"


def test_what_clients_send_is_text(service: Service) -> None:
    service.start()
    send(service, identify(f"{HOSTILE}@b.co", messageId=HOSTILE, type=HOSTILE))
    send(service, {"type": "track", "event": HOSTILE, "messageId": HOSTILE})
    send(service, identify("a@b.co", traits={"email": "a@b.co", "name": HOSTILE, "company": HOSTILE}))
    service.wait_until_delivered()
    wait_for(service, "3 outcomes", "/?tab=events")
    paths = ["/", "/counts", f"/?{urlencode({'q': HOSTILE, 'mapping': HOSTILE, 'tab': HOSTILE, 'said': HOSTILE})}"]
    paths += links(service, "row-")
    assert len(paths) == 6
    for path in paths:
        raw = service.ask(path).body
        assert b"<script>alert" not in raw
        assert b"<img src=x" not in raw
        assert b"{{" not in raw or b"{{ 7 * 7 }}" in raw
    assert service.ask("/?back=//evil.example").status == 200


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/\\evil.example", "/?\r\nX: y"])
def test_a_form_returns_to_this_page_only(running: Service, back: str) -> None:
    token = re.search(r'name="token" value="([^"]+)"', page(running, "/try"))
    assert token
    answer = running.ask("/undo", urlencode({"token": token[1], "number": 9, "back": back}).encode())
    assert answer.status == 200
    assert "It was too late" in answer.body.decode()


def test_an_open_page_learns_of_changes_and_does_not_delay_a_stop(service: Service) -> None:
    service.start()
    send(service, identify("a@b.co"))
    service.wait_until_delivered()
    with urlopen(f"{service.url}/stream", timeout=60) as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.readline() == b"retry: 2000\n"
        send(service, identify("b@b.co"))
        lines = iter(stream.readline, b"")
        assert next(line for line in lines if line == b"event: changed\n")
        assert service.stop() == 0
        assert stream.read() is not None
    assert "timeout graceful shutdown exceeded" not in service.log()  # as for a request that does not end
