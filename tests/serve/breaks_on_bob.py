"""`sfmap` with a bug: each call to the org about Bob raises an error that holds data of him."""

from collections.abc import Callable
from typing import Any

from sfmap.cli import main
from sfmap.engine.org.soap import SoapOrg


def broken(verb: Callable[..., object]) -> Callable[..., object]:
    def call(self: SoapOrg, *arguments: Any, **more: Any) -> object:
        if "bob@b.co" in repr(arguments):
            raise AttributeError("of a person named Bob")
        return verb(self, *arguments, **more)

    return call


if __name__ == "__main__":
    for name in ("find", "create", "update", "upsert"):
        setattr(SoapOrg, name, broken(getattr(SoapOrg, name)))
    main()
