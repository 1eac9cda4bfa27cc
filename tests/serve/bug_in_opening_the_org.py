"""`sfmap serve` with a bug: opening the org raises an error that holds data."""

import sys

from sfmap.cli import main
from sfmap.engine.project.org_entry import OrgEntry
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.serve import configuration
from sfmap.engine.wiring.org_opening import OpenOrg


def broken(project: ProjectFile, entry: OrgEntry, **_settings: object) -> OpenOrg:
    raise AttributeError("of a person named Ann Lee")


if __name__ == "__main__":
    configuration.open_org = broken  # type: ignore[assignment, attr-defined]
    sys.argv = ["sfmap", "serve", "--port", "0", "--log-format", "json"]
    main()
