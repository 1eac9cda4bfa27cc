"""How many examples hypothesis draws: few in `make test`, many in `make soak`."""

from hypothesis import HealthCheck, settings

TOLERATED = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow)

settings.register_profile("quick", deadline=None, suppress_health_check=TOLERATED, max_examples=20)
settings.register_profile("thorough", deadline=None, suppress_health_check=TOLERATED, max_examples=400)
settings.load_profile("quick")  # unless pytest is given --hypothesis-profile


def one_in(examples: int) -> settings:
    """For a test whose examples are costly: one where others have so many."""
    return settings(max_examples=max(1, settings().max_examples // examples))
