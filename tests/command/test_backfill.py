"""`sfmap backfill` as far as it goes without Spark: what keeps it from starting. `make scale` runs the rest."""

from pathlib import Path

import pytest

from ..folder import Folder, Identify


@pytest.fixture
def events(folder: Folder, identify: Identify) -> str:
    return folder.write("e.ndjson", [identify("a@b.co")])


@pytest.fixture
def without_spark(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which pyspark cannot be imported, whether it is installed or not."""
    return {"PYTHONPATH": str(_module(tmp_path_factory.mktemp("without"), "pyspark", "raise ImportError"))}


def _module(folder: Path, name: str, text: str) -> Path:
    (folder / f"{name}.py").write_text(text)
    return folder


def test_the_extra_is_named_where_it_is_missing(
    folder: Folder, events: str, without_spark: dict[str, str]
) -> None:
    done = folder.sfmap("backfill", events, "--out", "out", environment=without_spark)
    assert done.returncode == 2
    assert done.stderr == "Error: cannot run a back-fill: this needs sfmap[spark]: pip install 'sfmap[spark]'\n"


def test_java_is_looked_for_before_spark_is_started(
    folder: Folder, events: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    module = _module(tmp_path_factory.mktemp("module"), "pyspark", "")
    done = folder.sfmap(
        "backfill", events, "--out", "out", environment={"PYTHONPATH": str(module), "JAVA_HOME": "/nowhere"}
    )
    assert done.returncode == 2
    where = "JAVA_HOME is /nowhere, which has no bin/java"
    assert done.stderr == f"Error: cannot start Spark: {where}; install Java 17 or later\n"


def test_standard_input_is_refused(folder: Folder, without_spark: dict[str, str]) -> None:
    done = folder.sfmap("backfill", "-", "--out", "out", stdin=b"{}\n", environment=without_spark)
    assert done.returncode == 2
    assert "a back-fill reads files: standard input and tables cannot be split among tasks" in done.stderr


def test_files_are_looked_for_first(folder: Folder, without_spark: dict[str, str]) -> None:
    done = folder.sfmap("backfill", "nothing.ndjson", "--out", "out", environment=without_spark)
    assert done.returncode == 2
    assert "cannot read nothing.ndjson: no such file or folder" in done.stderr
