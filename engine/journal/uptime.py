"""A clock that nobody can set: how long this machine has been running, and which start of it that counts from."""

import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def uptime() -> float:
    """Seconds since some moment before this process began; it goes on while the machine sleeps where it can."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def boot() -> str:
    """Which start of the machine `uptime` counts from; empty where the system does not say (all but Linux)."""
    if _CLOCK is None:
        return ""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
