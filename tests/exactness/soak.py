"""Thousands of drawn streams, each disturbed; prints what came of them by operation and by disturbance.

Run by `make soak`; `SFMAP_STREAMS` says how many streams, and `SFMAP_STATE=postgresql` where the state is kept.
"""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .drawing import JOB_KINDS, KINDS, draw_bulk_trial, draw_trial, shrink
from .harness import Stage, stage
from .trial import Trial, story

STREAMS = int(os.environ.get("SFMAP_STREAMS", "2200"))
FIRST_SEED = int(os.environ.get("SFMAP_SEED", "100000"))
IN_POSTGRESQL = os.environ.get("SFMAP_STATE") == "postgresql"
WORKERS = min(4, os.cpu_count() or 1)
_BY_JOBS = "by jobs, "
MIXED = ("", *KINDS, "kill", "kill", *(_BY_JOBS + kind for kind in ("", *KINDS, *JOB_KINDS)))
"""How each stream is disturbed, in turn, and whether it is written by bulk jobs."""
FIGURES = ("streams", "events", "kills", "lost", "doubled", "different")


@dataclass
class Tally:
    """What came of some trials, by operation and by disturbance."""

    figures: dict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    failed: dict[tuple[int, str], list[str]] = field(default_factory=dict)

    def add(self, seed: int, kind: str, trial: Trial, kills: int, wrong: list[str]) -> None:
        events = Counter(str(event["type"]) for event in (*trial.events, *trial.others))
        counted = Counter({"streams": 1, "kills": kills, **classes(wrong)})
        self.figures["disturbance", kind or "none"] += counted + Counter(events=events.total())
        operations: dict[str, int] = defaultdict(int)
        for table in trial.tables:
            name = f"{table.operation} by external id" if table.external_id else table.operation
            operations[name] += events[table.event]
        for name, count in operations.items():
            self.figures["operation", name] += counted + Counter(events=count)
        if wrong:
            self.failed[seed, kind] = wrong

    def total(self) -> Counter[str]:
        return sum((count for (by, _), count in self.figures.items() if by == "disturbance"), Counter())

    def __str__(self) -> str:
        failed = [f"seed {seed}, {kind or 'undisturbed'}: {wrong}" for (seed, kind), wrong in self.failed.items()]
        return "\n\n".join([self._table("operation"), self._table("disturbance"), str(self.total()), *failed])

    def _table(self, by: str) -> str:
        """As Markdown."""
        lines = [f"| {by} | {' | '.join(FIGURES)} |", "|---|" + "---:|" * len(FIGURES)]
        rows = sorted((name, count) for (what, name), count in self.figures.items() if what == by)
        lines += [f"| {name} | {' | '.join(f'{count[one]:,}' for one in FIGURES)} |" for name, count in rows]
        return "\n".join(lines)


def classes(wrong: Iterable[str]) -> Mapping[str, int]:
    """How often a record was lost, was there too often, or something else was other than by the model."""
    found = Counter(
        "lost" if " lost: " in one else "doubled" if " too many: " in one else "different" for one in wrong
    )
    if found["lost"] and found["doubled"]:  # the same record with other fields
        both = min(found["lost"], found["doubled"])
        found += Counter(different=both)
        found -= Counter(lost=both, doubled=both)
    return found


def draw(seed: int, kind: str) -> Trial:
    """The trial of this seed, with a disturbance of `MIXED`."""
    if kind.startswith(_BY_JOBS):
        return draw_bulk_trial(seed, kind.removeprefix(_BY_JOBS))
    return draw_trial(seed, kind)


def soak(folder: Path, seeds: Iterable[int], state: str) -> Iterator[tuple[int, str, Trial, int, list[str]]]:
    """Plays the trial of each seed: its kind, the kills in it, and what is wrong."""
    folder.mkdir()
    with stage(folder, state=state) as ready:
        for seed in seeds:
            kind = MIXED[seed % len(MIXED)]
            trial = draw(seed, kind)
            before = ready.starts["-9"]
            wrong = ready.play(trial)
            yield seed, kind, trial, ready.starts["-9"] - before, wrong


def smallest(ready: Stage, trial: Trial) -> str:
    """The failing trial, made small, to be read."""
    small = shrink(trial, lambda one: bool(ready.play(one)))
    return "\n".join([*ready.play(small), story(small)])


def test_soak(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    tally = Tally()
    began = time.monotonic()
    postgres = request.getfixturevalue("postgres") if IN_POSTGRESQL else None

    def work(worker: int) -> None:
        seeds = range(FIRST_SEED + worker, FIRST_SEED + STREAMS, WORKERS)
        for played in soak(tmp_path / str(worker), seeds, postgres.new_database() if postgres else ""):
            tally.add(*played)

    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(work, range(WORKERS)):  # what went wrong there is raised here
            pass
    print(tally, f"{time.monotonic() - began:.0f} seconds", sep="\n\n")  # noqa: T201
    if tally.failed:
        (tmp_path / "again").mkdir()
        with stage(tmp_path / "again") as ready:
            raise AssertionError(smallest(ready, draw(*next(iter(tally.failed)))))
    assert tally.total()["streams"] == STREAMS
