"""Bugs of sfmap in delivery: one event fails, or the service ends and can be started again; no data is logged."""

import json
import re
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.delivery.internal_error import internal_error
from sfmap.engine.journal.folder_state import FolderState, journal_file
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.spool import Bounds
from sfmap.engine.journal.spool_file import SpoolFile
from sfmap.engine.local_org.process import start_local_org
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Mapped
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings
from sfmap.engine.project.loading import ChosenMappings, compile_mappings, mapping_sources
from sfmap.engine.serve.background import Background
from sfmap.engine.serve.crash_isolation import Suspects
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.sources.event_source import Received
from sfmap.engine.wiring.org_opening import OpenOrg

from ..listeners import CollectedOutcomes
from ..service import KEY, Service


def broken(_stack: ExitStack) -> OpenOrg:
    raise AttributeError("of a person named Ann Lee")


def test_a_bug_in_delivery_is_reported_without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda happened: said.append(internal_error(happened.exc_value)))
    spool = SpoolFile(tmp_path / "spool.db", Bounds())
    background = Background(
        spool=spool,
        state=FolderState(tmp_path),
        options=RunOptions(),
        linger=0,
        mapper=Mapper(()),
        open_org=broken,
        metrics=Metrics(spool),
        log=lambda level, message, facts=None: None,
    )
    told = threading.Event()
    background.on_crash = told.set
    background.start()
    assert told.wait(10)
    background.stop()
    assert not background.is_alive()
    assert [line.partition(" at ")[0] for line in said] == ["AttributeError"]


def test_a_bug_in_delivery_ends_the_service(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sfmap.tests.serve.bug_in_opening_the_org"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 70, done.stderr
    messages = [json.loads(line)["message"].partition(" at ")[0] for line in done.stderr.splitlines()]
    assert sorted(messages[:2]) == ["Accepting events", "This is a bug in sfmap: AttributeError"]
    assert "delivery has ended, and the service with it" in messages[2].lower()
    assert "Ann Lee" not in done.stderr


class _BreaksOnBob(Mapper):
    def map(self, event: Event) -> tuple[Mapped, ...]:
        if event.get("userId") == "bob":
            raise TypeError("Bob")
        return super().map(event)


def test_a_bug_in_mapping_makes_one_event_a_dead_letter(tmp_path: Path) -> None:
    mapper = _BreaksOnBob(compile_mappings(ChosenMappings(sources=mapping_sources(None))))
    events = [
        Received(number, "f", number, b"{}", {"type": "page", "userId": name})
        for number, name in enumerate(("ann", "bob", "cy"), 1)
    ]
    with start_local_org(tmp_path / "org.db") as local:
        password = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
        ledger = Ledger(journal_file(None), "local", "events")
        ledger.begin()
        org, collected = SoapOrg(SoapSettings(local.url, password)), CollectedOutcomes()
        make_delivery(mapper, org, ledger, RunOptions(), collected).deliver(events)
    assert [outcome.fate for outcome in collected.outcomes] == ["skipped", "failed", "skipped"]
    assert "this is a bug in sfmap: TypeError at test_internal_errors.py" in collected.outcomes[1].reason


def lead(name: str) -> dict[str, object]:
    return {"type": "identify", "traits": {"email": f"{name}@b.co"}, "integrations": {"Salesforce": True}}


def emails(service: Service) -> list[str]:
    return [str(row[0]).partition("@")[0] for row in service.folder.rows("SELECT Email FROM Lead ORDER BY Email")]


def letters(service: Service) -> list[str]:
    return service.folder.sfmap("dead-letters").stdout.splitlines()


def test_a_bug_in_delivery_makes_one_event_a_dead_letter(service: Service) -> None:
    """Else it would end the service again after each restart, and nothing behind it would ever be delivered."""
    service.program = (sys.executable, "-m", "sfmap.tests.serve.breaks_on_bob")
    with (service.folder.path / "sfmap.yaml").open("a") as project:
        project.write("orgs:\n  local: {call_limit: 1}\n")
    service.start()
    assert service.wait_for(lambda: "Delivering to" in service.log()), service.log()
    events = [lead(name) for name in ("ann", "bob", "cy", "dan")]
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": events}).status == 200
    assert service.ask("/v1/batch", {"writeKey": KEY, "batch": [lead("eve")]}).status == 200
    assert service.wait_for(lambda: emails(service) == ["ann", "cy", "dan", "eve"], seconds=60), service.log()
    service.wait_until_delivered()
    assert service.wait_for(lambda: len(letters(service)) == 1), service.log()
    (letter,) = letters(service)
    assert re.match(r"\d+  website:2  \w+  this is a bug in sfmap: AttributeError at breaks_on_bob.py:", letter)
    broken = service.log().count("The retry failed")

    def is_tried_again() -> bool:
        service.retry_dead_letters()  # while its write is in doubt, it stays what it is without a try
        return service.log().count("The retry failed") > broken

    assert service.wait_for(is_tried_again), service.log()
    assert letters(service) == [letter]
    assert service.ask("/healthz").status == 200
    assert "Bob" not in service.log()
    assert service.stop() == 0


def test_the_windows_of_a_crash_are_delivered_one_after_the_other_before_events_are() -> None:
    """Else a bug in one of many windows would take two calls for each of their events."""
    suspects = Suspects()
    assert suspects.suspect(range(1, 6_001), "a bug")
    assert (suspects.are_after(0), suspects.most_together(0)) == (True, 2_000)
    assert (suspects.are_after(6_000), suspects.most_together(6_000)) == (False, 2_000)
    assert suspects.suspect(range(2_001, 4_001), "a bug")
    assert (suspects.most_together(2_000), suspects.most_together(4_000)) == (1, 2_000)
    assert suspects.suspect([2_500], "a bug")
    assert not suspects.suspect([2_500], "a bug")
    assert suspects.are_after(4_000)
