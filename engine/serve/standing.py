"""What the operator's page says of the service as a whole: whether events are delivered, by whom, and why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.serve.metrics import NOT_ASKED_YET, Metrics
from sfmap.engine.serve.node_list import NodeLine, node_lines


@dataclass(frozen=True, slots=True)
class ServedOrg:
    """The org that the service delivers to, by its name in sfmap.yaml."""

    name: str
    is_default: bool

    @property
    def title(self) -> str:
        return "the local org" if self.name == LOCAL else self.name

    @property
    def option(self) -> str:
        """What commands need to mean this org."""
        return "" if self.is_default else f" --org {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    kind: Literal["ok", "warn", "bad"]
    words: str
    """For the chip in the header."""
    trouble: str = ""
    """Why nothing is delivered."""
    nodes: Sequence[NodeLine] = ()
    deliverer: str = ""
    """The node that delivers, where there are several."""
    is_own: bool = True
    """Whether this process delivers."""
    org: str

    @property
    def is_delivered(self) -> bool:
        return self.kind == "ok"


def standing(metrics: Metrics, nodes: Nodes | None, org: ServedOrg, key: str | None) -> Standing:
    """Never raises: a state out of reach is part of it."""
    if metrics.state_trouble:
        return Standing(kind="bad", words="Journal out of reach", trouble=metrics.state_trouble, org=org.title)
    try:
        lines = list(node_lines(nodes, key or "")) if nodes else []
    except JournalFailed as error:
        return Standing(kind="bad", words="Journal out of reach", trouble=str(error), org=org.title)
    deliverer = next((line.name for line in lines if line.delivers), "")
    own = metrics.is_delivering or not nodes
    if deliverer and not own:
        return Standing(
            kind="ok",
            words=f"{deliverer} delivers to {org.title}",
            nodes=lines,
            deliverer=deliverer,
            is_own=False,
            org=org.title,
        )
    common = {"nodes": lines, "deliverer": deliverer, "org": org.title}
    if metrics.trouble == NOT_ASKED_YET:
        return Standing(kind="warn", words=f"Not yet in touch with {org.title}", trouble=metrics.trouble, **common)  # type: ignore[arg-type]
    if metrics.trouble:
        return Standing(kind="bad", words="Events wait", trouble=metrics.trouble, **common)  # type: ignore[arg-type]
    if nodes and not deliverer:
        words = "No node delivers at the moment."
        return Standing(kind="bad", words="Events wait", trouble=words, **common)  # type: ignore[arg-type]
    return Standing(kind="ok", words=f"Delivering to {org.title}", **common)  # type: ignore[arg-type]
