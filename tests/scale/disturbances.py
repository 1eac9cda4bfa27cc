"""What disturbs nodes: kills and stops at some point, faults of the org, a database that restarts."""

import json
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from ..exactness.drawing import PASSING, draw_fault
from ..exactness.harness import Stage
from ..exactness.model import Table
from ..exactness.trial import LOSSES, Fault
from ..postgres import Postgres
from .cluster import Node, wait_for

LEASE_SECONDS = 18.0
"""Longer than a node that does not run may keep its lease."""
_REACHED_SECONDS = 6.0
"""How long to wait for a node to come to a point."""
STOPPED_AT = (
    "before noting", "in noting", "noted", "about to send", "in call", "after call", "in append", "appended",
)  # fmt: skip
"""Not from the check of the lease to the end of sending: there a node must not be stopped for longer than a write
is in doubt, as the documentation says."""
KILLED_AT = ("before call", *STOPPED_AT)


@dataclass(frozen=True)
class Disturbance:
    kind: Literal["kill", "stop", "restart", "hang", "fault"]
    point: str = ""
    """Empty for any moment."""
    number: int = 1
    """At the how many-th of these points."""
    seconds: float = 0.0
    """How long a node stays dead or stopped."""
    kills_another: bool = False
    """Whether another node is killed while one is stopped."""
    faults: tuple[Fault, ...] = ()
    """Of the org, meanwhile."""

    @property
    def is_anywhere(self) -> bool:
        """Whether a node is stopped for long without regard to what it does."""
        return self.kind == "stop" and not self.point and self.seconds >= LEASE_SECONDS


def draw_disturbance(dice: Random, kind: str, tables: Sequence[Table]) -> Disturbance:
    faults: tuple[Fault, ...] = ()
    if kind == "fault" or dice.random() < 0.3:
        faults = (draw_fault(dice, tables, dice.choice((*LOSSES, *PASSING))),)
    if kind == "kill":
        point = dice.choice((*KILLED_AT, ""))
        return Disturbance("kill", point, dice.randint(1, 8), dice.choice((0.0, 0.0, 2.5)), faults=faults)
    if kind == "stop":
        point = dice.choice((*STOPPED_AT, "about to send", ""))
        seconds = dice.choice((3.0, LEASE_SECONDS, LEASE_SECONDS))
        is_two = seconds == LEASE_SECONDS and dice.random() < 0.3
        return Disturbance("stop", point, dice.randint(1, 8), seconds, is_two, faults)
    if kind == "slow":
        faults = ({"kind": "slow", "calls": ["create", "upsert", "update"], "seconds": 0.3},)
    if kind == "restart":
        return Disturbance("restart", seconds=dice.choice((0.0, 3.0)), faults=faults)
    if kind == "hang":
        return Disturbance("hang", seconds=dice.choice((3.0, 12.0)), faults=faults)
    return Disturbance("fault", faults=faults)


@dataclass
class Disturber:
    """Disturbs the nodes of a trial, and counts what it did."""

    stage: Stage
    nodes: Sequence[Node]
    dice: Random
    database: Postgres | None
    done: Counter[str] = field(default_factory=Counter)

    def disturb(self, what: Disturbance) -> None:
        if what.faults:
            self.stage.faults(*what.faults)
        if what.kind == "restart":
            assert self.database
            self.database.restart(what.seconds)
            self.done["restarts"] += 1
        elif what.kind == "hang":
            assert self.database
            self.database.hang(what.seconds)
            self.done["hangs"] += 1
        elif what.kind == "kill":
            self._kill(what)
        elif what.kind == "stop":
            self._stop(what)
        else:
            time.sleep(2)

    def calm(self) -> None:
        """No more faults, and all nodes run."""
        self.stage.faults()
        (self.stage.folder / "plug.json").unlink(missing_ok=True)
        for node in self.nodes:
            if node.is_stopped():
                self._go_on(node)
            if node.has_ended():
                self._count_kill(node)

    def _kill(self, what: Disturbance) -> None:
        if what.point:
            self._plug(what, signal.SIGKILL)
            dead = wait_for(lambda: [node for node in self.nodes if node.has_ended()], _REACHED_SECONDS)
        else:
            time.sleep(self.dice.uniform(0.05, 0.5))
            dead = [self._kill_any(self.nodes)]
        (self.stage.folder / "plug.json").unlink(missing_ok=True)
        time.sleep(what.seconds)
        for node in dead:
            self._count_kill(node)

    def _kill_any(self, nodes: Sequence[Node]) -> Node:
        """One of them; more often the one that delivers."""
        node = next((one for one in nodes if one.metric("sfmap_delivering")), self.dice.choice(nodes))
        if self.dice.random() < 0.3:
            node = self.dice.choice(nodes)
        node.send(signal.SIGKILL)
        wait_for(node.has_ended, 10)
        return node

    def _count_kill(self, node: Node) -> None:
        self.done["kills"] += 1
        node.start()

    def _stop(self, what: Disturbance) -> None:
        if what.point:
            self._plug(what, signal.SIGSTOP)
            stopped = wait_for(lambda: [node for node in self.nodes if node.is_stopped()], _REACHED_SECONDS)
            (self.stage.folder / "plug.json").unlink(missing_ok=True)
        else:
            time.sleep(self.dice.uniform(0.05, 0.5))
            stopped = [next((one for one in self.nodes if one.metric("sfmap_delivering")), self.nodes[0])]
            stopped[0].send(signal.SIGSTOP)
        if not stopped:
            return
        time.sleep(what.seconds)
        others = [node for node in self.nodes if node not in stopped]
        dead = [self._kill_any(others)] if what.kills_another and others else []
        for node in stopped:
            self._go_on(node)
        for node in dead:
            self._count_kill(node)

    def _go_on(self, node: Node) -> None:
        self.done["pauses"] += 1
        node.send(signal.SIGCONT)

    def _plug(self, what: Disturbance, by: int) -> None:
        plug = self.stage.folder / "plug.json"
        plug.with_suffix(".new").write_text(json.dumps([what.point, what.number, by]))
        plug.with_suffix(".new").rename(plug)
