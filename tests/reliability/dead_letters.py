"""The dead letters of a project, and a mapping that creates a record for each event."""

import json

from ..scene import Scene

CASE = """\
event: track
object: Case
operation: create
fields: {Subject: event}
"""


def letters(scene: Scene) -> list[dict[str, object]]:
    lines = scene.sfmap("dead-letters", "--json").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
