"""Which node delivers: the turns of this one, and what it does while another has the lease."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.service_nodes import Nodes
from sfmap.engine.serve.delivery_requests import DeliveryRequests
from sfmap.engine.serve.log import Log
from sfmap.engine.serve.metrics import Metrics

POLL_SECONDS = 1.0
"""How often a node that does not deliver asks for the lease."""


class Turns:
    """For the delivery thread. Methods that tell or ask other nodes may raise `JournalFailed`."""

    def __init__(self, nodes: Nodes | None, requests: DeliveryRequests, metrics: Metrics, log: Log) -> None:
        """Without `nodes`, this one always delivers."""
        self._nodes = nodes
        self._requests = requests
        self._metrics = metrics
        self._log = log
        self._seen = ""
        """The other node that was logged as delivering."""

    @property
    def are_shared(self) -> bool:
        """Whether other nodes can take turns with this one."""
        return self._nodes is not None

    @contextmanager
    def turn(self, org: str, where: str) -> Iterator[None]:
        """This node delivers until the context ends, and leaves to the next what was requested and not done."""
        if self._nodes:
            self._log("info", f"Delivering to {where}.")
        self._seen = ""
        self._metrics.is_delivering = True
        try:
            yield
        finally:
            self._metrics.is_delivering = False
            with suppress(JournalFailed):  # they are kept, and handed over when another delivers
                self._hand_over(org)

    def stand_by(self, org: str) -> None:
        """Hands over what was requested here to the one that delivers."""
        self._metrics.forget_held()
        self._hand_over(org)
        other = self._nodes.deliverer(org) if self._nodes else None
        if self._nodes and other and other.name not in (self._seen, self._nodes.own_name):
            self._seen = other.name
            self._log(
                "info",
                f"{other.name} ({other.command}) delivers to this org. This node accepts events, and delivers when"
                " that one ends.",
            )

    def take_wishes(self, org: str) -> None:
        """Takes up the retries that were requested on other nodes."""
        if self._nodes and (wishes := self._nodes.wishes(org)):
            self._requests.retry(*wishes)

    def fulfil(self, org: str, letters: Iterable[int]) -> None:
        """Notes that retries were done, wherever they were requested."""
        if self._nodes:
            for letter in letters:
                self._nodes.forget(org, letter)

    def _hand_over(self, org: str) -> None:
        if self._nodes and (letters := self._requests.take_retries()):
            try:
                self._nodes.wish(org, letters)
            except BaseException:
                self._requests.retry(*letters)
                raise
