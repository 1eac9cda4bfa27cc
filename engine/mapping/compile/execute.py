"""Executes generated code, the only place that does, so that tracebacks and debuggers show its lines."""

import linecache
from functools import partial
from itertools import chain, count
from pathlib import PurePath
from typing import Any
from weakref import finalize

from sfmap.engine.mapping.compile.codegen import GeneratedCode
from sfmap.engine.mapping.run.compiled_mapping import MappingFunctions, MapView, map_views
from sfmap.engine.mapping.run.mapping_plan import MappingPlan


def execute(code: GeneratedCode, plan: MappingPlan) -> MappingFunctions:
    """The functions that the code defines."""
    file = _remembered(code)
    functions: dict[str, Any] = dict(code.names)
    exec(compile(code.text, file, "exec"), functions)  # noqa: S102 - the text is made by `generate`
    record: MapView = functions["record"]
    finalize(record, linecache.cache.pop, file, None).atexit = False
    return MappingFunctions(
        map=functions.get("map") or partial(map_views, plan, record), record=record, code=code.text
    )


def _remembered(code: GeneratedCode) -> str:
    """The name under which `linecache` has the text as a file, such as `<sfmap lead.yaml>`."""
    name = PurePath(code.file).name
    entry = (len(code.text), None, code.text.splitlines(keepends=True), name)
    files = chain([f"<sfmap {name}>"], (f"<sfmap {name} {number}>" for number in count(2)))
    return next(file for file in files if linecache.cache.setdefault(file, entry) is entry)
