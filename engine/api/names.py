"""Every name that `import sfmap` gives."""

from sfmap.engine.api.dead_letter_lines import DeadLetterLine, DeadLetters
from sfmap.engine.api.explained_event import Explanation
from sfmap.engine.api.payloads import ExplainedPayload, FieldExplanation, Payload
from sfmap.engine.api.project import Project
from sfmap.engine.api.run_report import OutcomeLine, Outcomes, RunReport
from sfmap.engine.delivery.progress import Progress
from sfmap.engine.delivery.waiter import StopRequested
from sfmap.engine.errors import SfmapError
from sfmap.engine.files.output import CannotWrite
from sfmap.engine.journal.database import JournalFailed
from sfmap.engine.journal.lock import ProjectBusy
from sfmap.engine.local_org.process import LocalOrgFailed
from sfmap.engine.org.port import CallRefused, LimitReached, OrgError, OrgOutOfReach, OrgUnavailable, SignInRefused
from sfmap.engine.project.project_file import NoSuchOrg
from sfmap.engine.project.secrets import SecretMissing
from sfmap.engine.sources.event_source import Position, SourceFailed
from sfmap.engine.sources.extras import ExtraMissing
from sfmap.engine.sources.rows import FileDamaged, WrongShape
from sfmap.engine.yaml_files.diagnostics import Diagnostic, Mistakes
from sfmap.engine.yaml_files.files import CannotRead

__all__ = [
    "CallRefused",
    "CannotRead",
    "CannotWrite",
    "DeadLetterLine",
    "DeadLetters",
    "Diagnostic",
    "ExplainedPayload",
    "Explanation",
    "ExtraMissing",
    "FieldExplanation",
    "FileDamaged",
    "JournalFailed",
    "LimitReached",
    "LocalOrgFailed",
    "Mistakes",
    "NoSuchOrg",
    "OrgError",
    "OrgOutOfReach",
    "OrgUnavailable",
    "OutcomeLine",
    "Outcomes",
    "Payload",
    "Position",
    "Progress",
    "Project",
    "ProjectBusy",
    "RunReport",
    "SecretMissing",
    "SfmapError",
    "SignInRefused",
    "SourceFailed",
    "StopRequested",
    "WrongShape",
]
