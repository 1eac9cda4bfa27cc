"""The addresses that servers listen at."""

import socket
from ipaddress import ip_address


class CannotServe(Exception):
    """A server that cannot be had as it is asked for; the message says why and what to do."""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `OSError`, and `OverflowError` for what is no port."""
    listening = socket.create_server((host, port), backlog=2_048)
    # Else an answer waits 40 ms for the acknowledgement of its own headers; accepted connections inherit this.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
