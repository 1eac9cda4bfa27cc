"""All samples at a glance: what each becomes, what has changed since HEAD, and whether its snapshot differs."""

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from sfmap.engine.inspect.payload_diff import differences
from sfmap.engine.mapping.values.record import Event
from sfmap.engine.sources.reading import json_bytes
from sfmap.engine.testing.cases import from_snapshot, rendered
from sfmap.engine.workbench.precedence import Precedence
from sfmap.engine.workbench.sample_events import Sample
from sfmap.engine.workbench.shown_results import Shown, ShownResults, changes

_Version = tuple[int, int]


class SnapshotFiles:
    """The snapshots of samples, each read once for each version of its file."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[Path, tuple[_Version, list[dict[str, object]]]] = {}

    def state(self, path: Path | None, rendering: list[dict[str, object]]) -> str:
        """Whether the snapshot is the `same`, `differs`, or is `missing`."""
        if path is None:
            return "missing"
        try:
            about = path.stat()
            version = (about.st_mtime_ns, about.st_size)
            kept = self._kept.get(path)
            if kept is None or kept[0] != version:
                kept = (version, from_snapshot(path.read_text("utf-8")))
        except (OSError, UnicodeDecodeError):
            return "missing"
        with self._lock:
            self._kept[path] = kept
        return "differs" if kept[1] != rendering and differences(kept[1], rendering) else "same"


def overview(
    samples: Sequence[Sample], shown: ShownResults, snapshots: SnapshotFiles, precedence: Precedence
) -> dict[str, object] | None:
    """What each sample becomes; None if a newer overview was asked for meanwhile."""
    number = precedence.begin()
    lines: list[Shown] = []
    for sample in samples:
        if not precedence.may_continue(number):
            return None
        lines.append({"id": sample.id, **_line(sample, sample.event, shown, snapshots)})
    return {
        "samples": lines,
        "changed": sum(bool(line["changed"]) for line in lines),
        "snapshots": sum(line["snapshot"] in ("differs", "missing") for line in lines),
    }


def _line(sample: Sample, event: Event | None, shown: ShownResults, snapshots: SnapshotFiles) -> Shown:
    if event is None:
        return {"state": "rejected", "becomes": [], "changed": 0, "snapshot": "none", "reason": sample.problem}
    now = rendered(shown.now, event)
    reasons = [one.get("rejected") or one.get("skipped") for one in now]
    return {
        "state": _state(now),
        "becomes": [one["object"] for one in now if "object" in one],
        "changed": _changed(shown, event, now),
        "snapshot": snapshots.state(sample.snapshot, now),
        "reason": next(filter(None, reasons), ""),
    }


def _state(now: Sequence[Shown]) -> str:
    if any("rejected" in one for one in now):
        return "rejected"
    if not any("object" in one for one in now):
        return "skipped"
    return "notes" if any(one.get("notes") for one in now) else "fine"


def _changed(shown: ShownResults, event: Event, now: Sequence[Shown]) -> int:
    """How many fields are not as HEAD makes them; explained only if something differs, which takes longer."""
    if shown.before is None or json_bytes(now) == json_bytes(rendered(shown.before, event)):
        return 0
    results, gone = shown.compared(event)
    return max(1, changes(results) + len(gone))
