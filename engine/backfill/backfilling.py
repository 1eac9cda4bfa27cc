"""One back-fill: asks the org for its objects, runs the job, and writes the summary."""

import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sfmap.engine.backfill.fold_task import FoldTask
from sfmap.engine.backfill.map_task import MapTask
from sfmap.engine.backfill.spark_job import OutputCount, SparkJob, is_submitted, spark_session
from sfmap.engine.backfill.splits import SPLIT_SIZE, file_splits
from sfmap.engine.errors import ExitCode, SfmapError
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.project.loading import ChosenMappings, compile_mappings
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.sources.event_source import ResumableSource
from sfmap.engine.sources.extras import needed
from sfmap.engine.sources.files.file_source import FileSource
from sfmap.engine.sources.record_lines import RecordsSummary
from sfmap.engine.wiring.org_opening import open_org

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_OUR_ERROR = re.compile(r"^sfmap\.engine\.[\w.]+\.\w+: (.+)$", re.MULTILINE)


class BackfillFailed(SfmapError):
    """A back-fill could not be started, or did not end; the message says why and what to do."""


class InputDamaged(BackfillFailed):
    """A file of events is damaged: what it should hold cannot be folded without it."""

    exit_code = ExitCode.NOT_FINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillOptions:
    """What a user says of a back-fill."""

    out: str
    """The folder or URL for its outputs."""
    org: str | None = None
    master: str = "local[*]"
    """Where it runs, unless spark-submit says it."""
    partitions: int | None = None
    """Tasks of each stage after the first, and files of each output; None for one for each split, at most 200."""
    split_size: int = SPLIT_SIZE
    """Bytes of a file that one task reads."""
    say: Callable[[str], object] = lambda text: None


def backfill(
    project: ProjectFile, mappings: ChosenMappings, source: ResumableSource, options: BackfillOptions
) -> RecordsSummary:
    """Makes records of the events, below the folder `out`.

    Raises `BackfillFailed`, `ExtraMissing`, `SourceFailed`, `WrongShape`, `Mistakes` or what an org raises.
    """
    if not isinstance(source, FileSource) or source.is_stream:
        raise BackfillFailed("a back-fill reads files: standard input and tables cannot be split among tasks")
    _check_installed()
    mapper = Mapper(compile_mappings(mappings))
    splits = list(file_splits(source, options.split_size))
    task = map_task(project, mappings, mapper, source, options)
    with _spark(options) as spark:
        output = _Output(spark, options.out)
        output.check_new()
        job = SparkJob(
            spark=spark,
            task=task,
            fold=FoldTask(
                plans={one.mapping.name: one.plan.record_plan for one in mapper.mappings},
                files=[file.name for file in source.members],
            ),
            partitions=options.partitions or min(200, max(2, len(splits))),
        )
        counts = job.run(splits, options.out)
        damaged = [count.reason for count in counts if count.kind == "damaged"]
        if damaged:
            raise InputDamaged(f"{damaged[0]}. Its records would be incomplete, so there is no summary.json.")
        summary = summary_of(counts, mapper, options.org)
        output.write("summary.json", summary.as_json())
        return summary


def map_task(
    project: ProjectFile,
    mappings: ChosenMappings,
    mapper: Mapper,
    source: FileSource,
    options: BackfillOptions,
) -> MapTask:
    """Asks the org once what its objects are."""
    options.say("Asking the org for its objects.")
    with open_org(project, project.org(options.org)) as opened:
        names = opened.org.object_names()
        described = opened.org.describe([name for name in mapper.objects if name in names])
        needs_currency = any(
            name in described and field not in described[name].fields for name, field in mapper.currencies
        )
        currency = opened.org.currency() if needs_currency else ""
    return MapTask(
        source=_from_anywhere(source), mappings=mappings, descriptions=dict(described), currency=currency
    )


def summary_of(counts: Sequence[OutputCount], mapper: Mapper, org: str | None) -> RecordsSummary:
    def by_reason(kind: str) -> dict[str, int]:
        return {count.reason: count.lines for count in counts if count.kind == kind}

    records = [count for count in counts if count.kind == "records"]
    return RecordsSummary(
        org=org or "",
        mappings=mapper.digest,
        events=sum(count.begun for count in counts),
        records=sum(count.lines for count in records),
        recorded=sum(count.events for count in records),
        skipped=by_reason("skipped"),
        rejected=by_reason("rejected"),
    )


def _from_anywhere(source: FileSource) -> FileSource:
    """The same files by their whole paths, since tasks have other current folders."""
    members = tuple(
        replace(file, stored=replace(file.stored, name=file.stored.lasting_name)) for file in source.members
    )
    return replace(source, members=members)


def _check_installed() -> None:
    """Raises `ExtraMissing`, or `BackfillFailed` if there is no Java."""
    for module in ("pyspark", "pyarrow"):
        needed(module, "spark", "run a back-fill")
    home = os.environ.get("JAVA_HOME", "")
    if not shutil.which(os.path.join(home, "bin", "java") if home else "java"):
        where = f"JAVA_HOME is {home}, which has no bin/java" if home else "there is no java"
        raise BackfillFailed(f"cannot start Spark: {where}; install Java 17 or later")


@contextmanager
def _spark(options: BackfillOptions) -> Iterator["SparkSession"]:
    """The session; errors of its tasks become ours."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        spark = spark_session(options.master)
        if not is_submitted():
            spark.sparkContext.setLogLevel("ERROR" if os.environ.get("SFMAP_TRACEBACK") else "OFF")
    except (PySparkException, Py4JError) as error:
        raise BackfillFailed(f"cannot start Spark: {_first_line(error)}; what Java said is above") from None
    try:
        yield spark
    except (PySparkException, Py4JError) as error:
        ours = _OUR_ERROR.findall(str(error))
        raise BackfillFailed(ours[-1] if ours else f"Spark ended the job: {_first_line(error)}") from None
    finally:
        spark.stop()


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


@dataclass(frozen=True, slots=True)
class _Output:
    """The folder of the outputs, wherever Spark can write."""

    spark: "SparkSession"
    folder: str

    def check_new(self) -> None:
        """Raises `BackfillFailed` if there is something in the folder."""
        path = self._path("")
        files = path.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration())
        if files.exists(path) and (files.getFileStatus(path).isFile() or len(files.listStatus(path))):
            raise BackfillFailed(f"{self.folder} is not empty: name a new folder for the records")

    def write(self, name: str, content: bytes) -> None:
        path = self._path(name)
        files = path.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration())
        stream = files.create(path)
        try:
            stream.write(bytearray(content))
        finally:
            stream.close()

    def _path(self, name: str):  # type: ignore[no-untyped-def]
        path = self.spark.sparkContext._jvm.org.apache.hadoop.fs.Path
        return path(f"{self.folder}/{name}" if name else self.folder)
