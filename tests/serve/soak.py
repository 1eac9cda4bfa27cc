"""Fifty kills of the service under load: part of `make soak`, not of the suite."""

import sys

from ..service import Service
from .load import kill_under_load


def test_fifty_kills(service: Service) -> None:
    acknowledged = kill_under_load(service, kills=50, seed=50)
    sys.stdout.write(f"{acknowledged:,} events were acknowledged, and each has one outcome\n")
