"""The workflow that `sfmap init` writes: valid for GitHub, and each of its steps works in a repository."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ..folder import REPOSITORY, SFMAP, Folder, install_warm

WORKFLOW = ".github/workflows/sfmap.yml"
GIT = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com"]


def git(folder: Path, *words: str) -> str:
    done = subprocess.run([*GIT, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def repository(project: Folder) -> Folder:
    """The project in git: a branch changes a mapping, and `origin` has the main branch."""
    folder = project.path
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=The project")
    git(folder, "clone", "--quiet", "--bare", ".", str(folder.parent / "origin"))
    git(folder, "remote", "add", "origin", str(folder.parent / "origin"))
    git(folder, "fetch", "--quiet", "origin")
    git(folder, "switch", "--quiet", "--create", "change")
    mapping = folder / "mappings" / "lead.yaml"
    mapping.write_text(mapping.read_text().replace("default: n/a", "default: unknown"))
    return project


def workflow(project: Folder) -> dict[str, Any]:
    read: dict[str, Any] = yaml.load((project.path / WORKFLOW).read_text(), yaml.BaseLoader)
    return read


def steps(project: Folder, job: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """What the steps of a job run, each with its variables."""
    for step in workflow(project)["jobs"][job]["steps"]:
        if "run" in step:
            yield step["run"], step.get("env", {})


def run(project: Folder, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """As GitHub does it, with the command on its PATH."""
    tools = project.path.parent / "tools"
    tools.mkdir(exist_ok=True)
    install_warm(tools)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=project.path,
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
    )


def test_it_is_valid_for_github(project: Folder) -> None:
    words = [str(SFMAP.parent / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", WORKFLOW]
    done = subprocess.run(words, cwd=project.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_it_may_only_read_but_for_the_comment(project: Folder) -> None:
    known = workflow(project)
    assert known["permissions"] == {"contents": "read"}
    rights = {name: job["permissions"] for name, job in known["jobs"].items() if "permissions" in job}
    assert rights == {"comment": {"pull-requests": "write"}}
    assert not [step for step in known["jobs"]["comment"]["steps"] if "checkout" in step.get("uses", "")]


def test_its_jobs_run_for_what_it_is_triggered_by(project: Folder) -> None:
    known = workflow(project)
    assert set(known["on"]) == {"push", "pull_request", "schedule", "workflow_dispatch"}
    for event in known["on"]:
        assert [name for name, job in known["jobs"].items() if f"'{event}'" in job["if"]], event


def test_the_steps_of_a_pull_request_work(repository: Folder, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    install, check, test, compare = steps(repository, "mappings")
    assert install[0] == "pip install -r requirements.txt"
    assert run(repository, check[0]).returncode == 0
    tested = run(repository, test[0])
    assert tested.returncode == 1  # the change of the mapping is not accepted yet
    assert run(repository, "sfmap test --update").returncode == 0
    variables = {name: text.replace("${{ github.base_ref }}", "main") for name, text in compare[1].items()}
    done = run(repository, compare[0], GITHUB_STEP_SUMMARY=str(summary), **variables)
    assert done.returncode == 0, done.stderr
    comment = (repository.path / "comment.md").read_text()
    assert comment == summary.read_text()
    assert "6 events compared, " in comment
    assert re.search(r"~~~text\nevent \d+\n  lead  LastName: ", comment)


def test_a_comment_of_a_change_without_effect_says_so(repository: Folder, tmp_path: Path) -> None:
    git(repository.path, "checkout", "--quiet", "mappings")
    *_, (script, _) = steps(repository, "mappings")
    assert run(repository, script, GITHUB_STEP_SUMMARY=str(tmp_path / "s"), BASE="origin/main").returncode == 0
    assert (repository.path / "comment.md").read_text().endswith("6 events compared, 0 changed.\n")


def test_the_comment_is_posted_from_the_file(repository: Folder, tmp_path: Path) -> None:
    """`gh` itself is not here: what it is called with."""
    (tmp_path / "gh").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "gh").chmod(0o755)
    ((script, _),) = steps(repository, "comment")
    done = run(repository, script, PATH=f"{tmp_path}:{os.environ['PATH']}", NUMBER="7")
    assert done.stdout.split() == "pr comment 7 --edit-last --create-if-none --body-file comment.md".split()


def test_the_nightly_check_asks_the_org(repository: Folder) -> None:
    """The local org stands in for the one that the repository's variable names."""
    *_, (script, variables) = steps(repository, "org")
    assert set(variables) == {"SFMAP_ORG", "SF_PASSWORD", "SF_TOKEN"}
    done = run(repository, script, SFMAP_ORG="local")
    assert done.returncode == 0, done.stderr
    assert run(repository, script, SFMAP_ORG="nowhere").returncode == 2


def test_it_installs_this_version_from_the_repository(project: Folder, tmp_path: Path) -> None:
    requirement = (project.path / "requirements.txt").read_text()
    commit = git(REPOSITORY, "rev-parse", "HEAD").strip()
    assert re.fullmatch(rf"git\+\S+@{commit}#egg=sfmap\n", requirement)
    # What was committed here may not be in `origin` yet, which is where others install it from.
    (tmp_path / "requirements.txt").write_text(re.sub(r"git\+\S+@", f"git+file://{REPOSITORY}@", requirement))
    target = ["--target", str(tmp_path / "installed"), "--no-deps", "--quiet"]
    words = [sys.executable, "-m", "pip", "install", *target, "-r", str(tmp_path / "requirements.txt")]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "installed" / "sfmap" / "cli.py").is_file()
