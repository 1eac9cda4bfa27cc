"""Libraries that only some sources need."""

from importlib import import_module
from types import ModuleType

from sfmap.engine.errors import SfmapError
from sfmap.engine.messages.hints import pip_install


class ExtraMissing(SfmapError):
    """A library is not installed; the message says how to install it."""


def needed(module: str, extra: str, what: str) -> ModuleType:
    """Imports a library of an extra, which is needed for `what`, such as "read s3://acme/a.gz".

    Raises `ExtraMissing`.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ExtraMissing(f"cannot {what}: this needs sfmap[{extra}]: {pip_install(f'sfmap[{extra}]')}") from None
