"""The stages of a back-fill in this process: everything of it but Spark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sfmap.engine.api.project import Project
from sfmap.engine.backfill.backfilling import BackfillOptions, map_task, summary_of
from sfmap.engine.backfill.barriers import barriers
from sfmap.engine.backfill.fold_task import FoldTask, OutputRow
from sfmap.engine.backfill.map_task import MappedRow
from sfmap.engine.backfill.spark_job import OutputCount
from sfmap.engine.backfill.splits import count_lines, file_splits, numbered
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.wiring.source_opening import SourceOptions


@dataclass(frozen=True)
class Stages:
    """The stages over the events of a project."""

    project: Project
    source: FileSource
    org: str | None
    split_size: int

    def output(self) -> list[OutputRow]:
        splits = list(file_splits(self.source, self.split_size))
        lines = [0 if split.end is None else count_lines(self.source, split) for split in splits]
        mapper = self.project.mapper(self.org)
        options = BackfillOptions(out="", org=self.org)
        chosen = self.project.chosen_mappings(self.org)
        task = map_task(self.project.file, chosen, mapper, self.source, options)
        rows = [row for split in numbered(splits, lines) for row in task.rows(split)]
        touches = sorted((row for row in rows if row.kind == "touch"), key=lambda row: (row.trace, row.order))
        rows = [*(row for row in rows if row.kind != "touch"), *barriers(touches)]
        fold = FoldTask(
            plans={one.mapping.name: one.plan.record_plan for one in mapper.mappings},
            files=[file.name for file in self.source.members],
        )
        rows.sort(key=_by_key)
        return sorted(fold.rows(rows), key=lambda row: (row.file, row.offset, row.item))


def _by_key(row: MappedRow) -> tuple[object, ...]:
    return row.key, row.order, row.kind


def make_records(
    folder: Path, events: Sequence[str], out: str, *, org: str | None = None, split_size: int = 5_000
) -> list[OutputRow]:
    """What `sfmap backfill` makes of the events, from this folder."""
    project = Project(folder)
    source = project.open_events(events, SourceOptions())
    assert isinstance(source, FileSource)
    output = Stages(project, source, org, split_size).output()
    for kind in ("records", "skipped", "rejected"):
        (folder / out / kind).mkdir(parents=True)
        lines = [row.text for row in output if row.kind == kind]
        (folder / out / kind / "part-00000.txt").write_text("".join(f"{line}\n" for line in lines))
    counts = [
        OutputCount(kind=row.kind, reason=row.reason, lines=1, events=row.events, begun=row.begun)
        for row in output
    ]
    (folder / out / "summary.json").write_bytes(summary_of(counts, project.mapper(org), org).as_json())
    return output
