"""The long version of the kill tests, by `make soak`: it prints the figures that docs/reliability.md has."""

import time
from pathlib import Path

import pytest

from sfmap.engine.local_org.process import start_local_org

from .harness import Trial, check_outcomes, events, logged, rows, undisturbed, wait_for_late_commits
from .test_kills import PLAN

EVENTS, PEOPLE, KILLS = 50_000, 9_000, 75
MORE = """\
  - {kind: day_limit, probability: 0.002}
"""


@pytest.mark.parametrize("connections", [1, 2, 4, 8])
def test_soak(tmp_path: Path, connections: int, capsys: pytest.CaptureFixture[str]) -> None:
    stream = events(connections, EVENTS, PEOPLE)
    expected = undisturbed(tmp_path / "undisturbed", stream)
    folder = tmp_path / "disturbed"
    folder.mkdir()
    (folder / "faults.yaml").write_text(PLAN.format(seed=connections) + MORE)
    trial = Trial(folder, stream, connections=connections)
    started = time.monotonic()
    with start_local_org(folder / "org.db", faults=folder / "faults.yaml", log=folder / "calls.log") as local:
        trial.prepare(local)
        trial.run_to_the_end(kills=KILLS, seed=connections, most_seconds=3.5)
        wait_for_late_commits()
    seconds = time.monotonic() - started
    counted = check_outcomes(trial)
    assert trial.kills == KILLS
    assert rows(folder / "org.db") == expected
    struck = logged(folder / "calls.log")
    held = {name: len(found) for name, found in expected.items()}
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{connections} connections: {EVENTS:,} events, {trial.kills} kills, {sum(struck.values()):,} faults"
            f" of {len(struck)} kinds, {seconds:.0f} s; outcomes {dict(counted)}; records {held}: equal"
        )
