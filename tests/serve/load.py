"""Clients that send without rest, and a service that is killed under them: what was acknowledged is in the org."""

import http.client
import random
import threading
import time
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

from .conftest import KEY, Service

_CLIENTS = 4
_AUTHORIZATION = {"Authorization": f"Basic {b64encode(f'{KEY}:'.encode()).decode()}"}


@dataclass
class Load:
    """Clients on threads of their own, until `stop`."""

    service: Service
    batch: int = 5
    acknowledged: set[str] = field(default_factory=set)
    """The addresses of the people whose events were answered with success."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Load":
        self._threads = [threading.Thread(target=self._send, args=(name,)) for name in range(_CLIENTS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self, name: int) -> None:
        count = 0
        while not self.stopping.is_set():
            try:
                connection = http.client.HTTPConnection(urlsplit(self.service.url).netloc, timeout=10)
                while not self.stopping.is_set():
                    emails = [f"person{name}-{count + more}@example.com" for more in range(self.batch)]
                    count += self.batch
                    body = orjson.dumps({"batch": [_identify(email) for email in emails]})
                    connection.request("POST", "/v1/batch", body, _AUTHORIZATION)
                    answer = connection.getresponse()
                    if (answer.status, answer.read()) == (200, b'{"success":true}'):
                        self.acknowledged.update(emails)
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)  # it was killed, and comes again


def kill_under_load(service: Service, kills: int, seed: int) -> int:
    """Every acknowledged event is one record, whatever was under way at each of the kills. How many those are."""
    dice = random.Random(seed)
    with (service.folder.path / "sfmap.yaml").open("a") as project:
        project.write("orgs:\n  local: {call_limit: 3}\n")
    service.start()
    with Load(service) as load:
        for _ in range(kills):
            time.sleep(dice.uniform(0.2, 1.5))
            assert service.process
            service.process.kill()
            service.process.wait()
            service.start()
        time.sleep(0.5)
    assert len(load.acknowledged) > 100 * kills
    waiting = ("sfmap_spool_events", "sfmap_held_records")
    assert service.wait_for(lambda: [service.metric(name) for name in waiting] == [0, 0], seconds=300), (
        service.log()
    )
    assert service.stop() == 0
    rows = service.folder.rows("SELECT Email FROM Lead WHERE NOT IsDeleted")
    people = Counter(str(email) for (email,) in rows)
    missing = load.acknowledged - set(people)
    assert sorted(missing)[:10] == []
    assert [email for email, count in people.items() if count > 1] == []
    assert service.folder.sfmap("dead-letters").stdout == ""
    return len(load.acknowledged)


def _identify(email: str) -> dict[str, object]:
    traits = {"email": email, "name": "Ann Lee"}
    return {"type": "identify", "messageId": email, "traits": traits, "integrations": {"Salesforce": True}}
