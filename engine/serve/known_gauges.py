"""Gauges for Prometheus that have a value only while it is known: no series is made up."""

import platform
from collections.abc import Callable, Iterator
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

disable_created_metrics()  # type: ignore[no-untyped-call]


class KnownGauges(Collector):
    """Looks at each value when it is asked for."""

    def __init__(self) -> None:
        self.looks: dict[str, tuple[str, Callable[[], float | None]]] = {}
        """By name, the meaning, and what gives the value; None while it is not known."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (meaning, look) in self.looks.items():
            value = look()
            if value is not None:
                yield GaugeMetricFamily(name, meaning, value=value)


def count_build(registry: CollectorRegistry) -> None:
    """Shows the version that runs."""
    build = Gauge("sfmap_build_info", "The version that runs", ["version", "python"], registry=registry)
    build.labels(version("sfmap"), platform.python_version()).set(1)
