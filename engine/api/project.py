"""A project as a Python program uses it: renders, explains and checks events."""

import os
from functools import cached_property
from pathlib import Path
from typing import cast

from sfmap.engine.api.explained_event import Explanation
from sfmap.engine.api.payloads import Payload
from sfmap.engine.inspect.explanation import Explained, explain
from sfmap.engine.inspect.payload import payload
from sfmap.engine.inspect.project_check import ProjectCheck, check_project
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Rejected
from sfmap.engine.project.loading import ChosenMappings, chosen_mappings, compile_mappings
from sfmap.engine.project.project_file import ProjectFile, load_project, project_folder
from sfmap.engine.sources.given_events import GivenEvent, read_given
from sfmap.engine.yaml_files.diagnostics import Diagnostic
from sfmap.engine.yaml_files.files import CannotRead

FolderName = str | os.PathLike[str]


class Project:
    """The mappings, settings and orgs of a folder.

    Its files are read when they are first needed, and once: make another `Project` to read them again.
    It can be used by several threads, but only one run at a time delivers.

    Every method takes the name of an `org` of sfmap.yaml, since an org can have settings for mappings of its own;
    without it, the project's default is used, or the local org.
    """

    def __init__(self, folder: FolderName | None = None, *, mappings: FolderName | None = None) -> None:
        """A folder with `sfmap.yaml`, or the shipped mappings if it has none.

        Without a folder, it is the one that the commands use: the nearest with `sfmap.yaml`, from the current one
        upwards, or else the current one. `mappings` is a folder of mappings to use instead of the project's.

        Raises `CannotRead` if there is no such folder.
        """
        self.folder = project_folder() if folder is None else Path(folder)
        self._mappings = None if mappings is None else Path(mappings)
        self._mappers: dict[str | None, Mapper] = {}
        if not self.folder.is_dir():
            is_file = self.folder.exists()
            why = "is a file; give the folder that it is in" if is_file else "does not exist"
            raise CannotRead(f"the project folder {self.folder} {why}")

    def __repr__(self) -> str:
        return f"Project({str(self.folder)!r})"

    def render(self, event: GivenEvent, *, org: str | None = None) -> list[Payload]:
        """What would be sent for an event: a dict for each record, or one that says why there is none.

        They have the keys of the lines that `sfmap render` prints.

        Raises `Mistakes` if a mapping or sfmap.yaml has errors, `CannotRead` or `NoSuchOrg`.
        """
        _, read, problem = read_given(event)
        mapped = [Rejected("", problem)] if read is None else self.mapper(org).map(read)
        return [cast(Payload, payload(one)) for one in mapped]

    def explain(self, event: GivenEvent, *, org: str | None = None) -> Explanation:
        """Where the value of each field came from, and why others have none. Raises as `render` does."""
        _, read, problem = read_given(event)
        return Explanation([Explained(Rejected("", problem))] if read is None else explain(self.mapper(org), read))

    def check(self, *, org: str | None = None) -> list[Diagnostic]:
        """The errors and warnings of sfmap.yaml and of the mappings as they are now; empty if all is good.

        Fields are checked against the standard objects, or with `org` against the objects of that org.

        Raises `CannotRead`, `NoSuchOrg`, `SecretMissing` or `OrgError`.
        """
        return list(self.checked(org).diagnostics)

    def checked(self, org: str | None = None) -> ProjectCheck:
        """What `check` found, with the mappings as far as they could be compiled."""
        return check_project(self.folder, self._mappings, org)

    @cached_property
    def file(self) -> ProjectFile:
        """What sfmap.yaml says. Raises `Mistakes` or `CannotRead`."""
        return load_project(self.folder)

    def chosen_mappings(self, org: str | None = None) -> ChosenMappings:
        """The mapping files to use. Raises `Mistakes`, `CannotRead` or `NoSuchOrg`."""
        return chosen_mappings(self.file, self._mappings, org)

    def mapper(self, org: str | None = None) -> Mapper:
        """The compiled mappings. Raises `Mistakes`, `CannotRead` or `NoSuchOrg`."""
        if org not in self._mappers:
            self._mappers[org] = Mapper(compile_mappings(self.chosen_mappings(org)))
        return self._mappers[org]
