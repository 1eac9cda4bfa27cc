"""The shape of the code: dependencies point one way, and no object of Salesforce is known to Python."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
MODULES = sorted([*(REPOSITORY / "engine").rglob("*.py"), REPOSITORY / "cli.py"])

MAP = re.compile(r"^(?P<room>[a-z][\w/]*) {2,}\S.*(?P<imports>(?:\n +(?:←|  ) .*)*)", re.MULTILINE)
ARROWS = {
    found["room"]: re.findall(r"[a-z][\w/]*", found["imports"])
    for found in MAP.finditer(str(ast.get_docstring(ast.parse((REPOSITORY / "engine/__init__.py").read_text()))))
}
"""For each room of the map in engine/__init__.py, the rooms that it imports, beside those of `FOR_ALL`."""
FOR_ALL = {"errors", "messages"}

SERVERS_AND_CLIENTS = {"zeep", "requests", "starlette", "uvicorn", "lxml", "click", "sqlite3"}
LIBRARIES = {
    "engine/yaml_files": SERVERS_AND_CLIENTS | {"jinja2", "jsonpath_ng"},
    "engine/language": SERVERS_AND_CLIENTS | {"jinja2", "jsonpath_ng"},
    "engine/mapping": SERVERS_AND_CLIENTS | {"yaml"},
    "engine/delivery": SERVERS_AND_CLIENTS | {"yaml", "jinja2", "jsonpath_ng"},
    "engine/sources": SERVERS_AND_CLIENTS | {"yaml", "jinja2", "jsonpath_ng"},
    "engine/sources/queries": SERVERS_AND_CLIENTS - {"sqlite3"} | {"yaml", "jinja2", "jsonpath_ng"},
    "engine/sources/stores": SERVERS_AND_CLIENTS - {"requests"},
    "engine/org/port.py": SERVERS_AND_CLIENTS,
    "engine/org/bulk_port.py": SERVERS_AND_CLIENTS,
}
"""For a room: the libraries it must not know."""


NARROWER = {
    "cli.py": {"sfmap.engine.commands"},
    "engine/org/port.py": {"sfmap.engine.errors"},
}
"""For a file: all of our own that it may import."""
OF_THE_ORG = {
    f"sfmap.engine.org.{name}"
    for name in ("bulk_data", "bulk_join", "bulk_port", "bulk_rows", "fields", "port", "write_headers")
}
"""What delivery may import of an org."""


@cache
def imports(module: Path) -> tuple[str, ...]:
    return tuple(_imports(module))


def _imports(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield str(node.module)


def innermost(path: str, rooms: Iterable[str]) -> str | None:
    """The room or file of these that contains the path."""
    return max((name for name in rooms if f"{path}/".startswith(f"{name}/")), key=len, default=None)


def room_of(path: str) -> str | None:
    return innermost(path.removeprefix("engine/").removesuffix(".py"), ARROWS)


def own_imports(module: Path) -> set[str]:
    """The rooms that a module imports."""
    names = [name for name in imports(module) if name.startswith("sfmap.engine.")]
    found = {name: room_of(name.removeprefix("sfmap.").replace(".", "/")) for name in names}
    lost = [name for name, room in found.items() if room is None]
    assert not lost, f"{module} imports {lost}, which are in no room of the map"
    return {room for room in found.values() if room}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_imports_follow_the_map(module: Path) -> None:
    here = module.relative_to(REPOSITORY).as_posix()
    if here not in ("cli.py", "engine/__init__.py", "engine/mapping/__init__.py"):
        home = room_of(here)
        assert home, f"{here} is in no room of the map"
        assert own_imports(module) <= {home, *ARROWS[home], *FOR_ALL}
    shunned = LIBRARIES.get(innermost(here, LIBRARIES) or "", set())
    strangers = {name.partition(".")[0] for name in imports(module)}
    assert not strangers & shunned


@pytest.mark.parametrize("path", NARROWER)
def test_some_files_may_import_less_than_their_room(path: str) -> None:
    own = [name for name in imports(REPOSITORY / path) if name.startswith("sfmap.")]
    assert not [name for name in own if not name.startswith(tuple(NARROWER[path]))]


def test_delivery_reaches_an_org_only_by_its_port() -> None:
    modules = (REPOSITORY / "engine/delivery").glob("*.py")
    names = {name for module in modules for name in imports(module) if name.startswith("sfmap.engine.org")}
    assert names <= OF_THE_ORG


@pytest.mark.parametrize("room", ARROWS)
def test_the_map_lists_the_actual_imports(room: str) -> None:
    modules = [module for module in MODULES if room_of(module.relative_to(REPOSITORY).as_posix()) == room]
    assert set().union(*map(own_imports, modules)) - {room, *FOR_ALL} == set(ARROWS[room])
    if (REPOSITORY / "engine" / room).is_dir():
        importers = [other for other in ARROWS if room in ARROWS[other]]
        described = ast.get_docstring(ast.parse((REPOSITORY / "engine" / room / "__init__.py").read_text()))
        _, _, said = str(described).partition("Imported by: ")
        assert re.findall(r"[a-z][\w/]*", said) == importers


def test_arrows_point_up_the_map() -> None:
    order = list(ARROWS)
    down = {(room, one) for room in order for one in ARROWS[room] if order.index(one) > order.index(room)}
    assert not down


def test_module_names_are_unique() -> None:
    names = [module.stem for module in MODULES if module.stem not in ("__init__", "__main__")]
    assert not {name for name in names if names.count(name) > 1}


OBJECTS = [
    yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    for path in files("sfmap.engine.local_org.records.objects").iterdir()
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
    "Event",
    "Location",
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


def test_the_workbench_cannot_send_to_an_org() -> None:
    assert not {"org/soap", "delivery", "workers", "wiring", "backfill", "serve", "api"} & set(ARROWS["workbench"])
