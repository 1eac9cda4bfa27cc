"""`sfmap render -` with a bug: mapping an event raises an error that holds data of it."""

import sys

from sfmap.cli import main
from sfmap.engine.mapping.run.mapper import Mapper
from sfmap.engine.mapping.values.record import Event, Mapped


def broken(self: Mapper, event: Event) -> tuple[Mapped, ...]:
    raise TypeError("of a person named Ann Lee")


if __name__ == "__main__":
    Mapper.map = broken  # type: ignore[method-assign]
    sys.argv = ["sfmap", "render", "-"]
    main()
