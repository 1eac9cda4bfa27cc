"""The wheel: it has one import name, delivers events from an empty folder once it is installed, and is typed."""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGED = ("engine", "mappings", "cli.py", "__init__.py", "py.typed")
PIP = ["-m", "pip", "--disable-pip-version-check", "--quiet"]
EVENT = b'{"type":"identify","traits":{"email":"a@b.co","name":"Ann Lee"},"integrations":{"Salesforce":true}}\n'

TYPED = """\
import sfmap

project = sfmap.Project("acme")
payloads: list[sfmap.Payload] = project.render({"type": "identify"})
last_name: str = payloads[0]["fields"]["LastName"]
codes: list[str] = [found.code for found in project.check() if found.severity == "error"]
report: sfmap.RunReport = project.run("e.ndjson", on_progress=lambda progress: print(progress.share), max_calls=5)
reasons: list[str | None] = [outcome["reason"] for outcome in report.outcomes]
failure: sfmap.SfmapError | None = report.error
"""
MISTYPED = """\
import sfmap

sfmap.Projct
sfmap.Project("acme").run("e.ndjson", max_cals=5)
sfmap.Project("acme").render({})[0]["feilds"]
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"  # a copy: building leaves files behind
    source.mkdir()
    for name in (*PACKAGED, "pyproject.toml", "README.md", "LICENSE"):
        copy = shutil.copytree if (REPOSITORY / name).is_dir() else shutil.copy
        copy(REPOSITORY / name, source / name)
    subprocess.run([sys.executable, *PIP, "wheel", "--no-deps", "--wheel-dir", folder, source], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_every_file(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    ours = [path for name in PACKAGED for path in (REPOSITORY / name, *(REPOSITORY / name).rglob("*"))]
    kept = [path for path in ours if path.is_file() and "__pycache__" not in path.parts]
    assert names == {f"sfmap/{path.relative_to(REPOSITORY).as_posix()}" for path in kept}


@pytest.mark.soak
def test_the_installed_wheel_delivers_events_and_is_typed(wheel: Path, tmp_path: Path) -> None:
    fresh, empty = tmp_path / "fresh", tmp_path / "empty"
    venv.create(fresh, with_pip=True)
    subprocess.run(
        [fresh / "bin" / "python", *PIP, "install", "--constraint", REPOSITORY / "constraints.txt", wheel],
        check=True,
    )
    empty.mkdir()
    (empty / "e.ndjson").write_bytes(EVENT)
    run = subprocess.run([fresh / "bin" / "sfmap", "run", "e.ndjson"], cwd=empty, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "created            1" in run.stderr

    (empty / "typed.py").write_text(TYPED)
    (empty / "mistyped.py").write_text(MISTYPED)
    mypy = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(fresh / "bin" / "python")]
    typed = subprocess.run([*mypy, "typed.py"], cwd=empty, capture_output=True, text=True)
    assert typed.returncode == 0, typed.stdout
    mistyped = subprocess.run([*mypy, "mistyped.py"], cwd=empty, capture_output=True, text=True)
    assert [int(line.split(":")[1]) for line in mistyped.stdout.splitlines() if ": error:" in line] == [3, 4, 5]
