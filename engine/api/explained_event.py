"""What becomes of one event, with the source of every value, as data and as text."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sfmap.engine.api.payloads import ExplainedPayload
from sfmap.engine.inspect.explained_formats import explanation
from sfmap.engine.inspect.explanation import Explained, as_text
from sfmap.engine.inspect.payload import payload


@dataclass(frozen=True, slots=True)
class Explanation:
    """The explanation of one event: `print` shows it as text."""

    results: Sequence[Explained]

    @property
    def payloads(self) -> list[ExplainedPayload]:
        """What `Project.render` returns, each with `explain`: for every field where its value came from."""
        return [cast(ExplainedPayload, payload(one.mapped) | explanation(one)) for one in self.results]

    def __str__(self) -> str:
        return "".join(as_text(1, one) for one in self.results).removesuffix("\n")

    def __repr__(self) -> str:
        return f"<Explanation of {len(self.results)} results: print it>"
