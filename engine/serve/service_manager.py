"""Tells systemd how the service is, where systemd has started it (`Type=notify`, sd_notify(3))."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_MICROSECONDS = 1_000_000


def tell_manager(state: str) -> None:
    """Sends a state such as `READY=1`; does nothing where no manager listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        manager.sendall(state.encode())


@asynccontextmanager
async def told_to_manager(status: str) -> AsyncIterator[None]:
    """Tells the manager that the service is ready, that this loop goes on answering, and when it stops."""
    tell_manager(f"READY=1\nSTATUS={status}")
    watchdog = asyncio.create_task(_quiet_watchdog(_watchdog_seconds()))
    try:
        yield
    finally:
        watchdog.cancel()
        tell_manager("STOPPING=1\nSTATUS=Finishing the calls in flight")


async def _quiet_watchdog(seconds: float) -> None:
    while seconds:
        tell_manager("WATCHDOG=1")
        await asyncio.sleep(seconds / 3)


def _watchdog_seconds() -> float:
    """After how long without an answer the manager restarts this process; 0 if it does not watch."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    given = os.environ.get("WATCHDOG_USEC", "")
    return int(given) / _MICROSECONDS if given.isdecimal() else 0.0
