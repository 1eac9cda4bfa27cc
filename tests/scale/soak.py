"""Nodes that share a state, disturbed for a quarter of an hour: part of `make scale`, not of the suite.

`SFMAP_KILLS` and `SFMAP_PAUSES` say how many at least.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from ..exactness.harness import stage
from ..exactness.soak import classes
from ..postgres import running_postgres
from .playing import NODE_SERVER, draw_cluster_trial, play

KILLS = int(os.environ.get("SFMAP_KILLS", "70"))
PAUSES = int(os.environ.get("SFMAP_PAUSES", "20"))
FIRST_SEED = int(os.environ.get("SFMAP_SEED", "1000"))
WORKERS = 3
MIXED = (
    ("kill", "kill", "stop", "kill"),
    ("kill", "restart", "kill", "kill"),
    ("stop", "kill", "fault", "kill"),
    ("hang", "kill", "kill", "stop"),
)
"""What disturbs each trial, in turn."""


@dataclass
class _Tally:
    """What came of the trials so far. Thread-safe."""

    done: Counter[str] = field(default_factory=Counter)
    failed: dict[int, list[str]] = field(default_factory=dict)
    seeds: Iterator[int] = field(default_factory=lambda: count(FIRST_SEED))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next_seed(self) -> int | None:
        with self.lock:
            is_enough = self.done["kills"] >= KILLS and self.done["pauses"] >= PAUSES
            return None if is_enough or self.failed else next(self.seeds)

    def add(self, seed: int, wrong: list[str], done: Counter[str]) -> None:
        with self.lock:
            self.done += done + Counter(classes(wrong)) + Counter(trials=1)
            if wrong:
                self.failed[seed] = wrong

    def __str__(self) -> str:
        """Restarts and hangs are those of the database."""
        done = self.done
        disturbed = ", ".join(f"{done[what]} {what}" for what in ("kills", "pauses", "restarts", "hangs"))
        wrong = ", ".join(f"{what} {done[what]}" for what in ("lost", "doubled", "different"))
        return f"SCALE nodes: {disturbed}: {wrong} ({done['trials']} trials, {done['events']:,} events)"


def _work(folder: Path, tally: _Tally) -> None:
    folder.mkdir()
    with running_postgres("log_statement=none") as postgres, stage(folder, server=NODE_SERVER) as ready:
        while (seed := tally.next_seed()) is not None:
            trial = draw_cluster_trial(seed, 2 + seed % 2, MIXED[seed % len(MIXED)])
            tally.add(seed, *play(ready, trial, postgres.new_database(), postgres))


def test_soak(tmp_path: Path) -> None:
    tally = _Tally()
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(_work, [tmp_path / str(worker) for worker in range(WORKERS)], [tally] * WORKERS):
            pass  # what went wrong there is raised here
    print(f"\n{tally}")  # noqa: T201
    assert tally.failed == {}
