"""The operator's side of the measurements: a process that stops and re-arms trading straight on the database,
and says exactly when.

`python -m bench.switch` takes one JSON object a line and answers with one. Like `manage.py killswitch` it
needs the console's database and not its web process.

    {"do": "stop"}                → activation, epoch, committing, committed
    {"do": "rearm"}               → epoch, committing, committed
    {"do": "proof", "activation"} → stopped (whether every process is proven), time_to_stop_ms, expired (how many by time),
                                    proofs (milliseconds of each proven process, by its pid)
    {"do": "notify", "id"}        → committing, committed: the floor, PostgreSQL's own UPDATE and NOTIFY
    {"do": "reset", "breaker"}    → committing, committed
    {"do": "reported", "breaker"} → processes: how many have told of it; and `open`: how many that it is open
    {"do": "share", "breaker", "quorum"} → changed: whether it was shared otherwise before
    {"do": "tune", "trigger", "values"} → changed: whether anything of this trigger is different now

`committing` is the steady clock (ns) just before COMMIT is sent, `committed` just after it was answered: the
commit lies between them.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import django

django.setup()

# The models can be imported only now.
from django.db import close_old_connections, connection, transaction  # noqa: E402

from bench.floor import CHANNEL, TABLE  # noqa: E402
from demo.clock import boot_ns  # noqa: E402
from killswitch import services  # noqa: E402
from killswitch.choices import ProofState  # noqa: E402
from killswitch.models import Activation, Epoch  # noqa: E402
from monitoring.breakers import services as breakers  # noqa: E402
from monitoring.breakers.choices import State  # noqa: E402
from monitoring.breakers.models import BreakerState  # noqa: E402
from monitoring.triggers import services as triggers  # noqa: E402
from monitoring.triggers.models import Trigger  # noqa: E402
from opsconsole.audit.actor import Actor  # noqa: E402

Message = dict[str, Any]

ACTOR = Actor.system("bench")


@contextmanager
def commit_times() -> Iterator[list[int]]:
    """Notes the clock on both sides of each COMMIT inside the block: [before, after, before, after, …]."""
    close_old_connections()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # finds out here whether the connection has to be made again
    raw: Any = connection.connection
    original = raw.commit
    times: list[int] = []

    def commit() -> None:
        times.append(boot_ns())
        original()
        times.append(boot_ns())

    raw.commit = commit
    try:
        yield times
    finally:
        raw.commit = original


def stop(_request: Message) -> Message:
    with commit_times() as times:
        outcome = services.activate(actor=ACTOR, reason="MANUAL", message="measurement")
    activation = outcome.activation
    return {"activation": activation.pk, "epoch": activation.epoch} | _first(times)


def rearm(_request: Message) -> Message:
    with commit_times() as times:
        services.deactivate(actor=ACTOR, message="measurement")
    return {"epoch": Epoch.objects.get().value} | _first(times)


def proof(request: Message) -> Message:
    activation = Activation.objects.get(pk=request["activation"])
    proofs = activation.acknowledgements.exclude(state=ProofState.PENDING)
    return {
        "stopped": activation.stopped_at is not None,
        "time_to_stop_ms": activation.time_to_stop_ms,
        "expired": proofs.filter(state=ProofState.LEASE_EXPIRED).count(),
        "proofs": dict(proofs.values_list("client__pid", "ms")),
    }


def notify(request: Message) -> Message:
    with commit_times() as times, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE {TABLE} SET value = %s", [request["id"]])
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(request["id"])])
    return _first(times)


def reset(request: Message) -> Message:
    with commit_times() as times:
        breakers.reset(actor=ACTOR, name=request["breaker"], reason="measurement")
    return _first(times)


def reported(request: Message) -> Message:
    states = BreakerState.objects.filter(breaker__name=request["breaker"])
    return {"processes": states.count(), "open": states.filter(state=State.OPEN).count()}


def share(request: Message) -> Message:
    values = {"quorum": request["quorum"]}
    _, changed = breakers.tune(actor=ACTOR, name=request["breaker"], values=values, reason="measurement")
    return {"changed": changed}


def tune(request: Message) -> Message:
    trigger = Trigger.objects.get(name=request["trigger"])
    _, changed = triggers.change(
        actor=ACTOR, trigger_id=trigger.pk, values=request["values"], reason="measurement"
    )
    return {"changed": changed}


def _first(times: list[int]) -> Message:
    return {"committing": times[0], "committed": times[1]}


COMMANDS: dict[str, Callable[[Message], Message]] = {
    "stop": stop,
    "rearm": rearm,
    "proof": proof,
    "notify": notify,
    "reset": reset,
    "reported": reported,
    "share": share,
    "tune": tune,
}


def main() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(COMMANDS[request["do"]](request)), flush=True)


if __name__ == "__main__":
    main()
