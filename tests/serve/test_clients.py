"""Client libraries, unmodified: their events become the right Lead and Account."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import rudderstack.analytics
import segment.analytics
import segment.analytics.client

from ..folder import REPOSITORY
from ..service import KEY, PROJECT, Service

OPT_IN = "opt_in: integrations.Salesforce"
NAMED = {"Salesforce": True}
PETER = {"email": "peter@initech.com", "firstName": "Peter", "lastName": "Gibbons", "company": "Initech"}
TEEMO = {"name": "Teemo Industries", "employees": 4, "address": {"city": "East Greenwich", "country": "US"}}


def check(service: Service) -> None:
    service.wait_for(lambda: service.metric('sfmap_outcomes_total{outcome="created"}') == 2)
    rows = service.folder.rows
    assert rows("SELECT Email, FirstName, LastName, Company FROM Lead") == [
        ("peter@initech.com", "Peter", "Gibbons", "Initech")
    ], service.log()
    assert rows("SELECT AccountNumber, Name, BillingCity, NumberOfEmployees FROM Account") == [
        ("813", "Teemo Industries", "East Greenwich", 4)
    ]


def test_events_of_segment_analytics_python_are_delivered(service: Service) -> None:
    service.start()
    client = segment.analytics.client.Client(KEY, host=service.url, gzip=True)
    client.identify("peter", PETER, integrations=NAMED)
    client.group("peter", "813", TEEMO, integrations=NAMED)
    client.flush()
    client.join()
    check(service)


def test_events_of_rudder_sdk_python_are_delivered(service: Service) -> None:
    service.start()
    client = rudderstack.analytics.Client(KEY, host=service.url)
    client.identify("peter", PETER, integrations=NAMED)
    client.group("peter", "813", TEEMO, integrations=NAMED)
    client.flush()
    client.join()
    check(service)


HERE = Path(__file__).parent / "clients"
DOCUMENTED_LEAD = (
    "peter.gibbons@initech.com", "Peter", "Gibbons", "Initech", "VP of Derp", "570-690-4150", "Hot",
    "19123 forest lane", "east greenwich", "RI", "94115", "USA",
)  # fmt: skip
DOCUMENTED_ACCOUNT = (
    "813", "Teemo Industries", "222-333-4444", "Makes great husky products", 4, "https://teemothewolf.com",
    "9000 Forest Lane", "East Greenwich", "RI", "02818", "US",
)  # fmt: skip


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pinned npm packages, and the scripts of `clients`."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node.js and npm are not here: the clients written in JavaScript are not tried")
    folder = tmp_path_factory.mktemp("node") / "clients"
    shutil.copytree(HERE, folder, ignore=shutil.ignore_patterns("node_modules"))
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=300)
    return folder


def check_documented(service: Service) -> None:
    service.wait_for(lambda: service.metric('sfmap_outcomes_total{outcome="created"}') == 2)
    lead = "Email, FirstName, LastName, Company, Title, Phone, Rating, Street, City, State, PostalCode, Country"
    assert service.folder.rows(f"SELECT {lead} FROM Lead") == [DOCUMENTED_LEAD], service.log()
    address = "BillingStreet, BillingCity, BillingState, BillingPostalCode, BillingCountry"
    account = f"AccountNumber, Name, Phone, Description, NumberOfEmployees, Website, {address}"
    assert service.folder.rows(f"SELECT {account} FROM Account") == [DOCUMENTED_ACCOUNT]


def test_events_of_segment_analytics_node_are_delivered(service: Service, node: Path) -> None:
    service.start()
    environment = {**os.environ, "WRITE_KEY": KEY, "HOST": service.url}
    done = subprocess.run(
        ["node", "server.mjs"], cwd=node, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    check_documented(service)


@pytest.fixture
def browser() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("there is no Chromium here: the clients for browsers are not tried")
    return found


@contextmanager
def visited(browser: str, node: Path, page: str, **defines: str) -> Iterator[None]:
    """A browser on a site of one page, which runs the script."""
    site = node / "sites" / page
    bundle = ["node", "node_modules/esbuild/bin/esbuild", page, "--bundle", "--format=esm"]
    constants = [f'--define:{name}="{value}"' for name, value in defines.items()]
    command = [*bundle, *constants, f"--outfile={site / 'bundle.js'}"]
    subprocess.run(command, cwd=node, check=True, capture_output=True, timeout=60)
    (site / "index.html").write_text(
        "<!doctype html><title>Shop</title><script type=module src=bundle.js></script>"
    )
    handler = partial(_Silent, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profile = f"--user-data-dir={site / 'profile'}"
    url = f"http://127.0.0.1:{server.server_port}/"
    headless = [browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    process = subprocess.Popen([*headless, profile, url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()
        server.shutdown()


@pytest.mark.parametrize("page", ["page.js", "page_rudderstack.js", "page_customerio.js"])
def test_events_of_a_browser_are_delivered(service: Service, node: Path, browser: str, page: str) -> None:
    """With nothing but the host changed in the set-up of the SDK."""
    service.start()
    with visited(browser, node, page, HOST=service.url, WRITE_KEY=KEY):
        check_documented(service)


def test_events_of_segments_snippet_are_delivered(service: Service, node: Path, browser: str) -> None:
    library = node / "node_modules/@segment/analytics-next/dist/umd"
    project = PROJECT.replace("serve:\n", f"serve:\n  analytics_js: {library}\n")
    (service.folder.path / "sfmap.yaml").write_text(project)
    service.start()
    with visited(browser, node, "page_snippet.js", HOST=service.url, WRITE_KEY=KEY):
        check_documented(service)


def test_events_of_jitsu_are_delivered(service: Service, node: Path, browser: str) -> None:
    """Its SDK sends no `integrations`, so that the mappings must not ask for an opt-in."""
    key, folder = "website:secret", service.folder.path
    (folder / "mappings").mkdir()
    for name in ("lead.yaml", "account.yaml"):
        text = (REPOSITORY / "mappings" / name).read_text()
        assert OPT_IN in text
        (folder / "mappings" / name).write_text(text.replace(OPT_IN, ""))
    (folder / "sfmap.yaml").write_text(PROJECT.replace("${WEBSITE_KEY}", "${JITSU_KEY}"))
    (folder / "secrets.env").touch(0o600)
    (folder / "secrets.env").write_text(f"JITSU_KEY={key}\n")
    service.start()
    with visited(browser, node, "page_jitsu.js", HOST=service.url, WRITE_KEY=key):
        check_documented(service)


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Says nothing."""
