"""The tree of expected failures in engine/errors.py is the one that the code has."""

import re
from importlib import import_module
from pkgutil import walk_packages

import sfmap.engine
from sfmap.engine import errors
from sfmap.engine.errors import ExitCode, SfmapError

LINE = re.compile(r"^(?P<indent> *)(?P<name>[A-Z]\w+) +(?P<code>\d+|-) +\S", re.MULTILINE)


def documented() -> dict[str, tuple[str, str]]:
    """For each class of the docstring: the one that it derives from, and its exit code."""
    found: dict[str, tuple[str, str]] = {}
    above: list[str] = []
    for line in LINE.finditer(str(errors.__doc__)):
        above[len(line["indent"]) // 2 :] = [line["name"]]
        found[line["name"]] = above[-2] if len(above) > 1 else "Exception", line["code"]
    return found


def defined() -> dict[str, type[SfmapError]]:
    for module in walk_packages(sfmap.engine.__path__, "sfmap.engine."):
        if not module.name.endswith("__main__"):
            import_module(module.name)

    def derived(one: type[SfmapError]) -> list[type[SfmapError]]:
        return [one, *(below for child in one.__subclasses__() for below in derived(child))]

    return {one.__name__: one for one in derived(SfmapError)}


def test_the_docstring_has_every_failure_below_its_base() -> None:
    assert {name: base for name, (base, _) in documented().items()} == {
        name: one.__base__.__name__ for name, one in defined().items() if one.__base__
    }


def test_the_docstring_has_the_exit_code_of_each_failure() -> None:
    codes = {name: int(code) for name, (_, code) in documented().items() if code != "-"}
    assert codes == {name: defined()[name].exit_code for name in codes}
    assert set(codes.values()) < set(ExitCode)
