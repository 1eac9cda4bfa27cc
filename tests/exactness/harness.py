"""A trial: the real command in a project of its own, disturbed, and compared with the model in the end."""

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

import psycopg
import requests

from sfmap.engine.local_org.calls import credentials

from .model import Event, Kept
from .oracle import Applied, History, Retried, Told, judge
from .trial import FIELDS, POINTING, PROJECT, SCHEMA, Fault, Leg, Trial, render, write

SECRETS = {"PASSWORD": credentials.PASSWORD, "TOKEN": credentials.SECURITY_TOKEN}
DONE = (0, 1)
EARLY = (3, 130, -signal.SIGKILL)
MOST_STARTS = 12
COMPLETE = re.compile(r"Every event up to ([\d,]+) has its outcome|No event was delivered")
REPEATED = "an event with the same messageId came before"


@dataclass
class Stage:
    """An org, and the server that forks commands."""

    folder: Path
    forks: "subprocess.Popen[str]"
    url: str
    state: str = ""
    """The URL of a PostgreSQL database for the state of each project; empty for files."""
    starts: Counter[str] = field(default_factory=Counter)
    """How the command was started, and how it ended."""

    def ask(self, **asked: object) -> dict[str, object]:
        return ask(self.forks, **asked)

    def faults(self, *faults: Fault) -> list[dict[str, object]]:
        """Sets the faults, and tells how often those before have hit."""
        before = requests.get(f"{self.url}/faults", timeout=10).json()["faults"]
        answer = requests.put(f"{self.url}/faults", json={"seed": 1, "faults": faults}, timeout=10)
        assert answer.status_code == 200, answer.text
        return list(before)

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.folder / "org.db", timeout=30, isolation_level=None)
        connection.create_function(
            "fold", 1, lambda text: text.casefold() if isinstance(text, str) else text, deterministic=True
        )
        try:
            yield connection
        finally:
            connection.close()

    def reset(self) -> None:
        """An org without records, and without faults."""
        self.faults()
        with self.database() as connection:
            for name in FIELDS:
                connection.execute(f"DELETE FROM {name}")

    def project(self, trial: Trial, name: str = "project") -> Path:
        """An empty project with the trial's mappings."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "mappings").mkdir(parents=True)
        for table in trial.tables:
            (folder / "mappings" / f"{table.name}.yaml").write_text(render(table))
        use = json.dumps([table.name for table in trial.tables])
        named: dict[str, object] = {
            "url": self.url, "username": credentials.USERNAME, "call_limit": trial.call_limit,
            "repeats": 7 if trial.stream == "all" else 0, "batch_size": trial.batch_size,
        }  # fmt: skip
        (folder / "sfmap.yaml").write_text(PROJECT.format(use=use, **named) + self._new_state())
        write(folder / "a.ndjson", trial.events, trial.shape)
        write(folder / "b.ndjson", trial.others, trial.shape)
        return folder

    def _new_state(self) -> str:
        """The line of sfmap.yaml for an empty state."""
        if not self.state:
            return ""
        with psycopg.connect(self.state, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS trial CASCADE")
            connection.execute("CREATE SCHEMA trial")
        return f"state: {self.state}?options=-csearch_path%3Dtrial\n"

    def run(self, trial: Trial, leg: Leg) -> int | str:
        """The command's exit code."""
        folder = self.folder / "project"
        if leg.pause:
            time.sleep(leg.pause)
        name = f"{leg.file}.ndjson" if leg.file != "-" else "-"
        if leg.retry:
            argv = ["retry", "--org", "org", "--results", "retried.results"]
        else:
            argv = ["run", name, "--org", "org", "--results", f"{leg.file}.results"]
        argv += ["--connections", str(trial.connections), "--report", "report.json"]
        argv += ["--bulk", leg.bulk or trial.bulk]
        argv += ["--max-calls", str(leg.max_calls)] if leg.max_calls else []
        argv += ["--restart"] if leg.restart else []
        stdin = str(folder / "a.ndjson") if leg.file == "-" else ""
        if leg.faults:
            self.faults(*leg.faults)
        code = self.ask(
            cwd=str(folder), argv=argv, env=SECRETS, stdin=stdin, plug=leg.plug, clock=leg.clock,
            window=trial.window, in_order=trial.is_read_in_order, fewest=trial.fewest,
        )["code"]  # fmt: skip
        if leg.faults:
            self.faults()
        assert isinstance(code, int | str)
        self.starts[str(code)] += 1
        if code == -signal.SIGKILL and self._is_finished(leg):
            return 0
        if code not in (*DONE, *EARLY):
            raise Failure(f"a run ended with {code}: {said(folder)}")
        return code

    def _is_finished(self, leg: Leg) -> bool:
        """Whether the run had done everything when it was killed: then the same command would begin again."""
        source = "dead letters" if leg.retry else json.dumps([self._source(leg)])
        return (source, 1) in self._sources()

    def _sources(self) -> Sequence[tuple[str, int]]:
        """Each source with whether it has finished; none if the journal has no tables yet."""
        query = "SELECT source, finished FROM sources"
        if self.state:
            with psycopg.connect(self.state) as shared, suppress(psycopg.errors.UndefinedTable):
                shared.execute("SET search_path TO trial")
                return shared.execute(query).fetchall()
            return []
        journal = self.folder / "project" / ".sfmap" / "journal.db"
        with closing(sqlite3.connect(journal)) as connection, suppress(sqlite3.OperationalError):
            return connection.execute(query).fetchall()
        return []

    def _source(self, leg: Leg) -> str:
        return "-" if leg.file == "-" else str(self.folder / "project" / f"{leg.file}.ndjson")

    def said(self) -> str:
        file = self.folder / "project" / "said.txt"
        return file.read_text() if file.exists() else ""

    def told(self, name: str) -> tuple[Told, ...]:
        """The outcomes in a file of results."""
        file = self.folder / "project" / f"{name}.results"
        return tuple(map(json.loads, file.read_text().splitlines())) if file.exists() else ()

    def play(self, trial: Trial) -> list[str]:
        """What differs from the model in the end."""
        self.reset()
        self.project(trial)
        try:
            histories = _retried(self, trial, _streamed(self, trial) if trial.stream else _delivered(self, trial))
        except Failure as failure:
            return [str(failure)]
        time.sleep(trial.latest)
        return judge(trial, histories, self.records())

    def records(self) -> dict[str, list[Kept]]:
        """What the org holds, oldest first."""
        found: dict[str, list[Kept]] = {}
        by_id: dict[str, Kept] = {}
        with self.database() as connection:
            for name, fields in FIELDS.items():
                columns = ", ".join(("Id", "IsDeleted", *fields))
                rows = connection.execute(f"SELECT {columns} FROM {name} ORDER BY sfmap_number").fetchall()
                found[name] = []
                for number, (record_id, deleted, *values) in enumerate(rows):
                    given = {key: value for key, value in zip(fields, values, strict=True) if value is not None}
                    record = Kept(number, given, bool(deleted))
                    found[name].append(record)
                    by_id[record_id] = record
        for records in found.values():
            for record in records:
                for key in POINTING:
                    if key in record.fields:
                        record.fields[key] = by_id[str(record.fields[key])]
        return found


