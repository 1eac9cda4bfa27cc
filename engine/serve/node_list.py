"""The nodes of a service, as the page shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sfmap.engine.journal.service_nodes import Deliverer, Nodes, ServiceNode

_MISSED_SECONDS = 10.0
"""A node that has not told anything for so long may be gone."""
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeLine:
    """A line of the list; times are text."""

    name: str
    is_own: bool
    delivers: str
    """For how long; empty if it does not."""
    started: str
    seen: str
    is_missed: bool
    accepted: int
    delivered: int


def node_lines(nodes: Nodes, org: str) -> Sequence[NodeLine]:
    """All nodes for one org, by its key in the journal, and what else delivers to it. Raises `JournalFailed`."""
    deliverer = nodes.deliverer(org) if org else None
    known = nodes.all()
    lines = [_line(node, nodes.own_name, deliverer) for node in known]
    if deliverer and deliverer.name not in {node.name for node in known}:
        lines.append(
            NodeLine(
                name=f"{deliverer.name} ({deliverer.command})",
                is_own=False,
                delivers=duration(deliverer.since),
                started="",
                seen="",
                is_missed=False,
                accepted=0,
                delivered=0,
            )
        )
    return lines


def _line(node: ServiceNode, own_name: str, deliverer: Deliverer | None) -> NodeLine:
    return NodeLine(
        name=node.name,
        is_own=node.name == own_name,
        delivers=duration(deliverer.since) if deliverer and deliverer.name == node.name else "",
        started=duration(node.started),
        seen=duration(node.seen),
        is_missed=node.seen > _MISSED_SECONDS,
        accepted=node.accepted,
        delivered=node.delivered,
    )


def duration(seconds: float) -> str:
    """In its largest unit: `3 min`."""
    length, unit = next((one for one in _UNITS if seconds >= one[0]), _UNITS[-1])
    return f"{int(max(seconds, 0) // length)} {unit}"
