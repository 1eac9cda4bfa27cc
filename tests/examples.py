"""How much of what could be tried at length is tried by `make test`; `make soak-tests` tries the rest.

Hypothesis draws few examples for the one and many for the other, by its profile.
"""

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet
from hypothesis import HealthCheck, settings

TOLERATED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)

settings.register_profile("quick", deadline=None, suppress_health_check=TOLERATED, max_examples=20)
settings.register_profile("thorough", deadline=None, suppress_health_check=TOLERATED, max_examples=400)
settings.load_profile("quick")  # unless pytest is given --hypothesis-profile


def one_in(examples: int) -> settings:
    """For a test whose examples are costly: one where others have so many."""
    return settings(max_examples=max(1, settings().max_examples // examples))


def mostly_soak(cases: Iterable[object], quick: int) -> list[ParameterSet]:
    """For `pytest.mark.parametrize`: as many cases as `quick` says, and the rest for `make soak-tests`."""
    return [pytest.param(case, marks=[pytest.mark.soak] * (number >= quick)) for number, case in enumerate(cases)]