class Failure(Exception):
    """A command ended as none should."""


@dataclass
class _Deliveries:
    """The files that are delivered, and what may have become of them so far."""

    stage: Stage
    trial: Trial
    contents: dict[str, tuple[Event, ...]]
    histories: list[History] = field(default_factory=lambda: [()])
    over: set[str] = field(default_factory=set)
    is_begun: bool = False
    """Whether the file `a` is delivered in part."""
    is_changed: bool = False
    """Whether outcomes of other events may stand beside those of the file `a`, under the same lines."""
    parts: list[tuple[History, int]] = field(default_factory=lambda: [((), 0)])
    """What was delivered of the file `a` that counts no more, and the place from where it goes on."""

    def play(self, leg: Leg) -> None:
        if leg.file in self.over and not leg.restart:  # else a finished file would be delivered again
            return
        if leg.now or leg.restart:
            self._begin_again(leg)
        events = self.contents[leg.file][: leg.events or None]
        write(self.stage.folder / "project" / f"{leg.file}.ndjson", events, self.trial.shape)
        code = self.stage.run(self.trial, leg)
        if leg.file == "a":
            self.is_begun = code in EARLY
        if code in DONE:
            self._finish(leg.file, events)

    def _begin_again(self, leg: Leg) -> None:
        new = leg.now or self.contents["a"]
        if self.is_begun:
            self.parts = list(_parts(self.trial, self.contents["a"], new, leg.restart))
        self.contents["a"] = new
        self.over.discard("a")
        self.is_changed = self.is_changed or bool(leg.now)
        self.is_begun = False

    def _finish(self, file: str, events: tuple[Event, ...]) -> None:
        told = None if self.is_changed else self.stage.told(file)
        parts = self.parts if file == "a" else [((), 0)]
        self.histories = [
            (*history, *steps, Applied(events[after:], told))
            for history in self.histories
            for steps, after in parts
        ]
        if file == "a":
            self.parts = [((), 0)]
        if events == self.contents[file]:
            self.over.add(file)


