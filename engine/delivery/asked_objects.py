"""What the org has told about the objects of a run's records; asked again without keeping anything waiting."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sfmap.engine.delivery.org_objects import OrgObjects
from sfmap.engine.delivery.org_threads import OrgThreads
from sfmap.engine.delivery.waiter import Waiter
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.org.port import ObjectDescription, Org, OrgUnavailable

_LONGEST = 30 * 60.0
"""Seconds for which what was known to be current holds without the org: fields may have been added since."""


@dataclass(frozen=True, slots=True)
class ToldObjects:
    """The objects that the user sees, and those of them that the mappings name."""

    names: frozenset[str]
    objects: OrgObjects


class AskedObjects:
    """The objects that a mapper names. For the thread that decides."""

    def __init__(
        self,
        *,
        org: Org,
        mapper: Mapper,
        waiter: Waiter,
        threads: OrgThreads,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._org = org
        self._mapper = mapper
        self._waiter = waiter
        self._threads = threads
        self._clock = clock
        self._known: ToldObjects | None = None
        self._was_current = 0.0
        """When what is known was last as the org describes it in the session of that moment."""

    def now(self) -> ToldObjects:
        """What is known now. Until the org answers again, that holds for half an hour.

        It waits for the org the first time, and after a long pause. Raises `OrgError` or `StopRequested`.
        """
        known = self._known
        is_recent = self._clock() - self._was_current < _LONGEST
        if known and is_recent and not self._org.is_described(self._named(known.names)):
            self._threads.prepare(partial(self._ask_again, known))
            return known
        self._known = self._ask()
        self._was_current = self._clock()
        return self._known

    def _ask_again(self, known: ToldObjects) -> None:
        """Asks what `_ask` will, which then takes no call. If the org is away, the next window tries it again."""
        with suppress(OrgUnavailable):
            names = self._org.object_names()
            if known.objects.currency:
                self._org.currency()
            self._org.describe(self._named(names))

    def _ask(self) -> ToldObjects:
        names = self._waiter.ask(self._org.object_names)
        named = self._named(names)
        described = self._waiter.ask(lambda: self._org.describe(named)) if named else {}
        return ToldObjects(names, OrgObjects(described, self._currency(described)))

    def _named(self, names: frozenset[str]) -> list[str]:
        return [name for name in self._mapper.objects if name in names]

    def _currency(self, described: Mapping[str, ObjectDescription]) -> str:
        """The org's currency, only requested if a mapping has a currency that an object has no field for."""
        is_asked_for = any(
            name in described and field not in described[name].fields for name, field in self._mapper.currencies
        )
        return self._waiter.ask(self._org.currency) if is_asked_for else ""
