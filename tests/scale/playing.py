"""Trials of several nodes: drawn by a seed, played, and compared with the model."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import psycopg

from ..exactness.drawing import draw_streams
from ..exactness.harness import Failure, Stage
from ..exactness.oracle import Applied, judge
from ..exactness.trial import CALL_LIMIT, Trial
from ..postgres import Postgres
from .cluster import Client, Node, running_clients, running_nodes, wait_for
from .disturbances import LEASE_SECONDS, Disturbance, Disturber, draw_disturbance

NODE_SERVER = "sfmap.tests.scale.node_server"
_EVENTS = 40
"""Of each client, before those that lead to no write are left out."""
_PEOPLE = ("p", "q", "r", "s")
_WAITING = "SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM held)"
_END_SECONDS = 120.0


@dataclass(frozen=True)
class ClusterTrial:
    seed: int
    nodes: int
    streams: Sequence[Trial]
    """The events of each client; the mappings are the same."""
    batch: int
    pause: float
    """Seconds between two batches of a client."""
    window: int
    disturbances: Sequence[Disturbance]

    @property
    def connections(self) -> int:
        """One, so that none other is in the middle of a call when a node is stopped at a point."""
        return 1 if any(one.kind == "stop" for one in self.disturbances) else 4

    @property
    def call_limit(self) -> float:
        """Longer than a node may be stopped in the middle of a call."""
        return LEASE_SECONDS - 8 if any(one.is_anywhere for one in self.disturbances) else CALL_LIMIT


def draw_cluster_trial(seed: int, nodes: int, kinds: Sequence[str], window: int | None = None) -> ClusterTrial:
    dice = Random(f"nodes {seed}")
    streams = draw_streams(dice, _PEOPLE[: dice.choice((1, 2, 4))], _EVENTS)
    tables = streams[0].tables
    return ClusterTrial(
        seed,
        nodes,
        streams,
        dice.choice((1, 1, 3)),
        dice.choice((0.0, 0.05, 0.2)),
        dice.choice((0, 1, 7)) if window is None else window,
        [draw_disturbance(dice, kind, tables) for kind in kinds],
    )


def play(
    stage: Stage,
    trial: ClusterTrial,
    state: str,
    database: Postgres | None = None,
) -> tuple[list[str], Counter[str]]:
    """What differs from the model in the end, and what was done to the nodes."""
    stage.reset()
    stream = trial.streams[0]
    project = Trial(stream.tables, (), window=trial.window, call_limit=trial.call_limit, stream="all")
    options = ("--linger", "0", "--connections", str(trial.connections))
    done: Counter[str] = Counter()
    try:
        with running_nodes(stage, trial.nodes, project, state, *options) as nodes:
            disturber = Disturber(stage, nodes, Random(trial.seed), database, done)
            _play(nodes, trial, disturber, state)
    except Failure as failure:
        return [str(failure)], done
    time.sleep(0.5)  # a late commit may be under way
    events = tuple(event for one in trial.streams for event in one.events)
    done["events"] = len(events)
    return judge(project, [(Applied(events),)], stage.records()), done


def _play(nodes: Sequence[Node], trial: ClusterTrial, disturber: Disturber, state: str) -> None:
    clients = [
        Client(name, nodes, stream.events, trial.batch, trial.pause)
        for name, stream in zip(_PEOPLE, trial.streams, strict=False)
    ]
    with running_clients(clients):
        for number, disturbance in enumerate(trial.disturbances, 1):
            for client in clients:
                client.allow(number / (len(trial.disturbances) + 1))
            disturber.disturb(disturbance)
        disturber.calm()
        for client in clients:
            client.allow(1)
        if not wait_for(lambda: all(client.sent == len(client.events) for client in clients), _END_SECONDS):
            raise Failure("the clients cannot send all events")
    if failed := [client.failed for client in clients if client.failed]:
        raise Failure(failed[0])
    if not wait_for(lambda: _is_delivered(nodes, state), _END_SECONDS):
        raise Failure("it never ended:\n" + "\n".join(node.said()[-2000:] for node in nodes))
    for node in nodes:
        node.stop()


def _is_delivered(nodes: Sequence[Node], state: str) -> bool:
    if state:
        with psycopg.connect(state) as connection:
            return connection.execute(_WAITING).fetchone() == (0,)
    waiting = ("sfmap_spool_events", "sfmap_held_records")
    return all(node.metric(name) == 0 for node in nodes for name in waiting)
