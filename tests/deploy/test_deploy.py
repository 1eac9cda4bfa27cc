"""Manifests for Kubernetes and Compose files are valid, and start commands that exist."""

import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import jsonschema
import kubernetes_validate
import pytest
import yaml

from sfmap.cli import COMMANDS, sfmap

DEPLOY = Path(__file__).parents[2] / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
COMPOSE = sorted(DEPLOY.glob("*.compose.yaml"))
KUBERNETES = "1.34"

Json = dict[str, Any]


def resources(file: Path) -> list[Json]:
    return [one for one in yaml.safe_load_all(file.read_text()) if one]


def containers() -> Iterator[tuple[str, Sequence[str]]]:
    """What each container of `deploy/` runs, where it is sfmap."""
    for file in MANIFESTS:
        for one in resources(file):
            for container in one["spec"].get("template", {}).get("spec", {}).get("containers", ()):
                yield one["metadata"]["name"], container["args"]
    for file in COMPOSE:
        for name, service in yaml.safe_load(file.read_text())["services"].items():
            command = service.get("command", ())
            words = shlex.split(command) if isinstance(command, str) else command
            if words and words[0] in COMMANDS:
                yield f"{file.name} {name}", words


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_manifests_are_valid(file: Path) -> None:
    for one in resources(file):
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.stem)
def test_budgets_and_services_select_pods_that_there_are(file: Path) -> None:
    pods = [
        one["spec"]["template"]["metadata"]["labels"] for one in resources(file) if one["kind"] == "Deployment"
    ]
    for one in resources(file):
        selector = one["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= labels.items() for labels in pods), one["metadata"]["name"]


@pytest.fixture(scope="module")
def compose_schema(tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The schema of the Compose specification, as the npm package dclint has it."""
    if not shutil.which("npm"):
        pytest.skip("npm is not here: the schema of Compose files cannot be installed")
    folder = tmp_path_factory.mktemp("compose")
    shutil.copytree(Path(__file__).with_name("compose"), folder, dirs_exist_ok=True)
    install = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    done = subprocess.run(install, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    schema: Json = json.loads((folder / "node_modules/dclint/schemas/compose.schema.json").read_bytes())
    return schema


@pytest.mark.parametrize("file", COMPOSE, ids=lambda file: file.stem)
def test_compose_files_are_valid(file: Path, compose_schema: Json) -> None:
    jsonschema.Draft7Validator(compose_schema).validate(yaml.safe_load(file.read_text()))


@pytest.mark.parametrize(
    ("name", "words"), list(containers()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_containers_run_commands_that_exist(name: str, words: Sequence[str]) -> None:
    context = click.Context(sfmap)
    command = sfmap.get_command(context, words[0])
    assert command, name
    command.make_context(words[0], list(words[1:]), parent=context)  # raises for an unknown option
