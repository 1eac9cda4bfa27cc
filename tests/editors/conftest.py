"""A project made by `sfmap init`, and the language server that has opened it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..folder import Folder
from ..npm_packages import installed
from .language_server import LanguageServer, language_server

SCHEMA = """\
objects:
  Lead:
    fields:
      Score__c: {type: double, precision: 10, scale: 2}
      Tier__c: {type: picklist, values: [Gold, Silver], restricted: true}
  Plan__c:
    label: Plan
    fields:
      Code__c: {type: string, length: 20, external_id: true, unique: true}
"""
PLAN = """\
sfmap: 1
event: track
object: Plan__c
match: Code__c
fields:
  Code__c: properties.code
"""


@pytest.fixture(scope="module")
def editing(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A new project whose org has fields and an object of its own."""
    above = Folder(tmp_path_factory.mktemp("editing"))
    assert above.sfmap("init", "acme").returncode == 0
    project = Folder(above.path / "acme")
    (project.path / "schema.yaml").write_text(SCHEMA)
    (project.path / "sfmap.yaml").write_text("orgs:\n  local: {schema: schema.yaml}\n")
    (project.path / "mappings/plan.yaml").write_text(PLAN)
    return project


@pytest.fixture(scope="module")
def server(editing: Folder) -> Iterator[LanguageServer]:
    """The server, with the settings for VS Code that `sfmap init` writes."""
    settings = json.loads((editing.path / ".vscode/settings.json").read_bytes())
    packages = installed(Path(__file__).parent)

    program = packages / "node_modules/yaml-language-server/bin/yaml-language-server"
    with language_server(program, editing.path, settings["yaml.schemas"]) as running:
        yield running
