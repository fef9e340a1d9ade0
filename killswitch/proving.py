"""Waiting for the proof of one stop, as the command does it: with its own clock, needing nothing but the database."""

import time
from collections.abc import Callable

from killswitch import services
from killswitch.choices import ProofState
from killswitch.models import Activation
from killswitch.selectors import activation as with_proofs

POLL_S = 0.1
# After the bound, how long the database may take to record it.
GRACE_S = 5.0
WORDS = {ProofState.ACKED: "acknowledged", ProofState.LEASE_EXPIRED: "lease expired"}


class Proving:
    """Follows one activation. `say` gets a line for each process as it is proven; `complete` tells whether all are."""

    def __init__(self, pk: int, *, say: Callable[[str], object]) -> None:
        self._pk = pk
        self._say = say
        self._said: set[int] = set()
        self._seen_at = time.monotonic()
        self.complete = False

    def wait(self) -> bool:
        """Until every process is proven, but no longer than the bound and a little. Returns whether the proof is complete."""
        while True:
            activation = self._look()
            waited = time.monotonic() - self._seen_at
            if self.complete or activation.ended_at is not None:
                self._say_end(activation)
                return self.complete
            if waited > activation.term_ms / 1000 * 1.01 + GRACE_S:
                self._say("The proof is not complete yet; the stop holds, and no process may trade.")
                return False
            time.sleep(POLL_S)
            services.settle(epoch=activation.epoch, waited=time.monotonic() - self._seen_at)

    def _look(self) -> Activation:
        activation = with_proofs(self._pk)
        self.complete = activation.stopped_at is not None
        for proof in activation.acknowledgements.all():
            if proof.state != ProofState.PENDING and proof.pk not in self._said:
                self._said.add(proof.pk)
                self._say(f"  {proof.client}: {WORDS[ProofState(proof.state)]} after {proof.ms:.0f} ms")
        return activation

    def _say_end(self, activation: Activation) -> None:
        if activation.time_to_stop_ms is None:
            self._say("It was re-armed before the proof was complete.")
        elif activation.drill:
            self._say(f"Drill complete: {activation.time_to_stop_ms:.0f} ms for {len(self._said)} processes")
        else:
            self._say(f"Stopped: {len(self._said)} processes proven in {activation.time_to_stop_ms:.0f} ms")
