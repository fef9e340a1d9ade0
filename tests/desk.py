"""A trading desk for the tests of pages: processes that connect, report, stop and answer, all through the services."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from killswitch import services
from killswitch.choices import Mode, Reason
from killswitch.models import Activation, Epoch, TradingClient
from killswitch.state import GLOBAL
from opsconsole.accounts.models import User
from tests.cast import acting

# No hub of this name runs, so nobody touches these streams; the web process leaves them until their cover is over.
HUB = "desk"


@dataclass
class Desk:
    """`trader` is the account of its processes."""

    trader: User
    processes: dict[str, TradingClient] = field(default_factory=dict)

    def connect(self, *names: str) -> None:
        for number, name in enumerate(names):
            details = services.ClientDetails(
                name=name,
                instance=uuid4().hex,
                host="desk-1",
                pid=4211 + number,
                version="0.1.0",
                scopes=[f"symbol:{name}", "strategy:momentum"],
            )
            self.processes[name] = services.connect(actor=acting(self.trader), details=details, hub=HUB)[0]

    def report(
        self, name: str, *, commands: Any = (), states: Mapping[str, Any] | None = None, **exposure: Any
    ) -> None:
        services.report(
            actor=acting(self.trader),
            name=name,
            instance=self.processes[name].instance,
            report=services.Report(exposure=exposure or None, commands=commands, states=states or {}),
        )

    def acknowledge(self, *names: str) -> None:
        """These processes (all of them, if none is named) have applied what is open."""
        episodes = list(Activation.objects.filter(ended_at=None).values_list("pk", flat=True))
        for name in names or self.processes:
            services.acknowledge(
                actor=acting(self.trader),
                name=name,
                instance=self.processes[name].instance,
                epoch=Epoch.objects.get().value,
                activations=episodes,
            )

    def stop(
        self,
        by: User,
        *,
        scope: str = GLOBAL,
        mode: str = Mode.HALTED,
        drill: bool = False,
        message: str = "",
    ) -> Activation:
        return services.activate(
            actor=acting(by), reason=Reason.MANUAL, message=message, scope=scope, mode=mode, drill=drill
        ).activation
