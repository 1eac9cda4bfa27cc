"""A run over records that is killed again and again leaves the same org, and tells every event once."""

import subprocess
import time
from pathlib import Path

from ..folder import SFMAP
from .streams import SECRETS, stream
from .test_refused_records import MAPPING, REFUSED
from .worlds import World, world

KILLS = 6


def run_killed(ready: World, kills: int) -> int:
    """Starts the run until it ends by itself, and kills it so many times between two of its calls."""
    log, killed = ready.folder.path / "calls.log", 0
    command = [str(SFMAP), "run", "--records", "out", "--org", "org", "--results", "results", "--connections", "1"]
    while True:
        done = len(log.read_text().splitlines())
        with (ready.folder.path / "said.txt").open("a") as said:
            process = subprocess.Popen(command, cwd=ready.folder.path, stderr=said, env=SECRETS)
        while process.poll() is None and killed < kills:
            if len(log.read_text().splitlines()) > done + 6:
                process.kill()
            time.sleep(0.005)
        if process.wait() in (0, 1):
            return killed
        assert process.returncode == -9, (ready.folder.path / "said.txt").read_text()
        killed += 1


def test_killed_runs_go_on(tmp_path: Path) -> None:
    events = stream(5, 900, 120)
    for number, event in enumerate(events):
        traits = event.get("traits")
        if isinstance(traits, dict) and number % 97 == 0:
            traits["other"] = REFUSED
    with world(tmp_path / "events", {"lead": MAPPING}, events) as plain:
        plain.run("a.ndjson", "b.ndjson", code=1)
    with world(tmp_path / "records", {"lead": MAPPING}, events) as folded:
        project = folded.folder.path / "sfmap.yaml"
        project.write_text(project.read_text() + "    batch_size: 7\n")
        made = folded.make()
        assert run_killed(folded, KILLS) > KILLS // 2
    assert folded.held() == plain.held()
    told = folded.folder.lines("results")
    assert sum(int(str(one.get("events", 1))) for one in told) == sum(
        row.events for row in made if row.kind == "records"
    )
    places = [(one["file"], one["line"]) for one in told]
    assert len(places) == len(set(places))
