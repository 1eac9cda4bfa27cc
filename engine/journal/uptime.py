"""A clock that cannot be set: how long this machine has been running, and which boot that is counted from."""

import time
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def uptime() -> float:
    """Seconds since a moment before this process started; where possible it includes the time a machine sleeps."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def boot() -> str:
    """Identifies the boot that `uptime` counts from; empty where the system does not tell (all but Linux)."""
    if _CLOCK is None:
        return ""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
