"""`sfmap init`: a new project."""

from ..folder import Folder
from .acme import SAMPLES, snapshot


def test_a_new_project_passes_its_checks_and_tests(project: Folder) -> None:
    assert project.sfmap("check").returncode == 0
    tested = project.sfmap("test")
    assert tested.returncode == 0
    assert "6 passed" in tested.stdout
    assert project.sfmap("run", SAMPLES).returncode == 1  # the group without a name
    assert "Company: n/a" in snapshot(project, "only an email")
    assert "rejected: 'Name is required" in snapshot(project, "group without a name")
    workflow = (project.path / ".github/workflows/sfmap.yml").read_text("utf-8")
    assert "sfmap check" in workflow
    assert "sfmap test" in workflow


def test_init_refuses_to_overwrite_files(project: Folder) -> None:
    again = Folder(project.path.parent).sfmap("init", "acme")
    assert again.returncode == 2
    assert "acme already contains sfmap.yaml, README.md" in again.stderr
    assert "Traceback" not in again.stderr
