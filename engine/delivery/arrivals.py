"""Events that were taken and are in no window yet: those that repeat others wait for them to be committed."""

from collections import deque
from collections.abc import Sequence

from sfmap.engine.delivery.open_windows import OpenWindows
from sfmap.engine.delivery.outcome_table import MessageIds
from sfmap.engine.sources.event_source import Received


class Arrivals:
    """An event that repeats one of an open window waits until that one is committed.

    Its outcome is then in the journal when the repeat is looked at.
    """

    def __init__(self, messages: MessageIds, windows: OpenWindows) -> None:
        self._messages = messages
        self._windows = windows
        self._tells_repeats = messages.skip_delivered or bool(messages.creating)
        self._waiting: deque[Received] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, events: Sequence[Received]) -> None:
        self._waiting += events

    def next(self, released: Sequence[Received]) -> tuple[list[Received], set[str]]:
        """Takes the events of the next window, which follow released ones; those that wait wait on.

        Also returns what repeats of all of these are recognized by.
        """
        if not self._tells_repeats:
            taken, self._waiting = list(self._waiting), deque()
            return taken, set()
        seen = {message for one in released for message in self._repeated_by(one)}
        taken = []
        while self._waiting:
            messages = self._repeated_by(self._waiting[0])
            if messages & seen or self._windows.have_any(messages):
                break
            seen |= messages
            taken.append(self._waiting.popleft())
        return taken, seen

    def _repeated_by(self, received: Received) -> set[str]:
        """What repeats of the event are recognized by; one that is delivered in parts does not repeat itself."""
        message = self._messages.of(received)
        part = f"\n{received.part}" if received.part else ""
        return {f"{message}{part}" if message else "", received.repeat_key} - {""}
