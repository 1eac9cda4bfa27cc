"""A mistake of sfmap's own in delivery: it ends the service, which whatever started it starts again."""

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.spool import Bounds, Spool
from sfmap.engine.mapping.mapper import Mapper
from sfmap.engine.run import Manner
from sfmap.engine.serve.background import Background, Means
from sfmap.engine.serve.log import mistake_of_ours
from sfmap.engine.serve.metrics import Metrics
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
