"""How many API calls may be made: a bound for this run, and a share of the org's day that is left to others."""

from dataclasses import dataclass

from sfmap.engine.org.port import ApiUsage, LimitReached


@dataclass(frozen=True, slots=True)
class Budget:
    max_calls: int | None = None
    reserve: float = 0.0
    """From 0 to 1: the share of the org's daily calls that is left alone."""

    def check(self, made: int, usage: ApiUsage | None, unseen: int) -> None:
        """Raises `LimitReached` where one more call would be one too many.

        `made` counts the calls so far, `unseen` those that the org's last word on its limit may not have counted.
        """
        if self.max_calls is not None and made >= self.max_calls:
            raise LimitReached(f"All {self.max_calls:,} API calls of --max-calls are used.")
        if usage is None or not self.reserve:
            return
        allowed = usage.limit - round(usage.limit * self.reserve)
        if usage.used + unseen >= allowed:
            raise LimitReached(
                f"The org has used {usage.used:,} of its {usage.limit:,} API calls of today,"
                f" and {self.reserve:.0%} are to be left alone.",
                advice="Run again when some are free, or lower `reserve` in sfmap.yaml.",
            )


NO_BUDGET = Budget()
