"""Receives the outcomes of a delivery."""

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.delivery.pipeline import Delivered, Told


class CollectedOutcomes:
    """Collects the outcomes."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def tell(self, delivered: Delivered) -> Told:
        self.outcomes += delivered.outcomes
        return Told()
