"""Keeps the history of a service on a thread of its own: it delays no delivery, and no failure of it fails one."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import orjson

from sfmap.engine.delivery.outcome import Outcome
from sfmap.engine.journal.database import JournalFailed, JournalUnreadable
from sfmap.engine.journal.dead_letter_store import DeadLetter
from sfmap.engine.journal.history import History
from sfmap.engine.journal.history_entries import PastEvent, PastOutcome
from sfmap.engine.journal.history_writing import HistoryBounds, HistoryWriting
from sfmap.engine.journal.project_state import State
from sfmap.engine.journal.spool import Spooled
from sfmap.engine.mapping.values.event_title import event_title
from sfmap.engine.serve.log import Log, SparingLog
from sfmap.engine.sources.event_source import Received

_TOGETHER_SECONDS = 0.1
"""How long what comes is collected before it is written."""
_MOST_WAITING = 32 * 1024 * 1024
"""Bytes that may wait to be written; what comes beyond them is not in the history."""
_PRUNE_SECONDS = 3_600.0
"""How often events that have become too old are deleted while none come."""
_OUTCOME_SIZE = 500
_LONGEST = 2_000
"""The most characters kept of a reason."""
_STOP_SECONDS = 3.0


@dataclass(slots=True)
class _Waiting:
    """What is to be written."""

    events: list[tuple[Spooled, Received]] = field(default_factory=list)
    outcomes: list[tuple[Outcome, str, float]] = field(default_factory=list)
    """With the revision of the mappings, and when they were decided."""
    retried: list[tuple[Outcome, str, float]] = field(default_factory=list)
    discarded: list[DeadLetter] = field(default_factory=list)
    size: int = 0

    def __bool__(self) -> bool:
        return bool(self.events or self.outcomes or self.retried or self.discarded)


class EventHistory:
    """The history of one service. Thread-safe."""

    def __init__(self, state: State, org: str, bounds: HistoryBounds, log: Log) -> None:
        """`org` is the name of its entry in sfmap.yaml."""
        self.written = 0
        """How often something was written since the start."""
        self.lost = 0
        """How many outcomes could not be kept."""
        self._state = state
        self._org = org
        self._bounds = bounds
        self._log = SparingLog(log)
        self._waiting = _Waiting()
        self._noted = 0
        """The number of the last event that was noted: while the org is away, events come again."""
        self._news = threading.Condition()
        self._is_stopping = False
        self._writing: HistoryWriting | None = None
        self._reading: History | None = None
        self._opening = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Writes what waits, unless that takes too long."""
        with self._news:
            self._is_stopping = True
            self._news.notify()
        self._thread.join(_STOP_SECONDS)

    def note_window(self, spooled: Sequence[Spooled], received: Sequence[Received]) -> None:
        """Notes events that are about to be delivered."""
        new = [pair for pair in zip(spooled, received, strict=True) if pair[0].number > self._noted]
        if new:
            self._noted = new[-1][0].number
            self._add(lambda waiting: waiting.events.extend(new), sum(len(one.event) for one, _ in new), 0)

    def note_outcomes(self, outcomes: Sequence[Outcome], revision: str, *, are_retried: bool = False) -> None:
        """Notes the outcomes of events of the spool, or of dead letters that were retried."""
        if not outcomes:
            return
        now = time.time()
        entries = [(one, revision, now) for one in outcomes]
        self._add(
            lambda waiting: (waiting.retried if are_retried else waiting.outcomes).extend(entries),
            len(outcomes) * _OUTCOME_SIZE,
            len(outcomes),
        )

    def note_discarded(self, letters: Iterable[DeadLetter]) -> None:
        found = list(letters)
        self._add(lambda waiting: waiting.discarded.extend(found), 0, 0)

    def _add(self, add: Callable[[_Waiting], object], size: int, outcomes: int) -> None:
        with self._news:
            if self._waiting.size + size > _MOST_WAITING:
                self.lost += outcomes
                return
            add(self._waiting)
            self._waiting.size += size
            self._news.notify()

    @property
    def reading(self) -> History:
        """The history as it is. Raises `JournalFailed`."""
        with self._opening:
            if self._reading is None:
                self._reading = History(self._state.open_history())
            return self._reading

    def _run(self) -> None:
        self._keep(_Waiting())  # so that it can be read, and what cannot be is said
        while True:
            with self._news:
                has_news = self._news.wait_for(lambda: self._waiting or self._is_stopping, _PRUNE_SECONDS)
                if has_news and not self._is_stopping:
                    self._news.wait_for(lambda: self._is_stopping, _TOGETHER_SECONDS)
                waiting, self._waiting = self._waiting, _Waiting()
                is_last = self._is_stopping
            if waiting or not has_news:
                self._keep(waiting)
            if is_last:
                self._close()
                return

    def _keep(self, waiting: _Waiting) -> None:
        """Writes it, into a new history if the one there is cannot be read."""
        try:
            try:
                self._write(waiting)
            except JournalUnreadable as error:
                self._set_aside(error)
                self._write(waiting)
        except JournalFailed as error:
            self._close()
            self.lost += len(waiting.outcomes) + len(waiting.retried)
            self._log("warning", "history", f"The history is not written, and delivery continues: {error}")
        else:
            self.written += 1

    def _write(self, waiting: _Waiting) -> None:
        if self._writing is None:
            self._writing = HistoryWriting(self._state.open_history(), self._org, self._bounds)
        events = [_event(spooled, received) for spooled, received in waiting.events]
        outcomes = [_outcome(*one) for one in waiting.outcomes]
        self._writing.write(events, outcomes, time.time())
        known = [_outcome(*one) for one in waiting.retried if self._is_known(one[0].line, one[0].file)]
        if known:
            self._writing.write((), known, time.time())
        for letter in waiting.discarded:
            if self._is_known(letter.line, letter.file):
                self._writing.discard(letter.line, letter.mapping, max(0, letter.item_number))

    def _is_known(self, number: int, source: str) -> bool:
        """Whether a dead letter is of an event of the history, and not of a file or of an earlier time."""
        event = self.reading.event(number)
        return event is not None and event.source == source

    def _set_aside(self, error: JournalUnreadable) -> None:
        self._close()
        name = self._state.set_history_aside()
        self._log("warning", "unreadable", f"A new history begins, and the one before is now {name}: {error}")

    def _close(self) -> None:
        with self._opening, suppress(JournalFailed):
            writing, self._writing = self._writing, None
            reading, self._reading = self._reading, None
            if writing:
                writing.close()
            if reading:
                reading.close()


def _event(spooled: Spooled, received: Received) -> PastEvent:
    event = received.event or {}
    kind, message_id = event.get("type"), event.get("messageId")
    return PastEvent(
        number=spooled.number,
        source=spooled.source,
        came=spooled.accepted,
        type=kind if isinstance(kind, str) else "",
        title=event_title(event),
        message_id=message_id if isinstance(message_id, str) else "",
        raw=spooled.event,
    )


def _outcome(outcome: Outcome, revision: str, decided: float) -> PastOutcome:
    reason = outcome.reason
    return PastOutcome(
        event=outcome.line,
        mapping=outcome.mapping,
        item_number=outcome.item_number,
        fate=outcome.fate,
        object_name=outcome.object_name,
        record=outcome.id or "",
        reason=reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}…",
        answer=orjson.dumps(outcome.answer).decode() if outcome.answer else "",
        notes="\n".join(outcome.notes),
        revision=revision,
        decided=decided,
    )
