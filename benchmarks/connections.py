"""How full `sfmap run` keeps its connections to an org whose calls take their time.

    python benchmarks/connections.py [IDENTITIES]

The local org plays the fault `slow` on each write and query. The ceiling is what so many connections can deliver
in calls of 200 records that take the same times, and what the org itself takes, if each begins the next call as
soon as it has the answer to the last. Where this machine cannot do as much, measured with an org that is not
slow, its own speed is the ceiling. Counted is the time from the last call before the first write to the answer to
the last one: starting and signing in are measured elsewhere.
"""

import heapq
import sys
from collections.abc import Iterator
from datetime import datetime
from statistics import fmean
from typing import NamedTuple

import requests
from beside import Project, project_beside

from sfmap.engine.local_org.faults.fault_plan import read_fault_plan
from sfmap.engine.yaml_files.diagnostics import Source

IDENTITIES = 50_000
CONNECTIONS = (4, 10, 25)
TIMES = ("1", "0.2", "[0.2, 3]")
"""Seconds of a call, the same for each or anywhere between two."""
_WRITES, _QUERIES = "create, update, upsert", "query"
_PLAN = (
    "seed: 7\nfaults:\n- {{kind: slow, calls: [{}], seconds: {}}}\n- {{kind: slow, calls: [{}], seconds: {}}}\n"
)


class Use(NamedTuple):
    seconds: str
    connections: int
    speed: float
    """Records a second."""
    org: float
    """The ceiling of so many connections to this org, in records a second."""
    machine: float
    """What this machine delivers into an org that is not slow."""
    busy: float
    """The share of the connections' time in which a call was under way."""

    @property
    def share(self) -> float:
        """Of the lower one of both ceilings."""
        return self.speed / min(self.org, self.machine)


def main(identities: int = IDENTITIES) -> Iterator[Use]:
    machine = max(
        _delivered("0", connections, identities).speed for connections in (CONNECTIONS[0], CONNECTIONS[-1])
    )
    for seconds in TIMES:
        for connections in CONNECTIONS:
            use = _delivered(seconds, connections, identities)
            machine = max(machine, use.speed)
            yield use._replace(machine=machine)


def _delivered(seconds: str, connections: int, identities: int) -> Use:
    plan = _PLAN.format(_WRITES, seconds, _QUERIES, seconds)
    with project_beside(identities, faults=plan) as project:
        project.deliver("--connections", str(connections))
        assert project.report()["created"] == identities
        taken = _seconds(project)
        writes, queries = _slow(project, plan)
        own = _own_time(project)
    org = (
        identities / needed
        if (needed := _shortest([slow + own for slow in writes], connections))
        else float("inf")
    )
    busy = (sum(writes) + sum(queries)) / taken / connections
    return Use(seconds, connections, identities / taken, org, float("inf"), busy)


def _shortest(times: list[float], connections: int) -> float:
    """Seconds for calls of these times, each begun by the connection that is free first."""
    free = [0.0] * connections
    for time in times:
        heapq.heapreplace(free, free[0] + time)
    return max(free)


def _seconds(project: Project) -> float:
    """From the last call before the first write or query to the last write."""
    calls = project.calls()
    writes = [number for number, call in enumerate(calls) if call["fault"]]
    first, last = (datetime.fromisoformat(str(calls[number]["at"])) for number in (writes[0] - 1, writes[-1]))
    return (last - first).total_seconds()


def _own_time(project: Project) -> float:
    """Seconds that the org itself takes for a write, on average."""
    return fmean(float(str(call["milliseconds"])) for call in project.calls() if call["records"]) / 1_000


def _slow(project: Project, plan: str) -> list[list[float]]:
    """How long each write, and each query, was kept waiting: the same plan draws the same numbers again."""
    again = read_fault_plan(Source("faults.yaml", plan))
    played = requests.get(f"{project.org.url}/faults", timeout=60).json()["faults"]
    return [
        [fault.seconds for _ in range(rule["struck"]) if (fault := again.fault_for(operation))]
        for rule, operation in zip(played, ("create", "query"), strict=True)
    ]


if __name__ == "__main__":
    for use in main(*map(int, sys.argv[1:])):
        sys.stdout.write(
            f"{use.seconds:>8} s, {use.connections:>2} connections: {use.speed:>6,.0f} records/s of"
            f" {use.org:,.0f} (org) and {use.machine:,.0f} (machine): {use.share:.0%}; busy {use.busy:.0%}\n"
        )
        sys.stdout.flush()
