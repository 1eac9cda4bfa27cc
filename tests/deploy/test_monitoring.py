"""The alerts and the dashboard of `deploy/` with what a real service exposes, by promtool and Prometheus."""

import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from ..service import KEY, Service, set_up_service

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "sfmap.rules.yaml"
DASHBOARD = json.loads((DEPLOY / "grafana" / "sfmap.json").read_text())
OPTED_IN = {"Salesforce": True}
SCRAPED = {"job": "sfmap", "instance": "127.0.0.1:8080"}
_SERIES = re.compile(r"^(\w+)(?:{(.*)})? (\S+)$", re.MULTILINE)

Series = Mapping[str, str]
"""By the series with its labels, its value."""


def send(service: Service, *, failing: int = 1) -> None:
    """Events that are delivered, skipped, cut and refused, and some that fail."""
    traits = {"email": "ann@example.com", "lastName": "x" * 90, "favouriteArtist": "x"}
    event = {"writeKey": KEY, "traits": traits, "integrations": OPTED_IN}
    assert service.ask("/v1/identify", event).status == 200
    assert service.ask("/v1/page", {"writeKey": KEY, "integrations": OPTED_IN}).status == 200
    for _ in range(failing):
        assert service.ask("/v1/identify", {"writeKey": KEY, "integrations": OPTED_IN}).status == 200
    assert service.ask("/v1/track", {"writeKey": "mistyped"}).status == 401
    service.wait_until_delivered()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with set_up_service(tmp_path_factory.mktemp("service")) as one:
        one.start()
        send(one)
        yield one


@pytest.fixture(scope="module")
def exposed(service: Service) -> Series:
    """What the service has exposed, as Prometheus stores it."""
    scraped = ",".join(f'{name}="{value}"' for name, value in SCRAPED.items())
    found = _SERIES.findall(service.ask("/metrics").body.decode())
    series = {f"{name}{{{','.join(filter(None, (labels, scraped)))}}}": value for name, labels, value in found}
    return {**series, f"up{{{scraped}}}": "1"}


def promtool(*words: str | Path) -> str:
    assert shutil.which("promtool"), "alerts are tested with promtool: apt-get install prometheus"
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules_and_configuration_are_valid() -> None:
    promtool("check", "rules", RULES)
    promtool("check", "config", DEPLOY / "prometheus" / "prometheus.yml")


def test_the_metrics_follow_the_conventions(service: Service) -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=service.ask("/metrics").body, capture_output=True
    )
    assert (done.returncode, done.stderr) == (0, b"")


SHARED = {'sfmap_delivering{instance="a",job="sfmap"}': "1", 'sfmap_state_up{instance="a",job="sfmap"}': "1"}
"""Only services that share a state have these: tests/scale looks at them."""
FIRES: list[tuple[str, str, str]] = [
    ("SfmapDown", "up{", "0x400"),
    ("SfmapOrgUnavailable", "sfmap_org_up{", "0x400"),
    ("SfmapEventsWaitLong", "sfmap_spool_age_seconds{", "4000+60x400"),
    ("SfmapEventsRefused", 'sfmap_refused_total{status="503"', "0+1x400"),
    ("SfmapUnknownKeys", 'sfmap_refused_total{status="401"', "0+5x400"),
    ("SfmapRecordsFail", "sfmap_failures_total{", "_x200 20x200"),
    ("SfmapDeadLettersWait", "sfmap_dead_letters{", "3x6000"),
    ("SfmapRecordsHeld", "sfmap_held_records{", "2x400"),
    ("SfmapFewCallsLeft", "sfmap_api_calls_left{", "900x400"),
    ("SfmapNobodyDelivers", "sfmap_delivering{", "0x400"),
    ("SfmapStateUnreachable", "sfmap_state_up{", "0x400"),
]


def alerts_at(tmp_path: Path, series: Series, minute: int, expected: set[str]) -> None:
    """Asks promtool whether exactly these alerts fire in that minute."""
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    expressions = [
        {
            "expr": f'count(ALERTS{{alertstate="firing",alertname="{rule["alert"]}"}})',
            "eval_time": f"{minute}m",
            "exp_samples": [{"value": 1}] if rule["alert"] in expected else [],
        }
        for rule in rules
    ]
    tests = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": expressions,
            }
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(json.dumps(tests))
    promtool("test", "rules", file)


def steady(exposed: Series, minutes: int) -> dict[str, str]:
    """These series, each with the same value for so long."""
    return {name: f"{value}x{minutes}" for name, value in {**exposed, **SHARED}.items() if value != "+Inf"}


def test_no_alert_fires_for_a_service_that_works(tmp_path: Path, exposed: Series) -> None:
    alerts_at(tmp_path, steady(exposed, 400), 390, set())


@pytest.mark.parametrize(("alert", "series", "values"), FIRES)
def test_alerts_fire(tmp_path: Path, exposed: Series, alert: str, series: str, values: str) -> None:
    known = steady(exposed, 6_000)
    changed = [name for name in known if name.startswith(series)]
    assert changed, f"the service does not expose {series}"
    minute = 5_900 if "6000" in values else 220
    alerts_at(tmp_path, {**known, changed[0]: values}, minute, {alert})


def test_every_alert_is_tested() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    assert [rule["alert"] for rule in rules] == [alert for alert, _, _ in FIRES]


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """A Prometheus that scrapes the service; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "sfmap", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(configuration))
    words = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*words, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def asked(url: str, query: str) -> list[object]:
    """What the query gives; nothing as long as Prometheus does not answer."""
    address = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        answer = urllib.request.urlopen(address)
    except urllib.error.HTTPError as error:
        if error.code == 503:  # it is starting
            return []
        raise AssertionError(f"{query}: {error.read().decode()}") from None
    except urllib.error.URLError:
        return []
    found: list[object] = json.load(answer)["data"]["result"]
    return found


def queries() -> list[tuple[str, str]]:
    return [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]


def test_each_panel_of_the_dashboard_shows_series_of_a_service(service: Service, tmp_path: Path) -> None:
    variables = {"$job": "sfmap", "$instance": ".*", "$__rate_interval": "30s"}
    with prometheus(tmp_path, service.url.removeprefix("http://")) as url:
        assert service.wait_for(lambda: asked(url, "count_over_time(sfmap_build_info[30s]) > 1"))
        for title, query in queries():
            for name, value in variables.items():
                query = query.replace(name, value)
            assert "$" not in query
            assert asked(url, query), title


def test_the_dashboard_can_be_imported() -> None:
    """Grafana needs an id for each panel, places that do not overlap, and known variables."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(places)) == len(places)
    assert max(x for x, _ in places) < 24
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$(\w+)", " ".join(query for _, query in queries()))) - {"__rate_interval"}
    assert used <= names
    assert DASHBOARD["uid"]
    assert DASHBOARD["schemaVersion"] >= 36
