"""The dead letters of a project, and a mapping that creates a record for each event."""

import json

from ..scene import Scene
from .people import LEAD, PEOPLE

CASE = """\
event: track
object: Case
operation: create
fields: {Subject: event}
"""


BUDGET: dict[str, object] = {"code": "FIELD_CUSTOM_VALIDATION_EXCEPTION", "message": "Budget first"}


def refuse_half(scene: Scene) -> int:
    """How many of twelve people the org has refused; one more line of the file is not JSON."""
    scene.mapping(LEAD)
    scene.faults({"kind": "record_error", "calls": "create", "share": 0.5, **BUDGET})
    scene.run(*PEOPLE, "nonsense", code=1)
    reasons = [reason for _, reason in scene.outcomes()]
    return reasons.count("FIELD_CUSTOM_VALIDATION_EXCEPTION: Budget first")


def letters(scene: Scene) -> list[dict[str, object]]:
    lines = scene.sfmap("dead-letters", "--json").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
