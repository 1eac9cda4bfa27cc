"""Which addresses and proxies may reach the page, the metrics and the API."""

import re
from collections.abc import Iterator

import pytest

from ..folder import Folder
from ..service import KEY, Service

PROXIES = [
    {"X-Forwarded-For": "198.51.100.7"},
    {"X-Forwarded-For": "127.0.0.1"},  # said by the client, who may say anything
    {"X-Forwarded-Proto": "https"},
    {"X-Real-IP": "198.51.100.7"},
    {"Forwarded": "for=198.51.100.7"},
    {"Via": "1.1 proxy"},
]


@pytest.mark.parametrize("headers", PROXIES, ids=lambda headers: str(*headers))
def test_the_page_is_not_shown_through_a_proxy(running: Service, headers: dict[str, str]) -> None:
    """Its `Host` is loopback, as many proxies write it."""
    assert running.ask("/").status == 200
    for path in ("/", "/try", "/counts", "/stream"):
        assert running.ask(path, **headers).status == 404
    for path in ("/try", "/retry", "/discard", "/undo"):
        assert running.ask(path, b"token=x", **headers).status == 404


@pytest.fixture(scope="module")
def without_sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(Folder(tmp_path_factory.mktemp("service"))).start()
    yield service
    assert service.stop() == 0


@pytest.mark.parametrize("headers", PROXIES, ids=lambda headers: str(*headers))
def test_requests_through_a_proxy_are_refused_without_sources(
    without_sources: Service, headers: dict[str, str]
) -> None:
    body = {"writeKey": "any", "type": "page"}
    assert without_sources.ask("/v1/page", body).status == 200
    assert without_sources.ask("/v1/page", body, **headers).status == 401
    assert without_sources.ask("/v1/projects/any/settings").status == 200
    assert without_sources.ask("/v1/projects/any/settings", **headers).status == 404


def test_a_write_key_is_accepted_through_a_proxy(running: Service) -> None:
    body = {"writeKey": KEY, "type": "page"}
    assert running.ask("/v1/page", body, **PROXIES[0]).status == 200


FOR_OPERATORS = ("/", "/metrics", "/healthz", "/readyz", "/try", "/counts", "/static/look/base.css")


def test_operators_have_an_address_of_their_own(service: Service) -> None:
    service.start("--admin-port", "0")
    events = service.url
    assert [service.ask(path).status for path in FOR_OPERATORS] == [404] * 7
    assert service.ask("/v1/page", {"writeKey": KEY, "type": "page"}).status == 200
    said = service.wait_for(lambda: re.search(r"The page, /metrics and health are at (\S+)/\n", service.log()))
    assert said
    service.url = said[1]
    assert [service.ask(path).status for path in FOR_OPERATORS] == [200] * 7
    assert service.ask("/v1/page", {"writeKey": KEY, "type": "page"}).status == 404
    service.wait_until_delivered()
    service.url = events
    assert service.stop() == 0


def test_the_page_is_shown_only_at_a_local_admin_address(service: Service) -> None:
    """That goes by the address for operators."""
    service.start("--host", "0.0.0.0", "--admin-port", "0")
    said = service.wait_for(lambda: re.search(r"health are at (\S+)/\n", service.log()))
    assert said
    service.url = said[1]
    assert service.ask("/").status == 200
    assert service.stop() == 0
    service.start("--admin-host", "0.0.0.0", "--admin-port", "0")
    said = service.wait_for(lambda: re.search(r"health are at http://0.0.0.0(\S+)/\n", service.log()))
    assert said
    service.url = f"http://127.0.0.1{said[1]}"
    assert [service.ask(path).status for path in FOR_OPERATORS] == [404, 200, 200, 200, 404, 404, 404]


def test_admin_host_needs_admin_port(service: Service) -> None:
    assert "--admin-host needs --admin-port" in " ".join(service.refused("--admin-host", "127.0.0.1").split())


def test_clients_cannot_add_metric_labels(service: Service) -> None:
    service.start()
    events = [{"type": f"type{number} not opted in"} for number in range(300)]
    events += [{"type": "identify"}, {"type": "page", "messageId": "m"}]
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": events}).status == 200
    service.wait_until_delivered()
    for number in range(20):
        assert service.ask(f"/v1/type{number}", {"writeKey": f"key{number}"}).status == 404
        assert service.ask(f"/webhooks/type{number}", {}).status == 401
    metrics = service.ask("/metrics").body.decode()
    reasons = dict(re.findall(r'^sfmap_skipped_total\{reason="(.*)"\} (\S+)$', metrics, re.MULTILINE))
    assert reasons == {"no mapping takes it": "301.0", "not opted in": "1.0"}
    assert "type1" not in metrics
