"""A mistake of sfmap's own in delivery: it ends the service, which whatever started it starts again."""

import json
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from sfmap.engine.delivery.mistake import mistake_of_ours
from sfmap.engine.journal.database import Database
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.load import compile_mappings, mapping_sources
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.mapping.record import Event, Mapped
from sfmap.engine.org.local.process import start_local_org
from sfmap.engine.org.soap import PasswordLogin, Secret, SoapOrg, SoapSettings
from sfmap.engine.run import Manner, make_delivery
from sfmap.engine.serve.background import Background, Means
from sfmap.engine.serve.metrics import Metrics
from sfmap.engine.sources.port import Received
from sfmap.engine.wiring import OpenOrg


def broken(_stack: ExitStack) -> OpenOrg:
    raise AttributeError("of a person named Ann Lee")


def test_it_is_told_and_said_without_a_word_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda happened: said.append(mistake_of_ours(happened.exc_value)))
    spool = Spool(tmp_path / "spool.db", Bounds())
    means = Means(spool, Database(None), Manner(), linger=0)
    background = Background(means, Mapper(()), broken, Metrics(spool), lambda level, message: None)
    told = threading.Event()
    background.on_mistake = told.set
    background.start()
    assert told.wait(10)
    background.stop()
    assert not background.is_alive()
    assert [line.partition(" at ")[0] for line in said] == ["AttributeError"]


BROKEN = """\
import sys
import sfmap.engine.serve.configuration as configuration
from sfmap.cli import main

def broken(project, entry):
    raise AttributeError("of a person named Ann Lee")

configuration.open_org = broken
sys.argv = ["sfmap", "serve", "--port", "0", "--log-format", "json"]
main()
"""


def test_the_service_ends(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BROKEN], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 70, done.stderr
    messages = [json.loads(line)["message"].partition(" at ")[0] for line in done.stderr.splitlines()]
    assert sorted(messages[:2]) == ["Accepting events", "This is a mistake in sfmap: AttributeError"]
    assert "delivery has ended, and with it the service" in messages[2].lower()
    assert "Ann Lee" not in done.stderr


class _BreaksOnBob(Mapper):
    def map(self, event: Event) -> tuple[Mapped, ...]:
        if event.get("userId") == "bob":
            raise TypeError("Bob")
        return super().map(event)


def test_an_event_that_mapping_breaks_on_is_a_dead_letter_and_others_go_on(tmp_path: Path) -> None:
    mapper = _BreaksOnBob(compile_mappings(mapping_sources(None), (), ()))
    events = [
        Received(number, "f", number, b"{}", {"type": "page", "userId": name})
        for number, name in enumerate(("ann", "bob", "cy"), 1)
    ]
    with start_local_org(tmp_path / "org.db") as local:
        password = PasswordLogin(local.username, Secret(local.password), Secret(local.security_token))
        ledger = Ledger(Database(None), "local", "events")
        ledger.begin()
        delivery = make_delivery(mapper, SoapOrg(SoapSettings(local.url, password)), ledger, Manner())
        (delivered,) = delivery.deliver(events)
    assert [outcome.fate for outcome in delivered.outcomes] == ["skipped", "failed", "skipped"]
    assert "this is a mistake in sfmap: TypeError at test_mistakes.py" in delivered.outcomes[1].reason
