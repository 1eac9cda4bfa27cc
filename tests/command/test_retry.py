"""`sfmap retry`: dead letters delivered again, also after a retry that was killed."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from sfmap.engine.delivery.commits import Delivered, OutputState
from sfmap.engine.delivery.deliver_all import RunOptions, make_delivery
from sfmap.engine.journal.dead_letter_events import DeadLetterSource
from sfmap.engine.journal.folder_state import journal_file
from sfmap.engine.journal.ledger import Ledger
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import load_project
from sfmap.engine.sources.event_source import START
from sfmap.engine.wiring.org_opening import open_org

from ..reliability.dead_letters import BUDGET, CASE, letters, refuse_half
from ..reliability.people import LEAD, person
from ..scene import SECRETS, Scene

REFUSED: dict[str, object] = {"kind": "record_error", "calls": "create"}


class Killed(Exception):
    """Ends a delivery where a kill would."""


class KilledAfter:
    """Ends the delivery when it tells the outcomes of the first window."""

    def __init__(self, fate: str) -> None:
        self._fate = fate

    def tell(self, delivered: Delivered) -> OutputState:
        assert [outcome.fate for outcome in delivered.outcomes] == [self._fate] * 3
        raise Killed


def kill_a_retry_before_its_commit(folder: Path, fate: str) -> None:
    """The org's answers are in the journal; what follows from them for the dead letters is not."""
    project = load_project(folder)
    mapper = Mapper(compile_mappings(chosen_mappings(project, None, "org")))
    with (
        closing(journal_file(project.state / "journal.db")) as journal,
        open_org(project, project.org("org")) as opened,
    ):
        source = DeadLetterSource(journal, opened.key())
        ledger = Ledger(journal, opened.key(), source.name)
        ledger.begin_unless_begun()
        with pytest.raises(Killed):
            make_delivery(mapper, opened.org, ledger, RunOptions(), KilledAfter(fate)).deliver(source, START)


def test_dead_letters_are_retried_by_number_and_by_reason(scene: Scene) -> None:
    refuse_half(scene)
    first = json.loads(scene.sfmap("dead-letters", "--json", "--reason", "Budget").splitlines()[0])
    scene.faults({"kind": "record_error", "calls": "create", **BUDGET})
    scene.sfmap("retry", str(first["id"]), code=1)
    again = json.loads(scene.sfmap("dead-letters", "--json", "--reason", "Budget").splitlines()[0])
    assert (again["id"], again["attempts"]) == (first["id"], 2)
    scene.faults()
    said = scene.sfmap("retry", "--reason", "Budget", "--results", "retried")
    assert "failed" not in said
    assert len(scene.sfmap("dead-letters").splitlines()) == 1
    assert scene.rows("SELECT count(*), count(DISTINCT Email) FROM Lead") == [(12, 12)]
    assert "not JSON" in scene.sfmap("retry", code=1)
    assert "no such dead letter" in scene.sfmap("retry", "4711", code=2)


@pytest.mark.parametrize("arguments", [(), ("2",)])
def test_a_killed_retry_creates_no_duplicates(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    scene.mapping(CASE)
    scene.faults(REFUSED)
    scene.run(*({"type": "track", "event": f"E{number}"} for number in range(3)), code=1)
    scene.faults()
    kill_a_retry_before_its_commit(scene.folder.path, "created")
    assert scene.rows('SELECT count(*) FROM "Case"') == [(3,)]
    scene.sfmap("retry", *arguments)
    said = scene.sfmap("retry") if arguments else ""
    assert scene.rows('SELECT count(*) FROM "Case"') == [(3,)], said
    assert letters(scene) == []


def test_records_that_failed_in_a_killed_retry_are_retried(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    scene.mapping(CASE)
    scene.faults(REFUSED)
    scene.run(*({"type": "track", "event": f"E{number}"} for number in range(3)), code=1)
    kill_a_retry_before_its_commit(scene.folder.path, "failed")
    scene.faults()
    scene.sfmap("retry")
    assert scene.rows('SELECT count(*) FROM "Case"') == [(3,)]
    assert letters(scene) == []


def test_a_retried_dead_letter_keeps_its_event_number(scene: Scene) -> None:
    scene.mapping(CASE)
    scene.run({"type": "track", "event": "E"}, "nonsense", code=1)
    (before,) = letters(scene)
    scene.sfmap("retry", code=1)
    (after,) = letters(scene)
    assert (before["event"], after["event"], after["attempts"]) == (2, 2, 2)


def test_a_corrected_mapping_delivers_dead_letters(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.run(person("a"), {"type": "identify", "traits": {"mail": "b@b.co"}}, code=1)
    scene.mapping(LEAD.replace("traits.email", "[traits.email, traits.mail]"))
    scene.sfmap("retry")
    assert scene.sfmap("dead-letters") == "There are no dead letters.\n"
    assert scene.rows("SELECT Email FROM Lead ORDER BY Email") == [("a@b.co",), ("b@b.co",)]


def test_results_of_a_retry_that_cannot_begin_are_empty(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults(REFUSED)
    scene.run(person("p1"), code=1)
    scene.sfmap("retry", "--results", "results", code=1)
    assert len(scene.outcomes()) == 1
    scene.faults({"kind": "day_limit"})
    scene.sfmap("retry", "--results", "results", code=3)
    assert scene.outcomes() == []
