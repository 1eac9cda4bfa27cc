"""The job on Spark: which data frames there are, and how rows pass between them and the tasks."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import islice
from typing import TYPE_CHECKING

from sfmap.engine.backfill.barriers import barriers
from sfmap.engine.backfill.fold_task import FoldTask
from sfmap.engine.backfill.map_task import MappedRow, MapTask
from sfmap.engine.backfill.splits import FileSplit, count_lines, numbered

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame, SparkSession

_BATCH = 500
"""Rows that pass between a task and Spark at once."""
_ORDER = ("file", "offset", "item")
_SPLIT = "file int, start long, end long, line long"
_COUNTED = "file int, start long, lines long"
_MAPPED = (
    "kind string, file int, offset long, item int, key binary, line long, mapping string, item_number int,"
    " raw binary, contents binary, reason string, trace binary, writes boolean"
)
_OUTPUT = "kind string, file int, offset long, item int, text string, events long, begun long, reason string"
_MOST_REASONS = 1_000

RowTask = Callable[[Iterator[tuple[object, ...]]], Iterable[tuple[object, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCount:
    """How many lines an output has for one reason, and of how many events."""

    kind: str
    reason: str
    lines: int
    events: int
    begun: int
    """The number of events of which it has the first record."""


def is_submitted() -> bool:
    """Whether spark-submit runs this program."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def spark_session(master: str) -> "SparkSession":
    """The session of spark-submit, or a new one on this machine."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("sfmap backfill")
    if not is_submitted():
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.master(master).config("spark.ui.enabled", "false")
        builder = builder.config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    settings = {
        "spark.sql.adaptive.enabled": "false",  # how many files there are must not depend on sizes
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(_BATCH),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "1",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkJob:
    """One back-fill."""

    spark: "SparkSession"
    task: MapTask
    fold: FoldTask
    partitions: int

    def run(self, splits: Sequence[FileSplit], out: str) -> Sequence[OutputCount]:
        """Writes the outputs into folders below `out`, and counts their lines."""
        from pyspark import StorageLevel
        from pyspark.sql import functions as sql

        numbered_splits = self._numbered(splits)
        folded = self._folded(self._mapped(numbered_splits)).persist(StorageLevel.DISK_ONLY)
        counted = (
            folded.groupBy("kind", "reason")
            .agg(sql.count("*").alias("lines"), sql.sum("events").alias("events"), sql.sum("begun").alias("begun"))
            .orderBy(sql.desc("lines"), "kind", "reason")
            .limit(_MOST_REASONS)
            .collect()
        )
        counts = [
            OutputCount(
                kind=row["kind"],
                reason=row["reason"],
                lines=row["lines"],
                events=row["events"],
                begun=row["begun"],
            )
            for row in counted
        ]
        for kind in ("records", "skipped", "rejected"):
            lines = folded.where(sql.col("kind") == kind).repartitionByRange(self.partitions, *_ORDER)
            lines.sortWithinPartitions(*_ORDER).select("text").write.text(f"{out}/{kind}")
        folded.unpersist()
        return counts

    def _numbered(self, splits: Sequence[FileSplit]) -> list[FileSplit]:
        """The splits with the lines before them, which are counted first."""
        bounded = [split for split in splits if split.end is not None]
        if not bounded:
            return list(splits)
        source = self.task.source

        def count(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
            for split in map(_split, rows):
                yield split.file, split.start, count_lines(source, split)

        counted = self._frame(bounded).mapInArrow(_in_arrow(count, _COUNTED), _COUNTED).collect()
        lines = {(row["file"], row["start"]): row["lines"] for row in counted}
        return numbered(splits, [lines.get((split.file, split.start), 0) for split in splits])

    def _mapped(self, splits: Sequence[FileSplit]) -> "DataFrame":
        task = self.task

        def mapped(rows: Iterator[tuple[object, ...]]) -> Iterator[MappedRow]:
            for split in map(_split, rows):
                yield from task.rows(split)

        return self._frame(splits).mapInArrow(_in_arrow(mapped, _MAPPED), _MAPPED)

    def _folded(self, mapped: "DataFrame") -> "DataFrame":
        from pyspark import StorageLevel
        from pyspark.sql import functions as sql

        fold = self.fold
        if self.task.composable.linked:
            mapped = mapped.persist(StorageLevel.DISK_ONLY)
            is_touch = sql.col("kind") == "touch"
            found = self._sorted(mapped.where(is_touch), "trace").mapInArrow(
                _in_arrow(lambda rows: barriers(_mapped_rows(rows)), _MAPPED), _MAPPED
            )
            mapped = mapped.where(~is_touch).unionByName(found)
        # "barrier" sorts before "record", which it is for.
        return self._sorted(mapped, "key", "kind").mapInArrow(
            _in_arrow(lambda rows: fold.rows(_mapped_rows(rows)), _OUTPUT), _OUTPUT
        )

    def _sorted(self, rows: "DataFrame", key: str, *last: str) -> "DataFrame":
        """All rows of a key in one partition, in their order."""
        return rows.repartition(self.partitions, key).sortWithinPartitions(key, *_ORDER, *last)

    def _frame(self, splits: Sequence[FileSplit]) -> "DataFrame":
        """The splits, each in a partition of its own."""
        rows = self.spark.sparkContext.parallelize([astuple(split) for split in splits], max(1, len(splits)))
        return self.spark.createDataFrame(rows, _SPLIT)


def _split(row: tuple[object, ...]) -> FileSplit:
    file, start, end, line = row
    return FileSplit(file=file, start=start, end=end, line=line)  # type: ignore[arg-type]


def _mapped_rows(rows: Iterable[tuple[object, ...]]) -> Iterator[MappedRow]:
    return (MappedRow(*row) for row in rows)  # type: ignore[arg-type]


def _in_arrow(task: RowTask, schema: str) -> Callable[[Iterator["RecordBatch"]], Iterator["RecordBatch"]]:
    """The task as Spark calls it: with batches of columns instead of rows."""

    def run(batches: Iterator["RecordBatch"]) -> Iterator["RecordBatch"]:
        from pyarrow import RecordBatch, array, binary, bool_, int32, int64, string

        types = {"int": int32(), "long": int64(), "string": string(), "binary": binary(), "boolean": bool_()}
        columns = [column.split() for column in schema.split(", ")]
        rows = (row for batch in batches for row in zip(*(one.to_pylist() for one in batch.columns), strict=True))
        made = iter(task(rows))
        while some := list(islice(made, _BATCH)):
            arrays = [
                array(values, types[kind])
                for values, (_, kind) in zip(zip(*some, strict=True), columns, strict=True)
            ]
            yield RecordBatch.from_arrays(arrays, names=[name for name, _ in columns])

    return run
