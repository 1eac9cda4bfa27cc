"""The objects of the org that mappings are checked against, asked for in the background and remembered."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock, Thread
from typing import Literal

from sfmap.engine.errors import SfmapError
from sfmap.engine.inspect.describe_cache import LIFETIME, describe, remembered
from sfmap.engine.inspect.org_check import Descriptions
from sfmap.engine.inspect.project_check import KnownObjects, known_without_org, mapped_objects
from sfmap.engine.mapping.run.compiled_mapping import CompiledMapping
from sfmap.engine.org.port import ObjectDescription
from sfmap.engine.project.org_entry import LOCAL
from sfmap.engine.project.project_file import NoSuchOrg, ProjectFile
from sfmap.engine.yaml_files.diagnostics import Mistakes

State = Literal["checked", "standard", "away"]

_AGAIN = 60.0
"""Seconds after which an org that did not answer is asked again."""
_STANDARD = "the standard objects"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrgState:
    name: str
    state: State
    message: str
    against: str
    """What mappings are checked against, in words."""


class DescribedOrg:
    """What is known of one org. Only the local org and descriptions on disk are known without asking."""

    def __init__(self, org_name: str | None, on_change: Callable[[], object]) -> None:
        self._org_name = org_name
        self._on_change = on_change
        self._lock = Lock()
        self._known: dict[str, ObjectDescription | None] = {}
        """By name; None for an object that the org does not have."""
        self._asking: Thread | None = None
        self._trouble = ""
        self._standard: tuple[object, Descriptions] | None = None
        self._asked_at = -math.inf
        self._answers = 0

    @property
    def answers(self) -> int:
        """How often something new was learned of the org; what was checked before may be different now."""
        with self._lock:
            return self._answers

    def name(self, project: ProjectFile) -> str:
        return self._org_name or project.default_org

    def known_objects(self, project: ProjectFile, compiled: Sequence[CompiledMapping]) -> KnownObjects:
        """The org's objects if all that the mappings name are known, else the standard ones. Never waits.

        Raises `Mistakes` or `CannotRead` for the schema file of the local org.
        """
        wanted = mapped_objects(compiled)
        described = self.described(project, wanted)
        if described is None:
            return KnownObjects(objects=self.standard(project), is_whole=False)
        return KnownObjects(objects=described, is_whole=True)

    def standard(self, project: ProjectFile) -> Descriptions:
        """What is known without an org; read again when the schema file of the local org has changed.

        Raises `Mistakes` or `CannotRead`.
        """
        version = schema_version(project)
        with self._lock:
            if self._standard is None or self._standard[0] != version:
                self._standard = (version, known_without_org(project))
            return self._standard[1]

    def described(self, project: ProjectFile, wanted: Sequence[str]) -> Mapping[str, ObjectDescription] | None:
        """Those of the objects that the org has; None if it is not known yet, and is asked in the background."""
        if self.name(project) == LOCAL:
            return None
        with self._lock:
            if any(name not in self._known for name in wanted):
                self._recall(project)
            missing = [name for name in wanted if name not in self._known]
            if missing or time.monotonic() - self._asked_at > LIFETIME:
                self._ask(project, wanted)
            if missing:
                return None
            return {name: one for name in wanted if (one := self._known[name])}

    def known(self) -> dict[str, ObjectDescription]:
        """What the org has said so far."""
        with self._lock:
            return {name: one for name, one in self._known.items() if one}

    def state(self, project: ProjectFile) -> OrgState:
        state, message = self._state(self.name(project))
        against = self.against(project, is_whole=state == "checked")
        message = message or f"Checked against {against}; sfmap dev --org NAME checks against an org."
        return OrgState(name=self.name(project), state=state, message=message, against=against)

    def against(self, project: ProjectFile, *, is_whole: bool) -> str:
        """What mappings are checked against, in words; `is_whole` if it is the org."""
        if is_whole:
            return self.name(project)
        schema = project.org(LOCAL).texts.get("schema")
        return f"{_STANDARD} and {schema.text}" if schema else _STANDARD

    def _state(self, name: str) -> tuple[State, str]:
        if name == LOCAL:
            return "standard", ""
        with self._lock:
            if self._trouble:
                return "away", self._trouble
            if self._known:
                return "checked", f"Checked against {name}."
        return "standard", f"Asking {name} for its fields."

    def _recall(self, project: ProjectFile) -> None:
        """Takes what was described before, however long ago."""
        with suppress(NoSuchOrg):
            self._known = {**remembered(project, project.org(self._org_name)), **self._known}

    def _ask(self, project: ProjectFile, names: Sequence[str]) -> None:
        is_asking = self._asking is not None and self._asking.is_alive()
        if is_asking or (self._trouble and time.monotonic() - self._asked_at < _AGAIN):
            return
        self._asked_at = time.monotonic()
        self._asking = Thread(target=self._describe, args=(project, names), daemon=True, name="describe")
        self._asking.start()

    def _describe(self, project: ProjectFile, names: Sequence[str]) -> None:
        try:
            found = describe(project, project.org(self._org_name), names).objects
        except (SfmapError, Mistakes) as error:
            with self._lock:
                self._trouble = str(error)
                self._answers += 1
        else:
            with self._lock:
                self._trouble = ""
                self._known |= {name: found.get(name) for name in names}
                self._answers += 1
        self._on_change()


def schema_version(project: ProjectFile) -> object:
    """What changes when the schema file of the local org does."""
    schema = project.org(LOCAL).texts.get("schema")
    if schema is None:
        return None
    path = project.folder / schema.text
    try:
        about = path.stat()
    except OSError:
        return path
    return path, about.st_mtime_ns, about.st_size
