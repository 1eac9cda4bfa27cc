"""Receives the outcomes of a delivery."""

from sfmap.engine.delivery.commits import Delivered, OutputState
from sfmap.engine.delivery.outcome import Outcome


class CollectedOutcomes:
    """Collects the outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def tell(self, delivered: Delivered) -> OutputState:
        self.outcomes += delivered.outcomes
        return OutputState()
