"""What the history holds: events as they came, and what became of each of their records."""

from typing import NamedTuple

DISCARDED = "discarded"
"""The fate of a record that failed, and whose dead letter a person has discarded."""


class PastEvent(NamedTuple):
    """An event that a service accepted and has begun to deliver."""

    number: int
    """Its number in the spool, which identifies it."""
    source: str
    came: float
    """When it was accepted, in seconds since 1970."""
    type: str
    title: str
    """What a person would call it: an e-mail address, a name, an id."""
    message_id: str
    raw: bytes = b""
    """As received; empty in lists."""


class PastOutcome(NamedTuple):
    """The latest outcome of one record of an event, or of an event without one."""

    event: int
    mapping: str
    """Empty if no mapping takes the event."""
    item_number: int
    fate: str
    object_name: str
    record: str
    """The record's id; empty if there is none."""
    reason: str
    answer: str
    """What the org said to the write, as JSON; empty if it was not refused."""
    notes: str
    """What was cut or left out, one note a line."""
    revision: str
    """The revision of the mappings in git; empty if it is not known."""
    decided: float
    """In seconds since 1970."""
