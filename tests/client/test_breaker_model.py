"""The breaker against its model, over random steps. `script/bench breakers` takes many more of them."""

from hypothesis import HealthCheck, settings

from tests.client.breaker_steps import BreakerSteps

TestBreaker = BreakerSteps.TestCase
TestBreaker.settings = settings(
    max_examples=120,
    stateful_step_count=50,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
