"""What `import sfmap` costs, and the names that it gives."""

import subprocess
import sys

import pytest

import sfmap
from sfmap.engine.errors import SfmapError


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_nothing_is_imported_before_it_is_used() -> None:
    code = "import sfmap, sys; print([name for name in sys.modules if name.startswith('sfmap.')])"
    assert run_python(code) == "[]\n"


def test_a_star_import_and_completion_give_every_name() -> None:
    code = "import sfmap; print('Project' in dir(sfmap)); from sfmap import *; print(Project.__name__)"
    assert run_python(code) == "True\nProject\n"


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sfmap' has no attribute 'project'"):
        sfmap.project  # type: ignore[attr-defined]  # noqa: B018


def test_every_failure_is_an_sfmap_error() -> None:
    failures = [getattr(sfmap, name) for name in dir(sfmap) if isinstance(getattr(sfmap, name), type)]
    raised = [one for one in failures if issubclass(one, Exception)]
    assert len(raised) > 5
    assert all(issubclass(one, SfmapError) for one in raised)
