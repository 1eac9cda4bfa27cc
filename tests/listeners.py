"""Receives the outcomes of a delivery."""

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.pipeline import Delivered, OutputState


class CollectedOutcomes:
    """Collects the outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def tell(self, delivered: Delivered) -> OutputState:
        self.outcomes += delivered.outcomes
        return OutputState()
