"""Clients that send without rest, and a service that is killed under them: what was acknowledged is in the org.

Each person becomes a Lead, which is found again, and a Case, which is not: writing it twice would make two.
"""

import http.client
import random
import shutil
import threading
import time
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import orjson

from ..folder import REPOSITORY, SFMAP
from ..service import KEY, Service

_CLIENTS = 4
_CASE = """\
sfmap: 1
event: track
object: Case
operation: create
fields: {Subject: event}
"""
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
        """Batch by batch, each again until it is acknowledged, as clients do."""
        count = 0
        while not self.stopping.is_set():
            try:
                connection = http.client.HTTPConnection(urlsplit(self.service.url).netloc, timeout=10)
                while not self.stopping.is_set():
                    emails = [f"person{name}-{count + more}@example.com" for more in range(self.batch)]
                    body = orjson.dumps({"batch": [event for email in emails for event in _events(email)]})
                    connection.request("POST", "/v1/batch", body, _AUTHORIZATION)
                    answer = connection.getresponse()
                    if (answer.status, answer.read()) == (200, b'{"success":true}'):
                        self.acknowledged.update(emails)
                        count += self.batch
            except (OSError, http.client.HTTPException):
                time.sleep(0.05)  # it was killed, and comes again


def kill_under_load(service: Service, kills: int, seed: int) -> int:
    """Every acknowledged event has one outcome, whatever was under way at each kill. How many those are."""
    dice = random.Random(seed)
    mappings = service.folder.path / "mappings"
    mappings.mkdir()
    shutil.copy(REPOSITORY / "mappings" / "lead.yaml", mappings)
    (mappings / "case.yaml").write_text(_CASE)
    with (service.folder.path / "sfmap.yaml").open("a") as project:
        project.write("mappings: mappings\norgs:\n  local: {call_limit: 3}\n")
    service.program = (SFMAP,)
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
    given_up = _given_up(service)
    for table, name_field, may_lack in (("Lead", "Email", set[str]()), ("Case", "Subject", given_up)):
        records = Counter(str(row[0]) for row in service.folder.rows(f'SELECT {name_field} FROM "{table}"'))
        assert sorted(load.acknowledged - set(records) - may_lack)[:10] == []
        assert [name for name, count in records.items() if count > 1] == []
    return 2 * len(load.acknowledged)


def _given_up(service: Service) -> set[str]:
    """Whose Case was sent as the service was killed: nobody can tell whether it was made, so it stays so."""
    letters = [orjson.loads(line) for line in service.folder.sfmap("dead-letters", "--json").stdout.splitlines()]
    assert {letter["reason"].partition(";")[0] for letter in letters} <= {"the run was killed while this was sent"}
    return {letter["raw"]["event"] for letter in letters}


def _events(email: str) -> tuple[dict[str, object], dict[str, object]]:
    common = {"integrations": {"Salesforce": True}}
    traits = {"email": email, "name": "Ann Lee"}
    return (
        {"type": "identify", "messageId": f"person {email}", "traits": traits, **common},
        {"type": "track", "messageId": f"case of {email}", "event": email, **common},
    )
