"""The real command against a local org that plays faults, killed again and again until it ends: what is left is
compared with a run that nothing disturbs."""

import json
import random
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sfmap.engine.local_org.calls import credentials
from sfmap.engine.local_org.process import LocalOrg, start_local_org
from sfmap.engine.mapping.values.record import Event

from ..folder import SFMAP

CALL_LIMIT = 3.0
"""Seconds that the org may take over a call: what sfmap waits for where an answer is lost."""
PROJECT = f"""\
mappings: mappings
repeats: 0
orgs:
  soak:
    login_url: URL
    username: {credentials.USERNAME}
    password: ${{PASSWORD}}
    security_token: ${{TOKEN}}
    call_limit: {CALL_LIMIT}
    patience: 120
"""
SECRETS = {"PASSWORD": credentials.PASSWORD, "TOKEN": credentials.SECURITY_TOKEN}

LEAD = """\
sfmap: 1
event: identify
object: Lead
match: Email
fields:
  Email: {from: traits.email, type: email, required: true}
  LastName: {from: traits.last, default: n/a}
  Company: {from: traits.company, default: n/a}
  Title: traits.title
  City: {from: traits.city, on_null: clear}
  Rating: {from: traits.rating, write: empty}
  LeadSource: {value: Web, write: create}
"""
ACCOUNT = """\
sfmap: 1
event: group
object: Account
match: AccountNumber
fields:
  AccountNumber: {from: groupId, required: true}
  Name: {from: traits.name, default: n/a}
  Phone: traits.phone
  BillingCity: traits.city
"""
CONTACT = """\
sfmap: 1
event: {type: track, name: Signed Up}
object: Contact
match: Email
fields:
  Email: {from: properties.email, type: email, required: true}
  LastName: {from: properties.last, default: n/a}
  Title: properties.title
"""
MAPPINGS = {"lead": LEAD, "account": ACCOUNT, "contact": CONTACT}
COMPARED = {
    "Lead": "Email, LastName, Company, Title, City, Rating, LeadSource",
    "Account": "AccountNumber, Name, Phone, BillingCity",
    "Contact": "Email, LastName, Title",
}


def events(seed: int, number: int, people: int) -> list[Event]:
    """A stream in which people and companies come again; some events are for nobody, or for nothing."""
    dice = random.Random(seed)

    def some(*values: str | None) -> str | None:
        return dice.choice(values)

    found: list[Event] = []
    for count in range(number):
        person = dice.randrange(people)
        email = f"person{person}@example.com"
        traits: dict[str, str | None] = {
            "title": some("Clerk", "Head", f"Title {count}"),
            "last": f"Last {person % 7}",
        }
        if dice.random() < 0.3:
            traits["city"] = some("Rome", "Oslo", None)
        if dice.random() < 0.2:
            traits["rating"] = some("Hot", "Cold")
        kind = dice.random()
        if kind < 0.6:
            spelt = email.upper() if dice.random() < 0.1 else email
            found.append({"type": "identify", "messageId": f"m{count}", "traits": {"email": spelt, **traits}})
        elif kind < 0.85:
            company = {
                "name": f"Company {person % 50}",
                "phone": f"555-{count}",
                "city": traits.get("city") or "Bonn",
            }
            found.append(
                {"type": "group", "messageId": f"m{count}", "groupId": f"g{person}", "traits": dict(company)}
            )
        elif kind < 0.97:
            properties: Event = {"email": email, "title": traits["title"]}
            found.append(
                {"type": "track", "messageId": f"m{count}", "event": "Signed Up", "properties": properties}
            )
        elif kind < 0.99:
            found.append({"type": "page", "messageId": f"m{count}"})
        else:
            found.append({"type": "identify", "messageId": f"m{count}", "traits": {"title": "nobody"}})
    return found


@dataclass
class Trial:
    """One folder with a project, its events, and the org that it is delivered to."""

    folder: Path
    events: Sequence[Event]
    mappings: Mapping[str, str] = field(default_factory=lambda: MAPPINGS)
    connections: int = 4
    kills: int = 0
    starts: int = 0

    def prepare(self, local: LocalOrg) -> None:
        (self.folder / "mappings").mkdir(parents=True, exist_ok=True)
        for name, text in self.mappings.items():
            (self.folder / "mappings" / f"{name}.yaml").write_text(text)
        (self.folder / "sfmap.yaml").write_text(PROJECT.replace("URL", local.url))
        lines = "".join(json.dumps(event) + "\n" for event in self.events)
        (self.folder / "events.ndjson").write_text(lines)

    def start(self) -> "subprocess.Popen[str]":
        self.starts += 1
        command = [str(SFMAP), "run", "events.ndjson", "--org", "soak", "--results", "results.ndjson"]
        command += ["--report", "report.json", "--connections", str(self.connections)]
        with (self.folder / "said.txt").open("a") as said:
            return subprocess.Popen(command, cwd=self.folder, stderr=said, text=True, env=SECRETS)

    def run_to_the_end(self, kills: int, seed: int, most_seconds: float = 1.3) -> None:
        """Starts the command until it ends by itself, and kills it so many times on the way."""
        dice = random.Random(seed)
        while True:
            process = self.start()
            try:
                patience = dice.uniform(0.3, most_seconds) if self.kills < kills else None
                if process.wait(patience) in (0, 1):
                    return
                # A day's limit ends a run in good order; somebody starts it again the next day.
                assert process.returncode == 3, self.said()
                assert "used up its API requests" in self.said().partition("Error")[2], self.said()
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                self.kills += 1

    def outcomes(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in (self.folder / "results.ndjson").read_text().splitlines()]

    def said(self) -> str:
        return (self.folder / "said.txt").read_text()


def rows(database: Path) -> dict[str, list[tuple[str, ...]]]:
    """What the org holds of each object, in an order of its own."""
    connection = sqlite3.connect(database)
    found = {}
    for name, fields in COMPARED.items():
        query = f"SELECT {fields} FROM {name} WHERE NOT IsDeleted"
        found[name] = sorted(tuple(str(value).lower() for value in row) for row in connection.execute(query))
    connection.close()
    return found


def undisturbed(folder: Path, stream: Sequence[Event]) -> dict[str, list[tuple[str, ...]]]:
    """What a run leaves that nothing disturbs."""
    folder.mkdir()
    with start_local_org(folder / "org.db") as local:
        trial = Trial(folder, stream, connections=1)
        trial.prepare(local)
        trial.run_to_the_end(0, 0)
    return rows(folder / "org.db")


def check_outcomes(trial: Trial) -> Counter[str]:
    """Every event has exactly one outcome. How many of each."""
    outcomes = trial.outcomes()
    counted = Counter(int(str(outcome["event"])) for outcome in outcomes)
    assert sorted(counted) == list(range(1, len(trial.events) + 1)), trial.said()
    assert set(counted.values()) == {1}, [event for event, count in counted.items() if count > 1][:10]
    return Counter(str(outcome["outcome"]) for outcome in outcomes)


def logged(log: Path) -> Counter[str]:
    """How many calls each kind of fault has hit."""
    calls = (json.loads(line) for line in log.read_text().splitlines())
    return Counter(str(call["fault"]) for call in calls if call["fault"])


def wait_for_late_commits(seconds: float = CALL_LIMIT) -> None:
    """Nothing that the org was asked for comes later than this."""
    time.sleep(seconds)
