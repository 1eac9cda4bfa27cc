"""Every name that `import sfmap` gives."""

from sfmap.engine.api.explained_event import Explanation
from sfmap.engine.api.payloads import ExplainedPayload, FieldExplanation, Payload
from sfmap.engine.api.project import Project
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import CannotWrite
from sfmap.engine.project.project_file import NoSuchOrg
from sfmap.engine.project.secrets import SecretMissing
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes
from sfmap.engine.yaml_files.files import CannotRead

__all__ = [
    "CannotRead",
    "CannotWrite",
    "Diagnostic",
    "ExplainedPayload",
    "Explanation",
    "FieldExplanation",
    "Mistakes",
    "NoSuchOrg",
    "Payload",
    "Project",
    "SecretMissing",
    "SfmapError",
]
