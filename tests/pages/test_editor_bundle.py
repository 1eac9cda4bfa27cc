"""CodeMirror, as it is committed, is what `make web` makes of web/."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from ..npm_packages import installed

REPOSITORY = Path(__file__).parents[2]
PAGES = REPOSITORY / "engine/workbench/pages"
MADE = ("codemirror.js", "codemirror.js.sha256", "LICENSES.txt")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, folder = tmp_path_factory.mktemp("web"), tmp_path_factory.mktemp("built")
    (source / "node_modules").symlink_to(installed(REPOSITORY / "web") / "node_modules")
    for name in ("package.json", "editor.js", "build.js"):
        shutil.copy(REPOSITORY / "web" / name, source / name)
    subprocess.run(["node", source / "build.js", folder], check=True, capture_output=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", MADE)
def test_a_build_gives_what_is_committed(built: Path, name: str) -> None:
    assert (built / name).read_bytes() == (PAGES / name).read_bytes(), f"{name} is old: run make web"


def test_the_sum_is_that_of_the_bundle() -> None:
    told = (PAGES / "codemirror.js.sha256").read_text().split()[0]
    assert told == hashlib.sha256((PAGES / "codemirror.js").read_bytes()).hexdigest()


def test_all_licenses_are_permissive() -> None:
    lines = (PAGES / "LICENSES.txt").read_text().splitlines()
    packages = [
        line
        for line in lines
        if line.startswith(("@codemirror/", "@lezer/", "@marijn/")) or line.endswith(", MIT")
    ]
    assert len(packages) > 12
    assert all(line.endswith(", MIT") for line in packages)
