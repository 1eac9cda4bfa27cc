"""Back-fills on a Spark of two executors, also while these are killed: `make scale` runs it, with sfmap[spark]."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ..folder import SFMAP
from .streams import ACCOUNT, BOTH_KEYS, CONTACT, LEAD, ROLE, SECRETS, TWO_KEYS, stream
from .worlds import World, world

PEOPLE = 150
CLUSTER = "local-cluster[2,1,1024]"
KILLS = 6
PROJECTS: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "several objects": (20_000, {"account": ACCOUNT, "lead": LEAD}),
    "pointers": (3_000, {"account": ACCOUNT, "contact": CONTACT, "role": ROLE}),
    "two keys together": (20_000, {"lead": BOTH_KEYS}),
    "two keys in turn": (3_000, {"lead": TWO_KEYS}),
}
"""By name, how many events and the mappings. Events that depend on each other take one process a while."""


def start(ready: World, out: str) -> "subprocess.Popen[bytes]":
    command = [str(SFMAP), "backfill", "a.ndjson", "b.ndjson", "--out", out, "--org", "org"]
    command += ["--master", CLUSTER, "--partitions", "4", "--split", "1"]
    with (ready.folder.path / "said.txt").open("ab") as said:
        return subprocess.Popen(command, cwd=ready.folder.path, stderr=said, env={**os.environ, **SECRETS})


def backfill(ready: World, out: str) -> list[str]:
    """The lines of the records."""
    assert start(ready, out).wait() == 1, (ready.folder.path / "said.txt").read_text()
    return lines(ready, out)


def backfill_killed(ready: World, out: str, kills: int) -> tuple[list[str], int]:
    """The same, while executors are killed as soon as they run, and how many were."""
    dice, killed = random.Random(7), set[int]()
    process = start(ready, out)
    while process.poll() is None:
        there = [pid for pid in executors(process.pid) if pid not in killed]
        if there and len(killed) < kills:
            time.sleep(dice.uniform(0.5, 6))
            victim = dice.choice(there)
            os.kill(victim, signal.SIGKILL)
            killed.add(victim)
        time.sleep(0.05)
    assert process.returncode == 1, (ready.folder.path / "said.txt").read_text()
    return lines(ready, out), len(killed)


def executors(pid: int) -> Iterator[int]:
    """The processes below that one which are executors."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes():
            yield pid
    except OSError:
        return
    for child in children:
        yield from executors(child)


def lines(ready: World, out: str) -> list[str]:
    parts = sorted((ready.folder.path / out / "records").glob("part-*"))
    return [line for part in parts for line in part.read_text().splitlines()]


def tell(words: str) -> None:
    sys.stdout.write(f"\nSCALE Spark, {words}\n")


@pytest.mark.parametrize("name", PROJECTS)
def test_the_org_is_that_of_one_process(tmp_path: Path, name: str) -> None:
    number, mappings = PROJECTS[name]
    events = stream(len(name), number, PEOPLE)
    with world(tmp_path / "events", mappings, events) as plain:
        plain.run("a.ndjson", "b.ndjson")
    with world(tmp_path / "records", mappings, events) as folded:
        records = backfill(folded, "out")
        assert records == [row.text for row in folded.make("again") if row.kind == "records"]
        folded.run("--records", "out")
    found, wanted = (
        Counter((table, *row) for table, rows in org.items() for row in rows)
        for org in (folded.held(), plain.held())
    )
    lost, added = wanted - found, found - wanted
    count = f"{number:,} events in {len(records):,} records"
    tell(f"{name}, {count}: 0 kills, 0 pauses: different {(lost + added).total()}")
    assert not lost
    assert not added


def test_killed_executors_change_nothing(tmp_path: Path) -> None:
    number, mappings = PROJECTS["pointers"]
    with world(tmp_path / "records", mappings, stream(1, 5 * number, PEOPLE)) as ready:
        calm = backfill(ready, "calm")
        disturbed, kills = backfill_killed(ready, "disturbed", KILLS)
        summaries = {(ready.folder.path / out / "summary.json").read_text() for out in ("calm", "disturbed")}
    lost, doubled = Counter(calm) - Counter(disturbed), Counter(disturbed) - Counter(calm)
    told = f"lost {lost.total()}, doubled {doubled.total()}, different {int(calm != disturbed)}"
    tell(f"executors: {kills} kills, 0 pauses: {told}")
    assert kills
    assert calm == disturbed
    assert len(summaries) == 1
