"""The dead letters of an org, as dicts with the keys of the lines of `sfmap dead-letters --json`."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from sfmap.engine.journal.dead_letter_events import letter_dict
from sfmap.engine.journal.dead_letter_store import dead_letters
from sfmap.engine.project.project_file import ProjectFile
from sfmap.engine.wiring.org_opening import known_key
from sfmap.engine.wiring.state_opening import open_journal


class DeadLetterLine(TypedDict, total=False):
    """One record that failed for good, with its event."""

    id: int
    """Its number, for `Project.retry`."""
    event: int
    file: str
    line: int
    mapping: str
    item_number: int
    object: str
    reason: str
    attempts: int
    first: str
    last: str
    """When it first and last failed, in UTC."""
    raw: dict[str, Any]
    """The event; instead of it `text`, or `base64` if it is not UTF-8, for one that cannot be read."""
    text: str
    base64: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetters:
    """An iterable of `DeadLetterLine`, oldest first, read from the journal as it is iterated."""

    project: ProjectFile
    org: str | None = None
    key: str | None = None
    """The key of the org in the journal, if it is known already."""
    reason: str = ""

    def __iter__(self) -> Iterator[DeadLetterLine]:
        """None if nothing has signed in to the org yet. Raises `NoSuchOrg` or `JournalFailed`."""
        with open_journal(self.project) as journal:
            key = self.key or known_key(self.project, self.project.org(self.org), journal)
            if key is not None:
                for letter in dead_letters(journal, key, self.reason):
                    yield cast(DeadLetterLine, letter_dict(letter))
