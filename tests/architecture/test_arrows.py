"""The shape of the code: dependencies point one way, and no object of Salesforce is known to Python."""

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted([*(REPOSITORY / "engine").rglob("*.py"), REPOSITORY / "cli.py"])

ALLOWED = {
    "cli.py": {"engine/commands"},
    "engine/spec": {"engine/spec"},
    "engine/mapping": {"engine/mapping", "engine/spec"},
    "engine/sources": {"engine/sources", "engine/mapping", "engine/spec"},
    "engine/org/port.py": {"engine/org/port.py"},
    "engine/org/soql.py": {"engine/org/port.py"},
    "engine/org/budget.py": {"engine/org/port.py"},
    "engine/org/fields.py": {"engine/org/port.py", "engine/org/soql.py", "engine/mapping", "engine/spec"},
    "engine/org/soap": {
        "engine/org/soap",
        "engine/org/port.py",
        "engine/org/soql.py",
        "engine/org/budget.py",
        "engine/org/login_url.py",
        "engine/mapping/values.py",
    },
    "engine/journal": {
        "engine/journal",
        "engine/sources/port.py",
        "engine/sources/reading.py",
        "engine/mapping/record.py",
        "engine/private.py",
    },
    "engine/http": {"engine/http"},
    "engine/org/local": {
        "engine/org/local",
        "engine/http",
        "engine/mapping",
        "engine/spec",
        "engine/load.py",
        "engine/private.py",
    },
    "engine/serve/tracking.py": {"engine/mapping", "engine/sources/reading.py"},
    "engine/serve/access.py": {"engine/http/address.py"},
    "engine/delivery": {
        "engine/delivery",
        "engine/journal",
        "engine/mapping",
        "engine/spec",
        "engine/sources/port.py",
        "engine/sources/reading.py",
        "engine/org/fields.py",
        "engine/org/port.py",
        "engine/org/soql.py",
    },
}
"""For a room, or a file: what of our own it may import. Files above the rooms wire them together."""

SERVERS_AND_CLIENTS = {"zeep", "requests", "starlette", "uvicorn", "lxml", "click", "sqlite3"}
LIBRARIES = {
    "engine/spec": SERVERS_AND_CLIENTS | {"jinja2", "jsonpath_ng"},
    "engine/mapping": SERVERS_AND_CLIENTS | {"yaml"},
    "engine/delivery": SERVERS_AND_CLIENTS | {"yaml", "jinja2", "jsonpath_ng"},
    "engine/sources": SERVERS_AND_CLIENTS | {"yaml", "jinja2", "jsonpath_ng"},
    "engine/org/port.py": SERVERS_AND_CLIENTS,
}
"""For a room: the libraries it must not know."""


def imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield str(node.module)


def room(path: str, rooms: set[str]) -> str | None:
    return next(
        (name for name in sorted(rooms, reverse=True) if path == name or path.startswith(f"{name}/")), None
    )


def own_path(name: str) -> str:
    """`sfmap.engine.org.port` → `engine/org/port.py`, or the folder of a package."""
    path = name.removeprefix("sfmap.").replace(".", "/")
    return path if (REPOSITORY / path).is_dir() else f"{path}.py"


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_point_one_way(module: Path) -> None:
    here = module.relative_to(REPOSITORY).as_posix()
    home = room(here, set(ALLOWED))
    shunned = LIBRARIES.get(room(here, set(LIBRARIES)) or "", set())
    for name in imports(module):
        if name.startswith("sfmap."):
            target = own_path(name)
            if home:
                assert any(target == allowed or target.startswith(f"{allowed}/") for allowed in ALLOWED[home]), (
                    name
                )
        else:
            assert name.partition(".")[0] not in shunned, f"{here} imports {name}"


OBJECTS = [
    yaml.safe_load(path.read_text("utf-8"))
    for path in files("sfmap.engine.org.local.objects").iterdir()
    if path.name.endswith(".yaml")
]
COMMON = set(next(known["fields"] for known in OBJECTS if not known["name"]))
KNOWLEDGE = {known["name"] for known in OBJECTS} | {name for known in OBJECTS for name in known["fields"]} - COMMON
# Names that are words of other things too: a SOAP element, a path in Setup, ...
KNOWLEDGE -= {
    "",
    "Address",
    "Company",
    "Type",
    "Status",
    "Description",
    "Reason",
    "Case",
    "Site",
    "Comments",
    "Amount",
    "User",
    "Organization",
    "Origin",
    "IsDeleted",
}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_no_object_or_field_is_named_in_python(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            found = KNOWLEDGE.intersection(re.findall(r"\w+", node.value))
            assert not found, f"line {node.lineno}: {node.value!r}"