def _parts(
    trial: Trial, old: Sequence[Event], new: Sequence[Event], is_restarted: bool
) -> Iterator[tuple[History, int]]:
    """How far the old events may have come, each with the place from where the new ones go on.

    Only where each event has a window of its own: in a larger one they do not come one after the other.
    """
    names = [table.name for table in trial.tables]
    some = [chosen for count in range(len(names) + 1) for chosen in combinations(names, count)]
    for number in range(len(old) + 1):
        done = Applied(tuple(old[:number]))
        is_same = not is_restarted and tuple(new[:number]) == done.events
        following = tuple(old[number : number + 1])
        if is_same and following == tuple(new[number : number + 1]):
            yield (done,), number
            continue
        for chosen in some if following else [()]:
            yield (done, Applied(following, None, chosen)), number if is_same else 0


def _delivered(stage: Stage, trial: Trial) -> list[History]:
    """Delivers the files, each until its run comes to its end."""
    deliveries = _Deliveries(stage, trial, {"a": trial.events, "b": trial.others})
    to_the_end = [Leg(file=file) for file in trial.files for _ in range(MOST_STARTS)]
    for leg in (*trial.legs, *to_the_end):
        deliveries.play(leg)
    if len(deliveries.over) < len(trial.files):
        raise Failure("it never ended")
    return deliveries.histories


def _streamed(stage: Stage, trial: Trial) -> list[History]:
    """Sends the events by standard input, and after an early end what is to be sent again."""
    events = tuple({**event, "messageId": f"m{line}"} for line, event in enumerate(trial.events, 1))
    rest = events
    told: dict[tuple[int, object], list[Told]] = {}
    for leg in (*trial.legs, *[Leg()] * MOST_STARTS):
        write(stage.folder / "project" / "a.ndjson", rest, trial.shape if rest else "lines")
        before = len(stage.said())
        code = stage.run(trial, replace(leg, file="-"))
        _add_told(trial, told, stage.told("-"))
        if code in DONE:
            return [(Applied(events, tuple(one for outcomes in told.values() for one in outcomes)),)]
        if trial.stream == "rest":
            rest = rest[_complete_to(stage.said()[before:]) :]
    raise Failure("it never ended")


def _add_told(trial: Trial, told: dict[tuple[int, object], list[Told]], outcomes: Sequence[Told]) -> None:
    """An event's line is that of the whole stream. What was told before a kill may be told again."""
    new: dict[tuple[int, object], list[Told]] = {}
    for outcome in outcomes:
        line = int(str(outcome["messageId"])[1:])
        if outcome["reason"] != REPEATED:
            new.setdefault((line, outcome["mapping"]), []).append({**outcome, "line": line})
    for place, ones in new.items():
        if trial.stream == "all" and place in told:
            continue
        told.setdefault(place, []).extend(ones)


def _complete_to(words: str) -> int:
    """Up to which event of the stream all is done, by what sfmap says as it ends early."""
    found = COMPLETE.search(words)
    if not found:
        raise Failure(f"it does not say how far it came: {words}")
    return int((found[1] or "0").replace(",", ""))


def _retried(stage: Stage, trial: Trial, histories: list[History]) -> list[History]:
    """Delivers the dead letters again, if the trial does."""
    if not trial.retries:
        return histories
    is_disturbed = False
    for leg in (*trial.retries, *[Leg(retry=True)] * MOST_STARTS):
        if stage.run(trial, leg) in DONE:
            told = None if is_disturbed else stage.told("retried")
            return [(*history, Retried(None, told)) for history in histories]
        is_disturbed = True
        histories = [(*one, Retried(count)) for one in histories for count in range(_most_letters(one) + 1)]
    raise Failure("the retry never ended")


def _most_letters(history: History) -> int:
    return sum(
        outcome["outcome"] == "failed"
        for step in history
        if isinstance(step, Applied)
        for outcome in step.told or ()
    )


def ask(forks: "subprocess.Popen[str]", **asked: object) -> dict[str, object]:
    assert forks.stdin
    assert forks.stdout
    forks.stdin.write(json.dumps(asked) + "\n")
    forks.stdin.flush()
    answer: dict[str, object] = json.loads(forks.stdout.readline())
    return answer


@contextmanager
def stage(
    folder: Path, schema: str = SCHEMA, server: str = "sfmap.tests.exactness.forks", state: str = ""
) -> Iterator[Stage]:
    """An org with that schema, and the server of commands in that module."""
    (folder / "schema.yaml").write_text(schema)
    with (folder / "forks.txt").open("w") as said_there:
        forks = subprocess.Popen(
            [sys.executable, "-P", "-m", server],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said_there, text=True,
        )  # fmt: skip
        try:
            paths = {"database": folder / "org.db", "schema": folder / "schema.yaml"}
            answer = ask(forks, org={name: str(path) for name, path in paths.items()})
            yield Stage(folder, forks, str(answer["url"]), state)
        finally:
            assert forks.stdin
            forks.stdin.close()
            forks.wait(10)


def said(folder: Path) -> str:
    return (folder / "said.txt").read_text()[-500:]
