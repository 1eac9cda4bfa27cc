"""Runs with kills and faults: no event is lost or delivered twice, and every field ends as without them."""

from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org

from .harness import Trial, check_outcomes, events, rows, undisturbed, wait_for_late_commits

PLAN = """\
seed: {seed}
faults:
  - {{kind: late_commit, calls: [create, update, upsert], probability: 0.06, seconds: 1.5}}
  - {{kind: reset_after, calls: [create, update, upsert], probability: 0.06}}
  - {{kind: reset, probability: 0.04}}
  - {{kind: truncated, probability: 0.04}}
  - {{kind: expired_session, at: [9, 31, 57, 83, 131, 197, 263, 331, 401]}}
  - {{kind: server_unavailable, probability: 0.04}}
  - {{kind: concurrent_limit, probability: 0.03}}
  - {{kind: html, probability: 0.03}}
  - {{kind: http_error, probability: 0.03, status: 502}}
  - {{kind: record_lock, calls: [create, update, upsert], probability: 0.1, share: 0.1}}
  - {{kind: record_lock_wrapped, calls: [create, update, upsert], probability: 0.1, share: 0.1}}
  - {{kind: lock_row, probability: 0.03}}
  - {{kind: timeout, probability: 0.02, seconds: 0.5}}
  - {{kind: slow, probability: 0.1, seconds: 0.4}}
  - {{kind: down, probability: 0.01, seconds: 0.7}}
"""


@pytest.mark.parametrize(("kills", "number"), [(4, 1_000), pytest.param(20, 5_000, marks=pytest.mark.soak)])
def test_a_run_killed_repeatedly_loses_and_duplicates_nothing(tmp_path: Path, kills: int, number: int) -> None:
    seed = 1
    stream = events(seed, number, number // 5)
    expected = undisturbed(tmp_path / "undisturbed", stream)
    folder = tmp_path / "disturbed"
    folder.mkdir()
    (folder / "faults.yaml").write_text(PLAN.format(seed=seed))
    trial = Trial(folder, stream)
    with start_local_org(folder / "org.db", faults=folder / "faults.yaml", log=folder / "calls.log") as local:
        trial.prepare(local)
        trial.run_to_the_end(kills, seed)
        wait_for_late_commits()
    assert trial.kills == kills
    check_outcomes(trial)
    assert rows(folder / "org.db") == expected
