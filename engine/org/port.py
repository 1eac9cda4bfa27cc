"""What delivery needs from an org: operations, their results, and the errors they raise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Protocol

from sfmap.engine.errors import ExitCode, SfmapError

Value = str | int | float | bool
"""A field's value as the mapping produced it; adapters convert it for their protocol."""

BATCH_SIZE = 200
"""The most records in one write (app-limits, "SOAP API Call Limits")."""


@dataclass(frozen=True, slots=True)
class PicklistEntry:
    value: str
    label: str = ""
    active: bool = True
    valid_for: tuple[int, ...] = ()
    """In a dependent picklist: the positions of the controlling entries for which it is valid."""


@dataclass(frozen=True)
class FieldDescription:
    """One field as the org describes it; `type` is the API's name (string, email, int, currency, ...)."""

    name: str
    label: str
    type: str
    length: int
    """The maximum length in characters; 0 if the type has none."""
    createable: bool
    updateable: bool
    nillable: bool
    defaulted_on_create: bool
    id_lookup: bool
    external_id: bool
    restricted_picklist: bool
    entries: tuple[PicklistEntry, ...] = ()
    """All entries of a picklist, in the org's order; also inactive ones, since dependent picklists count them."""
    reference_to: tuple[str, ...] = ()
    relationship_name: str = ""
    """The name by which a write refers to the parent record; empty if the field is not a reference."""
    precision: int = 0
    """The number of digits, and how many of them are after the point."""
    scale: int = 0
    unique: bool = False
    filterable: bool = True
    """Whether a query may filter by it."""
    controller: str = ""
    """The controlling field of a dependent picklist; otherwise empty."""

    @cached_property
    def picklist_values(self) -> tuple[str, ...]:
        """The values of the active entries."""
        return tuple(entry.value for entry in self.entries if entry.active)


@dataclass(frozen=True, slots=True)
class ChildReference:
    """A field of some object that refers to records of the described one, and what a delete of those does."""

    object: str
    field: str
    cascades: bool
    """Whether the records that refer to a deleted one are deleted with it; otherwise the field is emptied."""
    restricts: bool
    """Whether records that refer to it keep one from being deleted."""


@dataclass(frozen=True, kw_only=True)
class ObjectDescription:
    name: str
    label: str
    key_prefix: str
    createable: bool
    updateable: bool
    fields: Mapping[str, FieldDescription]
    """By API name, in the org's order."""
    deletable: bool = True
    children: tuple[ChildReference, ...] = ()

    @cached_property
    def by_casefold(self) -> Mapping[str, str]:
        """The names of the fields by their casefolded names."""
        return {name.casefold(): name for name in reversed(tuple(self.fields))}


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record found by a lookup: its 18-character id, and the requested fields as text."""

    id: str
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Reference:
    """Another record, identified by the value of a field instead of its id: the org looks it up when it writes.

    `by` must be an external id, or another field that finds records (`id_lookup`).
    """

    object: str
    by: str
    value: Value


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """The content of one record in a create, update or upsert; `id` is set for an update, or an upsert by id."""

    fields: Mapping[str, Value]
    clear: tuple[str, ...] = ()
    """Fields to empty."""
    id: str | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    """By the relationship's name, which differs from the field's."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How the org should carry out a write; None leaves the org's default."""

    assignment_rule: str | None = None
    """`default`, `off`, or the id of a rule."""
    allow_duplicates: bool | None = None
    """Whether a record is saved although a duplicate rule warns about it."""
    all_or_none: bool | None = None
    """Whether one refused record rolls back its whole batch."""
    truncate: bool | None = None
    """Whether the org cuts texts that are too long."""
    send_emails: bool | None = None
    """Whether the write sends the e-mails that it would send if made in the user interface."""
    package_versions: tuple[tuple[str, str], ...] = ()
    """The namespaces and versions of managed packages."""

    def over(self, other: "WriteOptions") -> "WriteOptions":
        """These options, with the other's where these are None."""
        mine = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, ())}
        return replace(other, **mine)


