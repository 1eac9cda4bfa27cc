"""Nodes of `sfmap serve` that share a state: who delivers, what others do meanwhile, and how they change turns."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from ..exactness.harness import SECRETS, Stage
from ..exactness.model import Rule, Table
from ..exactness.trial import Fault, Trial
from ..folder import SFMAP
from ..postgres import Postgres
from .cluster import Node, running_nodes, wait_for
from .playing import draw_cluster_trial, play

# No key that the org knows: only sfmap keeps a lead from being created twice.
LEAD = Table(
    "lead",
    "identify",
    "Lead",
    (Rule("LastName", "name"), Rule("Company", value="Acme")),
    (("LastName", "Company"),),
)
REFUSED: Fault = {
    "kind": "record_error",
    "calls": ["create", "upsert"],
    "code": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
}


@contextmanager
def two_nodes(stage: Stage, postgres: Postgres) -> Iterator[tuple[Node, Node]]:
    """The one that delivers, and the other."""
    stage.reset()
    with ExitStack() as stack:
        state = postgres.new_database()
        trial = Trial((LEAD,), (), call_limit=1.0)
        nodes = stack.enter_context(running_nodes(stage, 2, trial, state, "--linger", "0"))
        yield who_delivers(nodes[0], nodes[1])


@pytest.fixture
def nodes(the_stage: Stage, postgres: Postgres) -> Iterator[tuple[Node, Node]]:
    with two_nodes(the_stage, postgres) as both:
        yield both


def who_delivers(*nodes: Node) -> tuple[Node, Node]:
    found = wait_for(lambda: [node for node in nodes if node.metric("sfmap_delivering")], 60)
    return found[0], next(node for node in nodes if node is not found[0])


def send(node: Node, name: str) -> requests.Response:
    body = {"writeKey": "any", "traits": {"name": name}, "messageId": name}
    return requests.post(f"{node.url}/v1/identify", json=body, timeout=60)


def pull(stage: Stage, point: str) -> None:
    """Stops the first node that comes to the point."""
    (stage.folder / "plug.json").write_text(json.dumps([point, 1, signal.SIGSTOP]))


def leads(stage: Stage) -> list[str]:
    return sorted(str(one.fields["LastName"]) for one in stage.records()["Lead"])


def delivered(stage: Stage, *names: str) -> bool:
    return wait_for(lambda: leads(stage) == list(names), 60)


def test_one_node_delivers_what_any_accepts(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    assert send(first, "a").status_code == send(second, "b").status_code == 200
    assert delivered(the_stage, "a", "b")
    assert [node.metric("sfmap_delivering") for node in nodes] == [1, 0]
    assert wait_for(lambda: first.metric('sfmap_outcomes_total{outcome="created"}') == 2, 60)
    assert [requests.get(f"{node.url}/readyz", timeout=10).status_code for node in nodes] == [200, 200]


def test_another_node_takes_over_from_one_that_dies(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    first.send(signal.SIGKILL)
    assert wait_for(first.has_ended, 10)
    send(second, "a")
    assert delivered(the_stage, "a")
    assert "Delivering to the org" in second.said()


def test_another_node_takes_over_from_one_that_stops_well(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    first.stop()
    send(second, "a")
    assert delivered(the_stage, "a")


def test_a_node_that_hangs_keeps_nobody_from_accepting(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    """It is stopped while it has the lock under which events are added."""
    first, second = nodes
    pull(the_stage, "in append")
    with pytest.raises(requests.Timeout):
        requests.post(f"{second.url}/v1/identify", json={"writeKey": "any", "traits": {}}, timeout=1)
    assert wait_for(second.is_stopped, 10)
    assert send(first, "a").status_code == 200
    second.send(signal.SIGCONT)
    assert delivered(the_stage, "a")


def test_a_node_that_freezes_before_a_call_does_not_send_it_when_it_wakes(
    the_stage: Stage, nodes: tuple[Node, Node]
) -> None:
    """Another node has delivered the event by then, and both would have found no lead."""
    first, second = nodes
    pull(the_stage, "about to send")
    send(second, "a")
    assert wait_for(first.is_stopped, 60)
    assert delivered(the_stage, "a")
    first.send(signal.SIGCONT)
    assert wait_for(lambda: "This node stops delivering" in first.said(), 60)
    send(first, "b")
    assert delivered(the_stage, "a", "b"), (leads(the_stage), first.said(), second.said())


def test_a_run_gets_the_lease_between_two_windows(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    (second.folder / "more.ndjson").write_text('{"type": "identify", "traits": {"name": "b"}}\n')
    done = subprocess.run(
        [SFMAP, "run", "more.ndjson", "--org", "org"],
        cwd=second.folder, env=SECRETS, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    send(second, "a")
    assert delivered(the_stage, "a", "b")
    assert who_delivers(first, second)


@pytest.mark.parametrize("by", ["signal", "page"])
def test_a_retry_requested_on_any_node_is_done(the_stage: Stage, nodes: tuple[Node, Node], by: str) -> None:
    first, second = nodes
    the_stage.faults(REFUSED)
    send(first, "a")
    assert wait_for(lambda: first.metric('sfmap_outcomes_total{outcome="failed"}') == 1, 60)
    the_stage.faults()
    if by == "signal":
        second.send(signal.SIGUSR1)
    else:
        page = requests.get(f"{second.url}/", timeout=10).text
        token = re.search(r'name="token" value="([^"]+)"', page)
        assert token
        requests.post(f"{second.url}/retry", {"token": token[1], "number": "0"}, timeout=10)
    assert delivered(the_stage, "a")
    assert wait_for(lambda: "Dead letters retried: 1, failed again: 0" in first.said(), 60)


def test_a_retry_outlives_the_node_that_was_asked(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    """The org was away, and the node was stopped: the next one finds the wish in the journal."""
    first, second = nodes
    the_stage.faults(REFUSED)
    send(first, "a")
    assert wait_for(lambda: first.metric('sfmap_outcomes_total{outcome="failed"}') == 1, 60)
    the_stage.faults({"kind": "server_unavailable"})
    first.send(signal.SIGUSR1)
    assert wait_for(lambda: "delivery starts again" in first.said(), 60)
    first.stop()
    the_stage.faults()
    assert delivered(the_stage, "a")
    assert wait_for(lambda: "Dead letters retried: 1, failed again: 0" in second.said(), 60)


def test_a_database_that_is_away_is_waited_for(
    the_stage: Stage, nodes: tuple[Node, Node], postgres: Postgres
) -> None:
    first, second = nodes
    postgres.stop()
    try:
        answers = [send(node, "a") for node in nodes]
        assert [(one.status_code, one.headers["Retry-After"]) for one in answers] == [(503, "30")] * 2
        assert wait_for(
            lambda: all(requests.get(f"{node.url}/readyz", timeout=10).status_code == 503 for node in nodes), 60
        )
        assert requests.get(f"{first.url}/", timeout=10).status_code == 200
    finally:
        postgres.start()
    assert wait_for(lambda: send(second, "a").status_code == 200, 60)
    assert delivered(the_stage, "a")
    assert wait_for(lambda: all(node.metric("sfmap_state_up") for node in nodes), 60)


def test_every_page_shows_all_nodes(the_stage: Stage, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    send(second, "a")
    assert delivered(the_stage, "a")

    def rows(node: Node) -> list[list[str]]:
        page = requests.get(f"{node.url}/counts", timeout=10).text
        table = page.partition("<h2>Nodes</h2>")[2].partition("</table>")[0]
        return [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table.split("<tr>")[2:]]

    def counted() -> bool:
        return all(sorted(row[2:4] for row in rows(node)) == [["0", "1"], ["1", "0"]] for node in nodes)

    assert wait_for(counted, 60), [rows(node) for node in nodes]
    for node in nodes:
        assert [bool(row[1]) for row in rows(node)].count(True) == 1
        assert [row[0] for row in rows(node) if "this page" in row[0]] != []
    second.stop()
    assert wait_for(lambda: len(rows(first)) == 1, 60)


def test_every_page_shows_the_same_history_and_which_node_delivers(
    the_stage: Stage, nodes: tuple[Node, Node]
) -> None:
    first, second = nodes
    send(second, "a")
    assert delivered(the_stage, "a")

    def page(node: Node) -> str:
        return requests.get(f"{node.url}/?tab=events", timeout=10).text

    assert wait_for(lambda: all("1 outcome<" in page(node) for node in nodes), 60), [page(node) for node in nodes]
    assert "This node accepts events." not in page(first)
    assert "This node accepts events." in page(second)
    first.stop()
    send(second, "b")
    assert wait_for(lambda: "2 outcomes<" in page(second), 60), page(second)
    assert "This node accepts events." not in page(second)


def test_a_page_says_so_while_the_database_is_away(
    the_stage: Stage, nodes: tuple[Node, Node], postgres: Postgres
) -> None:
    first, _ = nodes
    postgres.stop()
    try:
        for node in nodes:
            page = requests.get(f"{node.url}/?tab=events", timeout=60).text
            assert "Nothing failed" not in page
            assert "What failed is not known now." in page
            assert "No events yet" not in page
            assert requests.get(f"{node.url}/?event=1", timeout=60).status_code == 200
    finally:
        postgres.start()
    assert wait_for(lambda: "Nothing failed" in requests.get(f"{first.url}/", timeout=60).text, 60)


def test_a_node_has_the_name_that_it_is_given(the_stage: Stage, postgres: Postgres) -> None:
    state = postgres.new_database()
    with running_nodes(the_stage, 1, Trial((LEAD,), ()), state, "--node", "events-1") as (node,):
        assert wait_for(lambda: "events-1" in requests.get(f"{node.url}/counts", timeout=10).text, 60)


@pytest.mark.parametrize(
    ("seed", "count", "kinds"),
    [
        (1, 2, ["kill", "stop", "kill"]),
        pytest.param(2, 3, ["kill", "restart", "kill"], marks=pytest.mark.soak),
    ],
)
def test_disturbed_nodes_end_as_the_model_does(
    the_stage: Stage, postgres: Postgres, seed: int, count: int, kinds: list[str]
) -> None:
    trial = draw_cluster_trial(seed, count, kinds)
    wrong, done = play(the_stage, trial, postgres.new_database(), postgres)
    assert wrong == []
    assert done["kills"] >= 1
