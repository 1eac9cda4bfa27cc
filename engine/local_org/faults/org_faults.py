"""The org's errors: a fault for a whole call, an error for one record of it."""

from dataclasses import dataclass


class Fault(Exception):
    """The whole call failed. Codes and texts are the API's ("Core Data Types Used in API Calls")."""

    def __init__(self, code: str, message: str, kind: str, *, place: tuple[int, int] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.kind = kind
        """The detail's type, such as UnexpectedErrorFault."""
        self.place = place
        """Row and column, for a query that cannot be parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A duplicate rule's result."""

    rule: str
    object_name: str
    may_be_saved: bool
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordError:
    code: str
    message: str
    fields: tuple[str, ...] = ()
    duplicate: Duplicate | None = None


class InvalidRecord(Exception):
    """A record cannot be written."""

    def __init__(self, *errors: RecordError) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


def unexpected(code: str, message: str) -> Fault:
    return Fault(code, message, "UnexpectedErrorFault")


def no_session() -> Fault:
    message = (
        "Invalid Session ID found in SessionHeader: Illegal Session. Session not found, missing session hash. This"
        " error usually occurs after a session expires or a user logs out."
    )
    return unexpected("INVALID_SESSION_ID", message)


def no_such_object(name: str) -> Fault:
    message = (
        f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append"
        " the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate"
        " names."
    )
    return Fault("INVALID_TYPE", message, "InvalidSObjectFault")


def no_such_field(name: str, object_name: str) -> Fault:
    message = (
        f"No such column '{name}' on entity '{object_name}'. If you are attempting to use a custom field, be sure"
        " to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the"
        " appropriate names."
    )
    return Fault("INVALID_FIELD", message, "InvalidFieldFault")


def no_external_id(name: str, object_name: str) -> Fault:
    message = (
        f"Field name provided, {name} does not match an External ID, Salesforce Id, or indexed field for"
        f" {object_name}"
    )
    return Fault("INVALID_FIELD", message, "InvalidFieldFault")


def no_parent(relationship: str) -> Fault:
    message = f"The external foreign key reference does not reference a valid entity: {relationship}"
    return Fault("INVALID_FIELD", message, "InvalidFieldFault")


def no_such_relationship(name: str, object_name: str) -> Fault:
    message = (
        f"Didn't understand relationship '{name}' in field path of {object_name}. If you are attempting to use a"
        " custom relationship, be sure to append the '__r' after the custom relationship name."
    )
    return Fault("INVALID_FIELD", message, "InvalidFieldFault")


def no_such_children(name: str) -> Fault:
    message = (
        f"Didn't understand relationship '{name}' in FROM part of query call. If you are attempting to use a"
        " custom relationship, be sure to append the '__r' after the custom relationship name. Please reference"
        " your WSDL or the describe call for the appropriate names."
    )
    return Fault("INVALID_TYPE", message, "InvalidSObjectFault")


def wrong_operator(on: str) -> Fault:
    message = f"invalid operator on {on}"
    return Fault("INVALID_QUERY_FILTER_OPERATOR", message, "MalformedQueryFault")


def no_id(text: str) -> Fault:
    return Fault("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}", "MalformedQueryFault")


def database_failed(error: Exception) -> Fault:
    return unexpected("SERVER_UNAVAILABLE", f"The local org's database: {error}.")


def too_complicated(message: str) -> Fault:
    return unexpected("QUERY_TOO_COMPLICATED", message)
