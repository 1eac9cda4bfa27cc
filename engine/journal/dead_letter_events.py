"""Dead letters as text and JSON, and as a source of events to deliver again."""

import base64
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sfmap.engine.journal.database import Database
from sfmap.engine.journal.dead_letter_store import DeadLetter, dead_letters
from sfmap.engine.journal.entries import DEAD_LETTERS
from sfmap.engine.sources.event_source import Received
from sfmap.engine.sources.reading import json_bytes, read_event


@dataclass(frozen=True, slots=True)
class DeadLetterSource:
    """The events of dead letters, each limited to the record that failed."""

    database: Database
    org: str
    reason: str = ""
    numbers: tuple[int, ...] = ()
    """The numbers of those to deliver; empty for all."""
    name: str = DEAD_LETTERS

    def __iter__(self) -> Iterator[Received]:
        """Numbers each by its dead letter, so that a retry after a kill knows what was delivered."""
        for letter in dead_letters(self.database, self.org, self.reason, self.numbers):
            event, problem = read_event(letter.raw)
            only = (letter.mapping, letter.item_number)
            yield Received(
                number=letter.id,
                file=letter.file,
                line=letter.line,
                raw=letter.raw,
                event=event,
                problem=problem,
                only=only,
                is_dead_letter=True,
            )


def letter_line(letter: DeadLetter) -> bytes:
    """The dead letter as a line of text."""
    what = letter.mapping or "event"
    tried = f" ({letter.attempts} times)" if letter.attempts > 1 else ""
    return f"{letter.id}  {letter.file}:{letter.line}  {what}  {letter.reason}{tried}\n".encode()


def letter_event(letter: DeadLetter) -> bytes:
    """The event as received."""
    return letter.raw + b"\n"


def letter_json(letter: DeadLetter) -> bytes:
    """The dead letter as a line of JSON."""
    return json_bytes(letter_dict(letter)) + b"\n"


def letter_dict(letter: DeadLetter) -> dict[str, object]:
    """The dead letter as JSON; an event that is not JSON is given as text, or as base64 if not UTF-8."""
    event, _ = read_event(letter.raw)
    said: dict[str, object] = {name: value for name, value in asdict(letter).items() if name != "raw"}
    said["object"] = said.pop("object_name")
    if event is not None:
        said["raw"] = event
    else:
        try:
            said["text"] = letter.raw.decode()
        except UnicodeDecodeError:
            said["base64"] = base64.b64encode(letter.raw).decode()
    return said
