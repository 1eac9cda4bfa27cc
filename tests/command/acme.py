"""A project that `sfmap init` has made, changed and put under git as users do."""

import subprocess
import sys
from pathlib import Path

from ..folder import Folder, installed

PYTEST = Path(sys.executable).parent / "pytest"
SAMPLES = "tests/events/samples.ndjson"


def change(project: Folder, before: str, after: str) -> None:
    path = project.path / "mappings" / "lead.yaml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def snapshot(project: Folder, case: str) -> str:
    return (project.path / "tests/events/__snapshots__/samples" / f"{case}.yaml").read_text("utf-8")


def git(project: Folder, *arguments: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@acme.example")
    subprocess.run(["git", *identity, *arguments], cwd=project.path, check=True, capture_output=True)


def run_pytest(project: Folder, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [PYTEST, *arguments], cwd=project.path, env=installed(), capture_output=True, text=True, timeout=120
    )
