"""What delivery needs of an org: a few verbs, the plain answers they give, and the errors they raise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Protocol

Value = str | int | float | bool
"""A field's value as the mapping wrote it; adapters turn it into what their protocol carries."""

BATCH_SIZE = 200
"""The most records that one write may carry (app-limits, "SOAP API Call Limits")."""


@dataclass(frozen=True, slots=True)
class PicklistEntry:
    value: str
    label: str = ""
    active: bool = True
    valid_for: tuple[int, ...] = ()
    """Of a dependent picklist: the positions of the controlling field's entries that it goes with."""


@dataclass(frozen=True)
class FieldDescription:
    """One field as the org describes it; `type` is the API's own word (string, email, int, currency, ...)."""

    name: str
    label: str
    type: str
    length: int
    """Longest text in characters; 0 where the type has none."""
    createable: bool
    updateable: bool
    nillable: bool
    defaulted_on_create: bool
    id_lookup: bool
    external_id: bool
    restricted_picklist: bool
    entries: tuple[PicklistEntry, ...] = ()
    """All of a picklist's, in the org's order; inactive ones too, since dependent picklists count them."""
    reference_to: tuple[str, ...] = ()
    relationship_name: str = ""
    """What a write calls the record that this field refers to; empty where the field refers to none."""
    precision: int = 0
    """Digits of a number, and how many of them stand after the point."""
    scale: int = 0
    unique: bool = False
    filterable: bool = True
    """Whether a query may compare it."""
    controller: str = ""
    """The field that a dependent picklist depends on; empty where it depends on none."""

    @cached_property
    def picklist_values(self) -> tuple[str, ...]:
        """Of the active entries."""
        return tuple(entry.value for entry in self.entries if entry.active)


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    name: str
    label: str
    key_prefix: str
    createable: bool
    updateable: bool
    fields: Mapping[str, FieldDescription]
    """By API name, in the org's order."""
    deletable: bool = True


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """One record a lookup found: its 18-character id and the fields asked for, as text."""

    id: str
    fields: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Reference:
    """Another record, named by a value of its own instead of its id: the org looks it up as it writes.

    `by` must be an external id, or another field that finds records (`id_lookup`).
    """

    object: str
    by: str
    value: Value


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """What one create, update or upsert sends for one record; `id` is set for an update, or an upsert by id."""

    fields: Mapping[str, Value]
    clear: tuple[str, ...] = ()
    """Fields to empty."""
    id: str | None = None
    references: Mapping[str, Reference] = field(default_factory=dict)
    """By the relationship's name, which is not the field's."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """What the org is asked to do besides writing; None leaves it to the org's own ways."""

    assignment_rule: str | None = None
    """`default`, `off`, or the id of a rule."""
    allow_duplicates: bool | None = None
    """Whether a record is saved although a duplicate rule warns of it."""
    all_or_none: bool | None = None
    """Whether one refused record undoes its whole batch."""
    truncate: bool | None = None
    """Whether the org cuts what is too long."""
    send_emails: bool | None = None
    """Whether the write sends the mails that it would send if a person made it."""
    package_versions: tuple[tuple[str, str], ...] = ()
    """Of managed packages: namespace and version."""

    def over(self, other: "WriteOptions") -> "WriteOptions":
        """These options, and the other's where these leave something open."""
        mine = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, ())}
        return replace(other, **mine)


NO_OPTIONS = WriteOptions()


@dataclass(frozen=True, slots=True)
class Written:
    id: str
    created: bool = False
    """Whether an upsert made the record; other writes leave it False."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One record the org refused, with its own status code (STRING_TOO_LONG, ...) and words."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    duplicates: tuple[str, ...] = ()
    """The ids of the records that a duplicate rule took it for."""


WriteResult = Written | Refused


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """The daily API requests as the org last reported them."""

    used: int
    limit: int


class OrgError(Exception):
    """A call that gave no answer to work with; the whole call failed, not one record of it."""

    def __init__(self, message: str, *, code: str = "", advice: str = "", maybe_applied: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        """The API's exception code, or empty where there was no answer."""
        self.advice = advice
        """What a person should do, or empty."""
        self.maybe_applied = maybe_applied
        """Whether the org may have done the work although no answer came."""


class SignInRefused(OrgError):
    """The org refused the credentials; trying again could lock the user out."""


class OrgOutOfReach(OrgError):
    """As it is configured, the org cannot be reached: a person must mend something, and waiting does not help."""


class LimitReached(OrgError):
    """No API call is left: of the org's for the day, or of those that the user allows."""


class OrgUnavailable(OrgError):
    """No answer, or one that says that the org cannot be used now: network, time-out, maintenance. It may heal."""


class CallRefused(OrgError):
    """The org answered that this call, as it stands, is wrong; a smaller or mended one may pass."""

    field: str = ""
    """The field that the org does not know, where that is the matter."""


class Org(Protocol):
    """Every verb may raise `OrgError`. Results come in the order of what was asked."""

    def object_names(self) -> frozenset[str]:
        """The API names of all objects that the signed-in user can see."""

    def describe(self, objects: Sequence[str]) -> Mapping[str, ObjectDescription]:
        """Descriptions by name; every object must be one of `object_names()`."""

    def find(
        self,
        object_name: str,
        fields: tuple[str, ...],
        identities: Sequence[tuple[Value, ...]],
        also: tuple[str, ...] = (),
        where: str = "",
    ) -> Sequence[FoundRecord]:
        """The records whose `fields` all equal one of `identities`, oldest first; deleted ones are not found.

        Each identity has one value for each field. Text compares as the org does: without regard to case.
        `also` are more fields to read. `where` is a condition in SOQL that must hold besides; one that is none
        (see `soql.condition`) is a ValueError.
        """

    def create(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        """Creates up to `BATCH_SIZE` records; one refused record does not keep the others out."""

    def update(
        self, object_name: str, records: Sequence[RecordWrite], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        """Updates up to `BATCH_SIZE` records by id; one refused record does not keep the others out."""

    def upsert(
        self,
        object_name: str,
        external_id: str,
        records: Sequence[RecordWrite],
        options: WriteOptions = NO_OPTIONS,
    ) -> Sequence[WriteResult]:
        """Creates or updates up to `BATCH_SIZE` records, found by their value of the field `external_id`.

        That field must be an external id or another that finds records (`id_lookup`). One refused record does
        not keep the others out; records that share a value are refused, all of them.
        """

    def delete(
        self, object_name: str, ids: Sequence[str], options: WriteOptions = NO_OPTIONS
    ) -> Sequence[WriteResult]:
        """Deletes up to `BATCH_SIZE` records of the object; one refused id does not keep the others.

        The API itself looks at the ids alone, so every id must be one of that object.
        """

    def currency(self) -> str:
        """The ISO code of the org's one currency; empty where it has several, or does not say.

        This takes a call where the sign-in did not tell.
        """

    def limits(self) -> ApiUsage | None:
        """Asks the org for its daily limit: a call that changes nothing, and shows whether the org answers."""

    def calls(self) -> Mapping[str, int]:
        """API calls made so far, by operation, failed ones included."""

    def usage(self) -> ApiUsage | None:
        """What the org last said of its daily limit; None before it said anything."""
