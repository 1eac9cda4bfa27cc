"""A project that `sfmap init` has made."""

from pathlib import Path

import pytest

from ..folder import Folder


@pytest.fixture
def project(tmp_path: Path) -> Folder:
    made = Folder(tmp_path).sfmap("init", "acme")
    assert made.returncode == 0, made.stderr
    return Folder(tmp_path / "acme")
