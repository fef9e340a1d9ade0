"""The breaker against its slow, obvious model (tests/client/breaker_model.py), over many random steps.

`python -m bench.breakers_steps` prints how many steps were taken, as JSON, or ends with the shortest way to a disagreement.
"""

import json
import logging

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.client.breaker_steps import BreakerSteps

STEPS = 200_000
A_RUN = 50


def main() -> None:
    logging.disable(logging.CRITICAL)
    chosen = settings(
        max_examples=STEPS // A_RUN // 4,
        stateful_step_count=A_RUN,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    while BreakerSteps.taken < STEPS:  # a run may be shorter than it may be
        run_state_machine_as_test(BreakerSteps, settings=chosen)
    print(json.dumps({"steps": BreakerSteps.taken}))


if __name__ == "__main__":
    main()
