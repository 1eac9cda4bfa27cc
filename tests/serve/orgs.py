"""An org beside the service, which can be stopped, limited and given faults."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import start_local_org

from ..service import PROJECT, Service

ENTRY = """\
orgs:
  beside:
    login_url: "{url}"
    username: {username}
    password: "${{ORG_PASSWORD}}"
    security_token: "${{ORG_TOKEN}}"
    {more}
"""


@dataclass(frozen=True)
class Beside:
    """What the org has seen."""

    url: str
    log: Path

    def calls(self) -> Counter[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(str(json.loads(line)["operation"]) for line in lines)

    def faults(self, *faults: dict[str, object]) -> None:
        answer = requests.put(f"{self.url}/faults", json={"seed": 1, "faults": faults}, timeout=10)
        assert answer.status_code == 200, answer.text


@contextmanager
def org_beside(service: Service, more: str = "", daily_limit: int = 0, password: str = "") -> Iterator[Beside]:
    """The service's project names it as the org `beside`; its records are where the local org's would be."""
    folder = service.folder.path
    (folder / ".sfmap").mkdir(exist_ok=True)
    log = folder / "calls.log"
    with start_local_org(folder / ".sfmap" / "org.db", log=log, daily_limit=daily_limit) as local:
        entry = ENTRY.format(url=local.url, username=credentials.USERNAME, more=more)
        (folder / "sfmap.yaml").write_text(PROJECT + entry)
        set_password(service, password or credentials.PASSWORD)
        yield Beside(local.url, log)


def set_password(service: Service, password: str) -> None:
    secrets = service.folder.path / "secrets.env"
    secrets.touch(0o600)
    secrets.write_text(f"ORG_PASSWORD={password}\nORG_TOKEN={credentials.SECURITY_TOKEN}\n")


def port_of(url: str) -> int:
    return int(urlsplit(url).port or 0)