NO_OPTIONS = WriteOptions()


@dataclass(frozen=True, slots=True)
class Written:
    id: str
    created: bool = False
    """Whether an upsert created the record; False for other writes."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that the org refused, with its status code (STRING_TOO_LONG, ...) and message."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    """The ids of the records that a duplicate rule matched."""


WriteResult = Written | Refused


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """The daily API requests as the org last reported them."""

    used: int
    limit: int
    reserved: int = 0
    """Those that the settings leave unused."""


class OrgError(SfmapError):
    """The whole call failed, as opposed to single records of it."""

    exit_code = ExitCode.NOT_FINISHED

    def __init__(self, message: str, *, code: str = "", hint: str = "", maybe_applied: bool = False) -> None:
        super().__init__(message, hint)
        self.code = code
        """The API's exception code; empty if there was no answer."""
        self.maybe_applied = maybe_applied
        """Whether the org may have executed the call although no answer came."""


class SignInRefused(OrgError):
    """The org refused the credentials; trying again could lock the user out."""


class OrgOutOfReach(OrgError):
    """The org cannot be reached as configured: waiting does not help, somebody must correct something."""


class LimitReached(OrgError):
    """No API call is left, either of the org's daily calls or of those that the user allows."""


class OrgUnavailable(OrgError):
    """The org cannot be used for now: network failure, timeout, maintenance. A retry may succeed."""


class TooManyCalls(OrgUnavailable):
    """The org takes no more calls at once; fewer may succeed."""


class CallRefused(OrgError):
    """The org refused this call as a whole; a smaller or corrected one may succeed."""

    field: str = ""
    """The field that the org does not know, if that is the reason."""


class Org(Protocol):
    """An org. Every method may raise `OrgError`. Results are in the order of the arguments."""

    def object_names(self) -> frozenset[str]:
        """The API names of all objects that the signed-in user can see."""

    def describe(self, objects: Sequence[str]) -> Mapping[str, ObjectDescription]:
        """Descriptions by name; every object must be one of `object_names()`."""

    def is_described(self, objects: Sequence[str]) -> bool:
        """Whether `object_names`, and `describe` for these objects, take no call now."""

    def find(
        self,
        object_name: str,
        fields: tuple[str, ...],
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        """The records whose `fields` equal one of `identities`, oldest first; deleted ones are not found.

        Each identity has one value for each field. Text is compared as the org does: case-insensitively.
        `also` names more fields to read. `where` is an additional condition in SOQL; an invalid one (see
        `soql.condition`) raises ValueError.
        """

    def create(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        """Creates up to `BATCH_SIZE` records; a refused record does not affect the others."""

    def update(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        """Updates up to `BATCH_SIZE` records by id; a refused record does not affect the others."""

    def upsert(
        self,
        object_name: str,
        external_id: str,
        records: Sequence[RecordWrite],
        options: WriteOptions = NO_OPTIONS,
    ) -> Sequence[WriteResult]:
        """Creates or updates up to `BATCH_SIZE` records, found by their value of the field `external_id`.

        That field must be an external id or another that finds records (`id_lookup`). A refused record does not
        affect the others; records that share a value are all refused.
        """

    def delete(
        self, object_name: str, ids: Sequence[str], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        """Deletes up to `BATCH_SIZE` records of the object; a refused id does not affect the others.

        The API itself considers only the ids, so every id must be one of that object.
        """

    def currency(self) -> str:
        """The ISO code of the org's currency; empty if it has several, or does not report it.

        This takes a call where the sign-in did not tell.
        """

    def limits(self) -> ApiUsage | None:
        """Asks the org for its daily limit: a call that changes nothing, and shows whether the org answers."""

    def calls(self) -> Mapping[str, int]:
        """API calls made so far, by operation, failed ones included."""

    def usage(self) -> ApiUsage | None:
        """The daily API requests as last reported; None before the first report."""
