"""Which API calls may be made: up to a limit for this run, and without a share of the org's daily calls."""

from collections.abc import Callable
from dataclasses import dataclass

from sfmap.engine.org.port import ApiUsage, LimitReached


@dataclass(frozen=True, slots=True)
class Budget:
    max_calls: int | None = None
    reserve: float = 0.0
    """The share of the org's daily calls to leave unused, from 0 to 1."""
    before_call: Callable[[], None] = lambda: None
    """Called right before each call, and may raise to prevent it."""

    def reserved(self, limit: int) -> int:
        """The calls of an org's daily limit to leave unused."""
        return round(limit * self.reserve)

    def check(self, made: int, usage: ApiUsage | None, unseen: int) -> None:
        """Raises `LimitReached` if no further call is allowed.

        `made` counts the calls so far; `unseen` those that the org's last report of its usage may not include.
        """
        if self.max_calls is not None and made >= self.max_calls:
            raise LimitReached(f"All {self.max_calls:,} API calls of --max-calls are used.")
        if usage is None or not self.reserve:
            return
        if usage.used + unseen >= usage.limit - self.reserved(usage.limit):
            raise LimitReached(
                f"The org has used {usage.used:,} of its {usage.limit:,} API calls of today,"
                f" and {self.reserve:.0%} are reserved.",
                hint="Run again when calls are available, or lower `reserve` in sfmap.yaml.",
            )


NO_BUDGET = Budget()
