"""Runs the examples for Airflow and Dagster once, each in an environment of its own: `make orchestrators`.

The environments are kept in .venv/orchestrators, since their packages take minutes to install.
"""

import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from ..folder import REPOSITORY, Folder, identify

ENVIRONMENTS = REPOSITORY / ".venv" / "orchestrators"
AIRFLOW = """
from airflow_dag import events_to_salesforce
run = events_to_salesforce().test()
print(run.state)
assert str(run.state) == "success", run.state
"""
DAGSTER = """
import dagster as dg
from dagster_assets import salesforce_records
result = dg.materialize([salesforce_records])
assert result.success
(check,) = result.get_asset_check_evaluations()
assert check.passed
print("success")
"""


def environment_of(package: str) -> Path:
    """The Python of an environment with the package and with sfmap as it is in this folder."""
    folder = ENVIRONMENTS / package
    if not (folder / "installed").exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", package, "--editable", REPOSITORY], check=True)
        (folder / "installed").touch()
    return folder / "bin" / "python"


@pytest.mark.parametrize(
    ("package", "example", "code"),
    [("apache-airflow", "airflow_dag.py", AIRFLOW), ("dagster", "dagster_assets.py", DAGSTER)],
)
def test_the_example_delivers(folder: Folder, package: str, example: str, code: str) -> None:
    python = environment_of(package)
    shutil.copy(REPOSITORY / "examples" / example, folder.path / example)
    (folder.path / "sfmap.yaml").write_text("{}")
    folder.write("events.ndjson", [identify(f"{number}@b.co", name="Ann") for number in range(3)])
    settings = {
        "SFMAP_PROJECT": str(folder.path),
        "SFMAP_EVENTS": str(folder.path / "events.ndjson"),
        "AIRFLOW_HOME": str(folder.path / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder.path),
        "DAGSTER_HOME": str(folder.path / "dagster"),
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
    }
    (folder.path / "dagster").mkdir()
    environment = {**os.environ, **settings}
    if package == "apache-airflow":
        subprocess.run([python.parent / "airflow", "db", "migrate"], env=environment, check=True)
    subprocess.run([python, "-c", code], cwd=folder.path, env=environment, check=True)
    assert folder.rows("SELECT count(*) FROM Lead") == [(3,)]
