"""Transient failures: what is sent again, how often, and how long a run waits."""

import json
import signal
import time

import pytest

from ..scene import Scene
from .people import ACCOUNT, KEYED, LEAD, PEOPLE, person

MAPPINGS = {"lead": LEAD, "keyed": KEYED, "account": ACCOUNT}
TABLES = {"lead": "Lead", "keyed": "Lead", "account": "Account"}
HEALS: list[tuple[str, dict[str, object]]] = [
    ("lead", {"kind": "expired_session", "calls": "create"}),
    ("lead", {"kind": "expired_session", "calls": "query"}),
    ("lead", {"kind": "server_unavailable"}),
    ("lead", {"kind": "server_unavailable", "calls": "create"}),
    ("lead", {"kind": "concurrent_limit", "calls": "create"}),
    ("lead", {"kind": "lock_row", "calls": "create"}),
    ("lead", {"kind": "record_lock", "calls": "create"}),
    ("lead", {"kind": "record_lock_wrapped", "calls": "create", "share": 0.5}),
    ("lead", {"kind": "http_error", "calls": "query"}),
    ("lead", {"kind": "html", "calls": "query"}),
    ("lead", {"kind": "html", "calls": "create"}),
    ("lead", {"kind": "http_error", "calls": "create", "status": 502}),
    ("lead", {"kind": "reset", "calls": "create"}),
    ("lead", {"kind": "reset_after", "calls": "create"}),
    ("lead", {"kind": "truncated", "calls": "create"}),
    ("lead", {"kind": "timeout", "calls": "create", "seconds": 0.3}),
    ("lead", {"kind": "late_commit", "calls": "create", "seconds": 1}),
    ("lead", {"kind": "slow", "calls": "create", "seconds": 0.5}),
    ("lead", {"kind": "down", "calls": "describeSObjects", "seconds": 1}),
    ("keyed", {"kind": "reset_after", "calls": "upsert"}),
    ("keyed", {"kind": "late_commit", "calls": "upsert", "seconds": 1}),
    ("account", {"kind": "late_commit", "calls": "create", "seconds": 1}),
]


IDS = [f"{mapping}-{' '.join(map(str, fault.values()))}" for mapping, fault in HEALS]


@pytest.mark.parametrize(("mapping", "fault"), HEALS, ids=IDS)
def test_a_transient_failure_is_retried(scene: Scene, mapping: str, fault: dict[str, object]) -> None:
    scene.mapping(MAPPINGS[mapping])
    scene.faults({**fault, "times": 1})
    scene.run(*PEOPLE)
    time.sleep(1 if fault["kind"] == "late_commit" else 0)
    table = TABLES[mapping]
    city = "City" if table == "Lead" else "BillingCity"
    assert scene.rows(f"SELECT count(*), count(DISTINCT {city}) FROM {table}") == [(12, 12)]
    assert len(scene.outcomes()) == 12
    assert {fate for fate, _ in scene.outcomes()} <= {"created", "updated"}


def test_a_run_ends_when_its_patience_is_used_up(scene: Scene) -> None:
    scene.mapping(LEAD, "patience: 1")
    scene.faults({"kind": "server_unavailable", "calls": "create"})
    said = scene.run(*PEOPLE, code=3)
    assert "No event was delivered" in said
    assert scene.calls()["create"] > 1
    scene.faults()
    scene.again()
    assert scene.rows("SELECT count(*) FROM Lead") == [(12,)]


def test_ctrl_c_stops_a_run_that_waits_for_the_org(scene: Scene) -> None:
    scene.mapping(LEAD)
    scene.faults({"kind": "server_unavailable", "calls": "create"})
    (scene.folder.path / "events.ndjson").write_text(json.dumps(PEOPLE[0]))
    process = scene.start()
    assert process.stderr
    while "Retrying until" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    said = process.communicate(timeout=10)[1]
    assert process.returncode == 130, said
    assert time.monotonic() - started < 5
    assert "Stopped." in said


TROUBLES = ["SERVER_UNAVAILABLE", "QUERY_TIMEOUT", "REQUEST_RUNNING_TOO_LONG", "UNKNOWN_EXCEPTION"]


@pytest.mark.parametrize("code", TROUBLES)
def test_a_transient_error_of_records_is_retried(scene: Scene, code: str) -> None:
    scene.mapping(ACCOUNT)
    scene.faults({"kind": "record_error", "calls": "create", "code": code, "message": "Try later", "times": 1})
    scene.run(*PEOPLE)
    assert {fate for fate, _ in scene.outcomes()} == {"created"}


def test_retries_are_counted_for_each_cause(scene: Scene) -> None:
    """Locked several times, and then created by somebody else in between."""
    scene.mapping(ACCOUNT)
    scene.faults(
        {"kind": "record_lock", "calls": "create", "at": [1, 2, 3, 4]},
        {"kind": "created_between", "calls": "create", "at": [1]},
    )
    scene.run(person("a", code="X", city="Rome"))
    assert [fate for fate, _ in scene.outcomes()] == ["updated"]
    assert scene.rows("SELECT count(*) FROM Account") == [(1,)]
